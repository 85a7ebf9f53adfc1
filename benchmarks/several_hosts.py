"""Several hosts: what a database as state costs beside a folder, and how soon a big run is taken over.

The server is PostgreSQL on the same disk, with its commits synced.
"""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString

import psycopg
from fakes.postgres_server import Server, new_server

from benchmarks.cloud import cloud
from benchmarks.fleets import write_plan
from benchmarks.measured import ENVIRON, TOOL, Cost, cost_of, interleaved
from benchmarks.table import Row
from benchmarks.throughput import ROUNDS, run_of

TARGETS, TARGETS_AT_A_RATE, RATE, TARGETS_TAKEN_OVER = 2000, 200, 20, 100_000
_QUIET = ("--log-file", "/dev/null", "--quiet", "--no-progress")
_FIGURES = {"connections": 0.0, "megabytes": 0.0}


def hosts(folder: Path) -> Iterator[Row]:
    """One host with a database against one with a folder; and one that stands by."""
    with _server() as server, cloud() as (port, _):
        plan = write_plan(folder, port, TARGETS)
        costs = interleaved(ROUNDS, {"folder": run_of(plan), "database": lambda: _run(server, plan)[0]})
        _, commits, stored = _run(server, plan)
        slow = write_plan(_in(folder, "slow"), port, TARGETS_AT_A_RATE, rate=RATE)
        commits_at_a_rate, figures = _run_with_standby(server, slow)
    ours, theirs = costs["database"], costs["folder"]
    yield Row(
        "one host with a database against a folder", theirs.wall_s / ours.wall_s, "x", 0.80, ">=",
        f"{TARGETS / theirs.wall_s:,.0f} upgrades/s", f"{TARGETS / ours.wall_s:,.0f} upgrades/s",
    )  # fmt: skip
    yield Row("transactions that write, per target, at full speed", commits / TARGETS, "", 0.5)
    yield Row(f"the same at {RATE}/s", commits_at_a_rate / TARGETS_AT_A_RATE, "", 7)
    yield Row("tables and indexes per target", stored / TARGETS, "bytes")
    more_mb = (ours.peak_bytes - theirs.peak_bytes) / 1e6
    yield Row("peak memory of a host with a database above that with a folder", more_mb, "MB", 120)
    yield Row("connections of the host that works", figures["works"]["connections"], "", 10)
    yield Row("connections of a host that stands by", figures["stands-by"]["connections"], "", 10)
    yield Row("peak memory of a host that stands by", figures["stands-by"]["megabytes"], "MB", 120)


def taking_over(folder: Path) -> Iterator[Row]:
    """The host that works on a half-done run of 100,000 is killed; another one stands by."""
    with _server() as server, cloud() as (port, _):
        plan, address = write_plan(folder, port, TARGETS_TAKEN_OVER), _new_state(server)
        first = _start(plan, address, "first")
        _until(lambda: _records(address) >= TARGETS_TAKEN_OVER * 2)  # four for each
        second = _start(plan, address, "second")
        _until(lambda: bool(_figures(address, {"second": second.pid})["second"]["connections"]))
        time.sleep(5)  # it has come so far that it stands by
        first.send_signal(signal.SIGKILL)
        first.wait()
        killed, before = time.monotonic(), _records(address)
        _until(lambda: _starts_after(address, before))
        taken_s = time.monotonic() - killed
        second.send_signal(signal.SIGTERM)
        second.wait()
    yield Row(
        f"takeover of a half-done run of {TARGETS_TAKEN_OVER:,}", taken_s, "s", 25,
        detail="10 s until a silent host is gone, 15 s to read its log",
    )  # fmt: skip


def _run(server: Server, plan: Path) -> tuple[Cost, int, int]:
    """A run with a database of its own: its cost, the transactions that wrote, and the bytes that it left."""
    address = _new_state(server)
    before, empty = _transactions(address), _stored(address)
    cost = cost_of([*TOOL, "run", str(plan), "--state", address, *_QUIET])
    return cost, _transactions(address) - before, _stored(address) - empty


def _run_with_standby(server: Server, plan: Path) -> tuple[int, dict[str, dict[str, float]]]:
    """A run, while another host stands by: the transactions that wrote, and what each host had at most."""
    address = _new_state(server)
    before = _transactions(address)
    works, stands_by = _start(plan, address, "works"), _start_worker(address, "stands-by")
    most: dict[str, dict[str, float]] = {"works": dict(_FIGURES), "stands-by": dict(_FIGURES)}
    while works.poll() is None:
        for name, figures in _figures(address, {"works": works.pid, "stands-by": stands_by.pid}).items():
            most[name] = {figure: max(value, most[name][figure]) for figure, value in figures.items()}
        time.sleep(0.05)
    if works.returncode:
        raise RuntimeError(f"the run ended with {works.returncode}")
    wrote = _transactions(address) - before
    stands_by.send_signal(signal.SIGTERM)
    stands_by.wait()
    return wrote, most


def _start(plan: Path, address: str, name: str) -> subprocess.Popen[bytes]:
    return _process(["run", str(plan)], address, name)


def _start_worker(address: str, name: str) -> subprocess.Popen[bytes]:
    return _process(["worker", "--name", name], address, name)


def _process(words: list[str], address: str, name: str) -> subprocess.Popen[bytes]:
    """A process of a host; the database knows its connections by the name."""
    environ = {**ENVIRON, "PGAPPNAME": name, "ORCHESTRATOR_HOST": name}
    return subprocess.Popen(
        [*TOOL, *words, "--state", address, *_QUIET], env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def _figures(address: str, hosts: Mapping[str, int]) -> dict[str, dict[str, float]]:
    wanted = "select application_name, count(*) from pg_stat_activity group by 1"
    with psycopg.connect(address) as connection:
        connections: dict[str, int] = dict(connection.execute(wanted).fetchall())
    return {
        name: {"connections": float(connections.get(name, 0)), "megabytes": _peak_mb(pid)}
        for name, pid in hosts.items()
    }


def _peak_mb(pid: int) -> float:
    """The most that a process had, and what helps it."""
    proc = Path("/proc", str(pid))
    try:
        lines = (proc / "status").read_text().splitlines()
        helpers = (proc / "task" / str(pid) / "children").read_text().split()
    except FileNotFoundError:
        return 0.0
    own_mb = next((int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM")), 0.0)
    return own_mb + sum(_peak_mb(int(helper)) for helper in helpers)


def _transactions(address: str) -> int:
    """How many transactions of the server have written by now."""
    return _asked(address, "select pg_snapshot_xmax(pg_current_snapshot())::text")


def _stored(address: str) -> int:
    """Bytes of the database on disk."""
    return _asked(address, "select pg_database_size(current_database())")


def _records(address: str) -> int:
    """How many records the run has."""
    return _asked(address, "select coalesce(max(next_seq), 0) from orchestrator.run")


def _starts_after(address: str, seq: int) -> bool:
    """Whether an upgrade was begun behind a record."""
    return _asked(address, "select count(*) from orchestrator.journal where seq > %s and record = 'intent'", seq) > 0


def _asked(address: str, question: LiteralString, *values: int) -> int:
    with psycopg.connect(address) as connection:
        row = connection.execute(question, values).fetchone()
    assert row
    return int(row[0])


def _new_state(server: Server) -> str:
    address = server.new_database()
    subprocess.run([*TOOL, "state", "init", "--state", address], check=True, capture_output=True)
    return address


@contextmanager
def _server() -> Iterator[Server]:
    server = new_server()
    try:
        server.start(syncs=True)
        yield server
    finally:
        server.remove()


def _until(holds: Callable[[], bool]) -> None:
    while not holds():
        time.sleep(0.2)


def _in(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


GROUPS, LONG = (hosts,), (taking_over,)
