"""The journal: what was written is read back, and whatever else stands in the file is found."""

import errno
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

import msgspec
import pytest
from fakes.plausible import PlausibleRun
from fakes.recorded import BEGIN, run_started
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import ExitCode, JournalDamaged, StateError
from orchestrator.model.record.record import CommandIgnored, Record
from orchestrator.tracker.journal.file import Journal, read_journal
from orchestrator.tracker.journal.line import encode_lines

RECORDS: Sequence[Record] = PlausibleRun(5, count=3).steps(12).records
LINES = encode_lines(RECORDS, 1).splitlines(keepends=True)
MARK = CommandIgnored(at=BEGIN, command=1, why="mark")


def written(folder: Path, content: bytes) -> Path:
    path = folder / "journal.ndjson"
    path.write_bytes(content)
    return path


def read(path: Path) -> list[Record]:
    return [record for _, record in read_journal(path)]


def test_records_come_back_as_they_were_numbered_from_one(tmp_path: Path) -> None:
    path = tmp_path / "journal.ndjson"
    journal = Journal.create(path)
    journal.append(RECORDS[:3])
    journal.append(RECORDS[3:])
    journal.close()
    assert list(read_journal(path)) == list(enumerate(RECORDS, 1))


def test_a_line_is_plain_json_with_a_number_the_record_and_a_checksum(tmp_path: Path) -> None:
    path = tmp_path / "journal.ndjson"
    Journal.create(path).append([MARK])
    line = msgspec.json.decode(path.read_bytes())
    assert line["seq"] == 1
    assert line["record"] == "command_ignored"
    assert line["at"] == "2026-03-01T22:00:00Z"
    assert (line["step"], line["attempt"], len(line["crc"])) == ("run", 0, 8)
    assert path.read_bytes().endswith(b'"}\n')


def test_only_its_owner_may_read_it_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Journal.create(tmp_path / "journal.ndjson").close()
    finally:
        os.umask(before)
    assert (tmp_path / "journal.ndjson").stat().st_mode & 0o777 == 0o600


def test_a_second_journal_of_the_same_name_is_refused(tmp_path: Path) -> None:
    Journal.create(tmp_path / "journal.ndjson").close()
    with pytest.raises(StateError, match="exists"):
        Journal.create(tmp_path / "journal.ndjson")


@given(st.integers(0, 10_000), st.integers(0, 60))
def test_any_plausible_run_survives_its_journal(seed: int, steps: int) -> None:
    records = PlausibleRun(seed, count=4).steps(steps).records
    decoder = msgspec.json.Decoder(Record)
    lines = encode_lines(records, 1).splitlines()
    assert [decoder.decode(line) for line in lines] == records


# --- what a crash leaves ---------------------------------------------------------------------------------------------


def test_cut_at_any_byte_it_reads_as_the_whole_lines_before(tmp_path: Path) -> None:
    content = b"".join(LINES[:3])
    path = written(tmp_path, content)
    for cut in reversed(range(len(content))):
        os.truncate(path, cut)
        assert read(path) == list(RECORDS[: content[:cut].count(b"\n")])


def test_after_any_cut_it_goes_on_without_a_trace_of_the_torn_line(tmp_path: Path) -> None:
    content = b"".join(LINES[:3])
    for cut in range(len(LINES[0]), len(content), 7):
        path = written(tmp_path, content[:cut])
        kept = read(path)
        journal = Journal.resume(path, len(kept) + 1)
        journal.append([MARK])
        journal.close()
        assert read(path) == [*kept, MARK]


def test_a_torn_line_longer_than_a_block_is_cut_off_too(tmp_path: Path) -> None:
    path = written(tmp_path, LINES[0] + b"x" * 200_000)
    Journal.resume(path, 2).close()
    assert path.read_bytes() == LINES[0]


def test_going_on_with_the_wrong_number_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, b"".join(LINES[:3]))
    for wrong in (1, 3, 5):
        with pytest.raises(JournalDamaged):
            Journal.resume(path, wrong)


# --- damage ----------------------------------------------------------------------------------------------------------


@given(place=st.integers(0, len(b"".join(LINES[:6])) - 2), bit=st.integers(0, 7))
def test_a_flipped_bit_is_never_read_as_something_else(
    tmp_path_factory: pytest.TempPathFactory, place: int, bit: int
) -> None:
    flipped = bytearray(b"".join(LINES[:6]))
    flipped[place] ^= 1 << bit
    path = written(tmp_path_factory.getbasetemp(), bytes(flipped))
    with pytest.raises(JournalDamaged, match=r"journal\.ndjson:\d+: .*\(byte \d+\)"):
        read(path)


def test_a_flipped_last_newline_is_a_torn_line(tmp_path: Path) -> None:
    path = written(tmp_path, b"".join(LINES[:3])[:-1] + b"\x0b")
    assert read(path) == list(RECORDS[:2])


@pytest.mark.parametrize(
    "lines",
    [
        [0, 1, 1, 2],
        [0, 2, 3],
        [0, 2, 1, 3],
        [1, 2, 3],
        [0, 0],
    ],
    ids=["twice", "missing", "swapped", "no first", "first twice"],
)
def test_lines_out_of_order_are_found(tmp_path: Path, lines: list[int]) -> None:
    path = written(tmp_path, b"".join(LINES[number] for number in lines))
    with pytest.raises(JournalDamaged, match="missing or there twice"):
        read(path)


@pytest.mark.parametrize("junk", [b"\n", b"{}\n", b"not json\n", b"\x00" * 40 + b"\n"])
def test_junk_between_lines_is_found_with_its_place(tmp_path: Path, junk: bytes) -> None:
    path = written(tmp_path, LINES[0] + junk + LINES[1])
    with pytest.raises(JournalDamaged, match=rf"journal\.ndjson:2: .*\(byte {len(LINES[0])}\)"):
        read(path)


def test_what_comes_before_the_damage_is_read_first(tmp_path: Path) -> None:
    records = read_journal(written(tmp_path, LINES[0] + b"junk\n"))
    assert next(records) == (1, RECORDS[0])
    with pytest.raises(JournalDamaged):
        next(records)


def test_a_newer_version_is_told_as_such(tmp_path: Path) -> None:
    path = written(tmp_path, encode_lines([run_started(3, journal=2)], 1))
    with pytest.raises(StateError, match="written by a newer version") as raised:
        read(path)
    assert not isinstance(raised.value, JournalDamaged)
    assert raised.value.exit_code is ExitCode.STATE_UNUSABLE


class Hologram(msgspec.Struct, tag_field="record", tag="hologram_seen"):
    journal: int


def test_an_unknown_record_under_this_version_is_damage_and_under_a_newer_one_is_not(tmp_path: Path) -> None:
    with pytest.raises(JournalDamaged, match="hologram_seen"):
        read(written(tmp_path, encode_lines([Hologram(1)], 1)))
    with pytest.raises(StateError, match="newer version"):
        read(written(tmp_path, encode_lines([Hologram(9)], 1)))


def test_a_journal_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StateError, match=r"journal\.ndjson: cannot read"):
        read(tmp_path / "journal.ndjson")


# --- a disk that fails -----------------------------------------------------------------------------------------------


class Disk:
    """Fails at the n-th fsync, and counts."""

    def __init__(self, fails_at: int) -> None:
        self.fails_at = fails_at
        self.syncs = 0
        self.writes = 0

    def write(self, handle: int, data: bytes) -> None:
        self.writes += 1
        os.write(handle, data)

    def sync(self, _handle: int) -> None:
        self.syncs += 1
        if self.syncs == self.fails_at:
            raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_after_a_failed_fsync_nothing_is_ever_written_again(tmp_path: Path) -> None:
    path, disk = tmp_path / "journal.ndjson", Disk(fails_at=2)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    journal = Journal(handle, path, 1, write=disk.write, sync=disk.sync)
    journal.append(RECORDS[:1])
    for _ in range(3):
        with pytest.raises(StateError, match="Input/output error") as raised:
            journal.append(RECORDS[1:2])
        assert raised.value.hint is not None
        assert "disk fails" in raised.value.hint
    journal.close()
    assert (disk.writes, disk.syncs) == (2, 2)


def test_a_full_disk_names_the_journal_and_says_what_to_do() -> None:
    journal = Journal(os.open("/dev/full", os.O_WRONLY), Path("/dev/full"), 1)
    with pytest.raises(StateError, match="/dev/full: cannot write to the journal: No space left") as raised:
        journal.append(RECORDS[:1])
    assert raised.value.exit_code is ExitCode.STATE_UNUSABLE
    assert raised.value.hint is not None
    assert "free some space" in raised.value.hint
    journal.close()


FILL = """
import resource, signal, sys
from pathlib import Path
from orchestrator.errors import StateError
from orchestrator.model.record.record import CommandIgnored
from orchestrator.tracker.journal.file import Journal
from datetime import UTC, datetime
record = CommandIgnored(at=datetime(2026, 3, 1, tzinfo=UTC), command=1, why="x" * 300)
journal = Journal.create(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
appended = 0
try:
    while True:
        journal.append([record])
        appended += 1
except StateError as error:
    print(appended, error, error.hint)
"""


def test_a_file_that_may_not_grow_keeps_every_record_that_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "journal.ndjson"
    done = subprocess.run([sys.executable, "-c", FILL, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("2 ")
    assert "File too large" in done.stdout
    assert path.stat().st_size == 1000  # the short write before the refusal is a torn line
    assert len(read(path)) == 2
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 1000


@pytest.mark.parametrize("what", ["deleted", "moved", "replaced"])
def test_a_journal_that_is_gone_takes_nothing_any_more(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    path = folder / "journal.ndjson"
    journal = Journal.create(path)
    journal.append(RECORDS[:1])
    if what == "moved":
        folder.rename(tmp_path / "elsewhere")
    else:
        path.unlink()
    if what == "replaced":
        path.write_bytes(b"")
    with pytest.raises(StateError):
        journal.append(RECORDS[1:2])
    journal.close()


def test_a_read_only_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="cannot make the journal"):
        Journal.create(Path("/proc/journal.ndjson"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "more", [b'"more":' + b"[" * 1_100 + b"]" * 1_100, b'"more":' + b'{"a":' * 1_100, b'"run_id":"\xff"']
)
def test_a_line_that_a_stranger_wrote_with_the_right_checksum_is_damage(tmp_path: Path, more: bytes) -> None:
    head = LINES[0][: LINES[0].rindex(b',"crc"')] + b"," + more
    path = written(tmp_path, b'%b,"crc":"%08x"}\n' % (head, crc32(head)))
    with pytest.raises(JournalDamaged, match=r"journal\.ndjson:1: unknown content"):
        read(path)
