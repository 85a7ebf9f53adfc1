"""What a verb that calls the cloud needs of its host is looked at first; verbs that call nobody need none of it."""

import os
import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.cli.before_calls import expect_room_for
from orchestrator.cli.options import Options
from orchestrator.errors import HostError, UsageError

RUN = Options(verb="run")


def test_the_keys_of_connections_are_written_nowhere() -> None:
    """Not into a file, nor into what would end the process (a folder) or hold it up (a pipe)."""
    environ = {"SSLKEYLOGFILE": "/keys", "HOME": "/root"}
    expect_room_for(RUN, environ)
    assert environ == {"HOME": "/root"}


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _secret(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("make", [lambda _path: None, _pipe, _secret], ids=["missing", "pipe", "folder"])
def test_authorities_that_cannot_be_read_are_named_by_their_variable(
    make: Callable[[Path], None], tmp_path: Path
) -> None:
    make(tmp_path / "odd")
    with pytest.raises(UsageError, match="SSL_CERT_FILE names no file"):
        expect_room_for(RUN, {"SSL_CERT_FILE": str(tmp_path / "odd")})


def test_one_folder_of_authorities_is_enough(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    expect_room_for(RUN, {"SSL_CERT_DIR": f"{tmp_path / 'none'}:{tmp_path}", "SSL_CERT_FILE": str(tmp_path / "file")})
    with pytest.raises(UsageError, match="SSL_CERT_DIR names no folder"):
        expect_room_for(RUN, {"SSL_CERT_DIR": f"{tmp_path / 'none'}:{tmp_path / 'file'}"})


@pytest.mark.parametrize("options", [Options(verb="hold"), Options(verb="plan", offline=True)])
def test_what_calls_nobody_needs_nothing(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (6, 6))
    expect_room_for(options, {"SSL_CERT_FILE": "/nonexistent"})


@pytest.mark.parametrize(
    ("which", "value", "error", "says"),
    [
        (resource.RLIMIT_AS, 100 << 20, HostError, "memory: this process may have 100 MiB, and needs at least 128"),
        (resource.RLIMIT_NOFILE, 20, UsageError, "open files: this process may have 20 open, and needs at least 36"),
    ],
)
def test_too_little_for_an_event_loop_is_said_before_there_is_one(
    which: int, value: int, error: type[Exception], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would end the process with a signal, and without a word."""
    limits = {resource.RLIMIT_AS: resource.RLIM_INFINITY, resource.RLIMIT_NOFILE: 4096} | {which: value}
    monkeypatch.setattr(resource, "getrlimit", lambda asked: (limits[asked], limits[asked]))
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    with pytest.raises(error, match=says):
        expect_room_for(RUN, {})
