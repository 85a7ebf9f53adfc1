"""Text and paths from the host: what is not UTF-8 is written out, and a path still leads to its file."""

import os
from pathlib import Path
from threading import Event, Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import host
from orchestrator.errors import PlanError
from orchestrator.host import (
    HOST_VARIABLE,
    is_lasting,
    machine_name,
    open_to_hand_over,
    open_to_read,
    path_of,
    path_text,
    readable,
    user_name,
)
from orchestrator.plain import plain
from orchestrator.planner.plan_file.load import read_bytes
from orchestrator.planner.reading.problems import Problems
from orchestrator.planner.targets.inventory import read_inventory

FILE_NAMES = st.binary(min_size=1, max_size=20).filter(lambda name: b"\0" not in name)


@given(st.binary(max_size=40))
def test_text_of_any_bytes_can_be_written(raw: bytes) -> None:
    text = readable(os.fsdecode(raw))
    text.encode()
    plain(text).encode()


def test_a_byte_that_is_not_utf_8_is_written_out() -> None:
    assert readable(os.fsdecode(b"caf\xe9 \xc3\xa9")) == "caf\\xe9 é"
    assert plain(os.fsdecode(b"caf\xe9\n")) == "caf\\xe9\\n"


@given(FILE_NAMES)
def test_a_path_comes_back_with_its_bytes(name: bytes) -> None:
    path = os.path.join("/plans", os.fsdecode(name))  # noqa: PTH118  # Path would take `//` and `.` out
    text = path_text(path)
    text.encode()
    assert path_of(text) == Path(path)


def test_a_path_in_utf_8_stays_as_it_is() -> None:
    assert path_text("/plans/café.yaml") == "/plans/café.yaml"
    assert path_text(os.fsdecode(b"/plans/caf\xe9.yaml")) == "file:///plans/caf%E9.yaml"


def test_user_and_machine_are_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", os.fsdecode(b"jos\xe9"))
    assert user_name() == "jos\\xe9"
    monkeypatch.delenv(HOST_VARIABLE, raising=False)
    assert machine_name() == os.uname().nodename
    monkeypatch.setenv(HOST_VARIABLE, "bj-1")
    assert machine_name() == "bj-1"


def test_a_pipe_is_no_lasting_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "plan.yaml").touch()
    assert is_lasting(tmp_path / "plan.yaml")
    assert is_lasting(tmp_path / "gone.yaml")
    for path in (tmp_path / "fifo", Path("/dev/stdin"), Path("/dev/fd/63"), Path("/proc/self/fd/63")):
        assert not is_lasting(path)


@pytest.mark.timeout(20)  # without it the test waits for ever
def test_a_pipe_that_nobody_reads_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="a pipe that nobody reads"):
        open_to_hand_over(pipe, 0)


@pytest.mark.timeout(20)  # without it the test waits for ever
@pytest.mark.parametrize("name", ["plan.yaml", "fleet.csv", "fleet.ndjson"])
def test_a_pipe_into_which_nobody_writes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(host, "PIPE_PATIENCE_S", 0.01)
    pipe = tmp_path / name
    os.mkfifo(pipe)
    if name == "plan.yaml":
        with pytest.raises(PlanError, match="cannot be read: a pipe into which nobody writes"):
            read_bytes(pipe)
        return
    problems = Problems(name)
    found = read_inventory(str(pipe), scopes=frozenset({"default"}), target_version="1.0", problems=problems)
    assert not list(found)
    assert "cannot be read: a pipe into which nobody writes" in problems.lines()[0]


def test_what_is_written_into_a_pipe_is_read_however_slowly_it_comes(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def write() -> None:
        with pipe.open("wb", buffering=0) as file:
            file.write(b"one ")
            read.wait()
            file.write(b"two")

    read = Event()
    writer = Thread(target=write)
    writer.start()
    with open(pipe, "rb", opener=open_to_read, buffering=0) as file:
        assert file.read(4) == b"one "
        read.set()
        assert file.read(4) == b"two"
    writer.join()


def test_a_pipe_of_this_process_is_read_to_its_end() -> None:
    """As a shell's `<(...)`: it has a writer from the start, which may take its time."""
    reading, writing = os.pipe()
    handle = open_to_read(f"/dev/fd/{reading}")
    assert os.get_blocking(handle)
    os.write(writing, b"version: 1")
    os.close(writing)
    assert os.read(handle, 100) == b"version: 1"
    assert os.read(handle, 100) == b""
    os.close(handle)
    os.close(reading)
