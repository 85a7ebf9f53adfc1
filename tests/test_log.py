"""Lines for people or for machines; and a log without a reader harms nobody."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.recorded import BEGIN

from orchestrator.errors import StateError
from orchestrator.log import Form, open_log


def test_other_events_get_the_clock_and_their_keys() -> None:
    stderr = io.StringIO()
    open_log(lambda: BEGIN, form="json", stderr=stderr).info("process.stopping", signal="SIGTERM")
    assert json.loads(stderr.getvalue()) == {
        "event": "process.stopping",
        "level": "info",
        "signal": "SIGTERM",
        "timestamp": "2026-03-01T22:00:00.000Z",
    }


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stderr", "people"), [(Terminal(), True), (io.StringIO(), False)])
def test_auto_is_for_people_on_a_terminal_only(stderr: io.StringIO, people: bool) -> None:  # pytest's
    open_log(lambda: BEGIN, stderr=stderr).info("run.started", name="prod")
    assert stderr.getvalue().startswith("{") is not people
    assert "run.started" in stderr.getvalue()


@pytest.mark.parametrize(
    ("environ", "terminal", "file"),
    [
        ({}, True, False),
        ({"TERM": "xterm"}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, True, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
    ],
)
def test_the_environment_says_whether_lines_for_people_have_colours(
    environ: dict[str, str], terminal: bool, file: bool
) -> None:
    for stderr, coloured in ((Terminal(), terminal), (io.StringIO(), file)):
        open_log(lambda: BEGIN, form="console", stderr=stderr, environ=environ).info("run.started")
        assert ("\x1b[" in stderr.getvalue()) is coloured


def test_a_log_file_takes_the_place_of_standard_error(tmp_path: Path) -> None:
    path, stderr = tmp_path / "log", io.StringIO()
    path.write_text("from the night before\n")
    open_log(lambda: BEGIN, file=path, stderr=stderr).info("run.started")
    assert stderr.getvalue() == ""
    assert len(path.read_text().splitlines()) == 2


def test_a_new_log_file_is_its_owners(tmp_path: Path) -> None:
    open_log(lambda: BEGIN, file=tmp_path / "log").info("run.going_on")
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


def test_a_log_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="cannot write the log"):
        open_log(lambda: BEGIN, file=tmp_path / "nowhere" / "log")


def test_lines_that_are_lost_are_reported_once() -> None:
    lost: list[str] = []
    with Path("/dev/full").open("w", encoding="utf-8", buffering=1) as full:
        log = open_log(lambda: BEGIN, stderr=full, on_lost=lost.append)
        log.info("run.going_on")
        log.info("run.going_on")
    assert lost == ["No space left on device"]


LOG_ON = """
import sys
from datetime import UTC, datetime
from orchestrator.log import Form, open_log
log = open_log(lambda: datetime.now(UTC))
for number in range(2000):
    log.info("run.going_on", number=number, padding="x" * 100)
print("still here", flush=True)
sys.exit(5)
"""


def test_a_closed_pipe_ends_no_run() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([sys.executable, "-c", LOG_ON], stdout=subprocess.PIPE, stderr=writing, check=False)
    os.close(writing)
    assert (done.stdout, done.returncode) == (b"still here\n", 5)


def test_a_full_disk_beneath_the_log_ends_no_run() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([sys.executable, "-c", LOG_ON], stdout=subprocess.PIPE, stderr=full, check=False)
    assert (done.stdout, done.returncode) == (b"still here\n", 5)


def test_a_closed_stream_ends_no_run() -> None:
    stderr = io.StringIO()
    log = open_log(lambda: BEGIN, form="json", stderr=stderr)
    stderr.close()
    log.info("run.going_on")
    log.info("run.going_on")
    assert stderr.closed


@pytest.mark.parametrize("form", ["json", "console"])
def test_what_the_cloud_says_moves_no_cursor(form: Form) -> None:
    said = "no \x1b[2J\x9b1m\r\u202egnp.exe\x7f Grüße"
    stderr = io.StringIO()
    open_log(lambda: BEGIN, form=form, stderr=stderr).info("attempt.answered", reason=said, entries=[{"state": said}])
    line = stderr.getvalue().removesuffix("\n")
    assert line.isprintable()
    assert "Grüße" in line
    if form == "json":
        assert json.loads(line)["reason"] == said
