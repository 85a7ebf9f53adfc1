"""The file in which processes keep a rate that they share: one at a time, whoever dies, stops or damages it."""

import errno
import fcntl
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.documents import ROOT

from orchestrator.tracker.folder import rate_file
from orchestrator.tracker.folder.rate_file import RateFile

ADDERS = 4
TIMES = 200
ADD = f"""
import sys, time
from pathlib import Path
from orchestrator.tracker.folder.rate_file import RateFile
file = RateFile(Path(sys.argv[1]), creates=True, monotonic=time.monotonic, warn=sys.exit)
done = 0
while done < {TIMES}:
    done += file.exchange(lambda content: b"%d" % (int(content or b"0") + 1))
"""


class Hand:
    """A process's hand on the file."""

    def __init__(self, path: Path, *, creates: bool = True) -> None:
        self.now_s = 0.0
        self.warnings: list[str] = []
        self.file = RateFile(path, creates=creates, monotonic=lambda: self.now_s, warn=self.warnings.append)
        self.found: list[bytes] = []

    def put(self, content: bytes) -> bool:
        def act(found: bytes) -> bytes:
            self.found.append(found)
            return content

        return self.file.exchange(act)

    @property
    def last(self) -> bytes:
        return self.found[-1]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".rate-1"


def test_what_nobody_else_touched_is_not_checked_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = list[bytes]()

    def counted(content: bytes) -> int:
        checked.append(content)
        return len(content)

    monkeypatch.setattr(rate_file, "_checksum", counted)
    hand = Hand(path)
    for number in range(10):
        assert hand.put(b"%d" % number)
    assert hand.found == [b"", *(b"%d" % number for number in range(9))]
    assert checked == [b"%d" % number for number in range(10)]


def test_each_finds_what_the_last_one_left(path: Path) -> None:
    first, second = Hand(path), Hand(path)
    assert first.put(b"a much longer content")
    assert second.put(b"short")
    assert first.put(b"")
    assert (first.found, second.found) == ([b"", b"short"], [b"a much longer content"])
    assert path.stat().st_mode & 0o777 == 0o600
    assert not first.warnings


@pytest.mark.slow
def test_no_process_comes_between_another_ones_look_and_its_answer(path: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    adders = [subprocess.Popen([sys.executable, "-c", ADD, str(path)], env=environ) for _ in range(ADDERS)]
    assert [each.wait() for each in adders] == [0] * ADDERS
    last = Hand(path)
    last.put(b"0")
    assert int(last.last) == ADDERS * TIMES


def test_while_another_has_it_nothing_is_done_and_nobody_waits(path: Path) -> None:
    hand = Hand(path)
    hand.put(b"1")
    with path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert not hand.put(b"2")
    assert hand.put(b"3")
    assert hand.found == [b"", b"1"]


def test_who_was_stopped_in_the_middle_stops_nobody(path: Path) -> None:
    """The others take another file, whose content is known to be no content; so does he when he wakes up."""
    stopped, hand = Hand(path), Hand(path)
    stopped.put(b"1")
    hand.put(b"2")
    with path.open("rb") as hold:
        fcntl.flock(hold, fcntl.LOCK_EX)
        tries = 0
        while not hand.put(b"3"):
            hand.now_s, tries = hand.now_s + 0.1, tries + 1
            assert tries < 50
        assert tries > 20
    assert hand.last == b"\0"
    assert stopped.put(b"4")
    assert stopped.last == b"3"
    assert not list(path.parent.glob("*.new"))


def test_a_lock_that_is_held_whenever_one_asks_now_and_then_is_no_reason_to_give_the_file_up(path: Path) -> None:
    hand = Hand(path)
    hand.put(b"1")
    before = path.stat().st_ino
    for _ in range(10):
        hand.now_s += 60.0
        with path.open("rb") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            assert not hand.put(b"2")
    assert path.stat().st_ino == before


@pytest.mark.parametrize("content", [b"x", b"OSR1" + bytes(8) + b"abc", b"{}" * 50])
def test_what_is_damaged_or_foreign_is_told_from_an_empty_file_and_written_over(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    hand = Hand(path)
    assert hand.put(b"good")
    assert hand.put(b"")
    assert hand.found == [b"\0", b"good"]


def test_a_torn_content_is_seen(path: Path) -> None:
    hand = Hand(path)
    hand.put(b"one content")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    hand.put(b"")
    assert hand.last == b"\0"


def not_a_file(path: Path) -> None:
    path.mkdir()


def a_link(path: Path) -> None:
    path.symlink_to(path.with_name("elsewhere"))


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("make", [not_a_file, a_link, a_pipe])
def test_what_cannot_be_used_stops_nothing_and_is_told_once(path: Path, make: Callable[[Path], None]) -> None:
    make(path)
    hand = Hand(path)
    assert [hand.put(content) for content in (b"1", b"2", b"3")] == [True] * 3
    assert hand.found == [b"", b"1", b"2"], "shared with itself"
    assert len(hand.warnings) == 1
    assert str(path) in hand.warnings[0]


def test_a_full_disk_stops_nothing_and_is_told_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    hand = Hand(path)
    hand.put(b"1")
    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        assert hand.put(b"2")
        assert hand.put(b"3")
    assert hand.put(b"4")
    assert hand.put(b"5")
    assert hand.found == [b"", b"1", b"2", b"\0", b"4"], "its own, and then nobody's for sure"
    assert len(hand.warnings) == 1
    assert "No space" in hand.warnings[0]


def test_a_reader_makes_no_file_and_takes_part_when_there_is_one(path: Path) -> None:
    reader = Hand(path, creates=False)
    reader.put(b"1")
    assert not path.exists()
    assert not reader.warnings
    Hand(path).put(b"2")
    reader.put(b"3")
    assert reader.last == b"\0", "the file does not know what it did before"
    Hand(path).put(b"4")
    reader.put(b"5")
    assert reader.last == b"4"


def test_a_file_that_a_person_takes_away_is_made_again(path: Path) -> None:
    hand = Hand(path)
    hand.put(b"1")
    path.unlink()
    hand.put(b"2")
    assert hand.last == b""
    assert path.exists()
    hand.file.close()
