"""Searching a journal in raw blocks finds the lines that reading all of it finds, and looks at no other."""

from pathlib import Path

import pytest
from fakes.plausible import PlausibleRun

from orchestrator.errors import JournalDamaged
from orchestrator.tracker.journal import search
from orchestrator.tracker.journal.line import Line, encode_lines, read_lines
from orchestrator.tracker.journal.search import LineSearch, find_lines

LIVE = PlausibleRun(5, count=4).steps(30)
CONTENT = encode_lines(LIVE.records, 1)
LINES = CONTENT.splitlines(keepends=True)
KEY = b'"%b"' % LIVE.targets[1].proxy_id.encode()


def written(folder: Path, content: bytes) -> Path:
    path = folder / "journal.ndjson"
    path.write_bytes(content)
    return path


def with_any(path: Path, marks: list[bytes]) -> list[Line]:
    """By reading every line; the last one is always among them."""
    lines = list(read_lines(path))
    return [each for each in lines if each is lines[-1] or any(mark in each.content for mark in marks)]


@pytest.mark.parametrize("size", [2, 100, 1000, 1 << 20])
@pytest.mark.parametrize("marks", [[KEY], [b'"target":null'], [KEY, b'"target":null'], [b"\x00"], []])
def test_what_is_found_is_what_reading_every_line_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, marks: list[bytes]
) -> None:
    monkeypatch.setattr(search, "_BLOCK", size)
    path = written(tmp_path, CONTENT)
    assert find_lines(path, marks) == with_any(path, marks)


@pytest.mark.parametrize("cut", [1, 5, len(LINES[-1]) - 1])
def test_a_torn_line_is_left_out(tmp_path: Path, cut: int) -> None:
    path = written(tmp_path, CONTENT[:-cut])
    assert [each.number for each in find_lines(path, [])] == [len(LINES) - 1]


def test_an_empty_file_has_no_line(tmp_path: Path) -> None:
    assert find_lines(written(tmp_path, b""), [KEY]) == []


@pytest.mark.parametrize("lines", [LINES[:2] + LINES[3:], [*LINES[:3], *LINES[2:]], LINES[1:]])
def test_a_line_that_is_missing_or_there_twice_is_found_wherever_it_is(tmp_path: Path, lines: list[bytes]) -> None:
    with pytest.raises(JournalDamaged, match="missing or there twice"):
        find_lines(written(tmp_path, b"".join(lines)), [])


def test_a_byte_that_was_changed_in_a_line_that_is_found_is_damage(tmp_path: Path) -> None:
    where = CONTENT.index(KEY)
    damaged = CONTENT[: where - 20] + b"#" + CONTENT[where - 19 :]
    with pytest.raises(JournalDamaged, match="checksum"):
        find_lines(written(tmp_path, damaged), [KEY])


@pytest.mark.parametrize("mark", [KEY, b'"target":null', b"\x00"])
def test_lines_with_a_mark_are_read_and_the_others_are_checked(tmp_path: Path, mark: bytes) -> None:
    assert list(read_lines(written(tmp_path, CONTENT), mark=mark)) == with_any(tmp_path / "journal.ndjson", [mark])
    path = written(tmp_path, CONTENT.replace(b'"run_started"', b'"run_startet"'))
    with pytest.raises(JournalDamaged, match="checksum"):
        list(read_lines(path, mark=mark))


@pytest.mark.parametrize("size", [2, 1000, 1 << 20])
def test_a_second_search_finds_the_same_lines_by_their_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(search, "_BLOCK", size)
    path = written(tmp_path, CONTENT)
    searched = LineSearch(path)
    assert searched.lines([]) == list(read_lines(path))[-1:]
    assert searched.lines([KEY]) == [each for each in read_lines(path) if KEY in each.content]


def test_a_second_search_does_not_see_what_was_added_behind_the_first(tmp_path: Path) -> None:
    """Else a record would be there without one before it that it follows from."""
    path = written(tmp_path, b"".join(LINES[:-3]))
    searched = LineSearch(path)
    seen = searched.lines([b'"seq"'])
    path.write_bytes(CONTENT)
    assert searched.lines([b'"seq"']) == seen == list(read_lines(path))[:-3]
