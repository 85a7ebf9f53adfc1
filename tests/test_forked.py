"""A process that is forked for a test is what an interpreter of its own would be; only the import is spared."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from fakes import processes
from fakes.e2e import Desk
from fakes.forked import Forked
from fakes.processes import Running, start

PIPES: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
HERE = "tests.fakes.seen_inside"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, environ={"TZ": "Asia/Tokyo", "ODD": os.fsdecode(b"jos\xe9")})


def begin(desk: Desk, *words: str, **options: Any) -> Running:
    return start([HERE, *words], environ={**desk.base_environ(), **desk.environ}, folder=desk.folder, **PIPES | options)


@pytest.mark.parametrize("options", [{}, {"start_new_session": True}])
def test_it_sees_what_an_interpreter_of_its_own_sees(
    desk: Desk, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    forked = begin(desk, "3", "a word", **options)
    assert isinstance(forked.process, Forked)
    monkeypatch.setenv("PROCESS_STARTS", "exec")
    own = begin(desk, "3", "a word", **options)
    assert isinstance(own.process, subprocess.Popen)
    first, second = forked.end(), own.end()
    assert json.loads(first.stdout) == json.loads(second.stdout)
    assert (first.code, first.stderr) == (second.code, second.stderr) == (3, "an error\n")


@pytest.mark.parametrize(
    ("environ", "options"),
    [({"PYTHONUTF8": "0"}, {}), ({"LC_ALL": "C"}, {}), ({}, {"preexec_fn": lambda: None}), ({}, {"stdout": None})],
)
def test_what_only_a_start_can_give_gets_one(desk: Desk, environ: dict[str, str], options: dict[str, Any]) -> None:
    desk.environ.update(environ)
    running = begin(desk, "0", **options)
    assert isinstance(running.process, subprocess.Popen)
    assert running.end().code == 0


def test_a_wrapper_gets_a_start(desk: Desk) -> None:
    running = begin(desk, "0", wrapper=("env", "WRAPPED=yes"))
    assert json.loads(running.end().stdout)["environ"]["WRAPPED"] == "yes"


def test_an_exception_that_nobody_catches_is_seen(desk: Desk) -> None:
    ended = begin(desk, "no number").end()
    assert ended.code == 1
    assert "ValueError: invalid literal" in ended.stderr


def test_it_is_found_by_signals_and_is_gone_when_it_has_ended(desk: Desk) -> None:
    running = start(
        ["orchestrator", "simulate", "--instances", "2", "--proxies", "1"],
        environ=desk.base_environ(),
        folder=desk.folder,
        **PIPES,
    )
    assert isinstance(running.process, Forked)
    assert running.process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        running.process.wait(0.01)
    assert running.process.stdout is not None
    assert running.process.stdout.readline()
    running.signal(signal.SIGKILL)
    assert running.end().code == -signal.SIGKILL
    assert not Path(f"/proc/{running.process.pid}").exists()


def test_several_live_side_by_side(desk: Desk) -> None:
    assert [each.end().code for each in [begin(desk, str(number)) for number in range(4)]] == [0, 1, 2, 3]


def test_every_desk_uses_it(desk: Desk) -> None:
    assert processes.start is start
    running = desk.start("--version")
    assert isinstance(running.process, Forked)
    assert running.end().stdout.startswith("orchestrator ")
