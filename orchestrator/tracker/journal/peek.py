"""What the bytes of a journal tell without being decoded, where decoding all of them would take too long.

Quotation marks within a string are escaped in JSON. So a name in quotation marks before a colon is found only where it
is a key, whatever the cloud or a person has said.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from orchestrator.model.record.record import Record
from orchestrator.pattern import pattern
from orchestrator.tracker.disk import guard, open_to_read
from orchestrator.tracker.journal.file import decode_record
from orchestrator.tracker.journal.line import Line, read_lines
from orchestrator.tracker.journal.search import LineSearch

#: Stands in every line that names a workflow.
NAMES_A_WORKFLOW = b'"workflow_id":"'
_WORKFLOW = pattern(rb'"workflow_id":"([^"\\]+)"')
# Ids in an answer that belong to another question: it does not show whose they are.
_STRAYS, _QUOTED = pattern(rb'"strays":\[([^\[\]]*)\]'), pattern(rb'"([^"\\]+)"')
_ENDED = b'"record":"run_ended"'
_OUTCOMES = tuple(
    b'"record":"%b"' % name
    for name in (
        *(b"settled", b"reverified", b"run_started", b"outcome_kept", b"session_started", b"fleet_claimed"),
        *(b"hold_set", b"hold_released", b"wave_approved", b"limits_changed"),
    )
)
_LAST_BYTES = 1 << 14
# The records of the run itself, and whose any other is.
_OF_THE_RUN, _TARGET = b'"target":null', pattern(rb'"target":("[^"\\]+")')


def workflows_in(line: Line) -> Iterator[str]:
    """Every workflow_id that a line names, but for those of another question; in small letters, to compare with."""
    named = all_workflows(line.content)
    strays = stray_workflows(line.content) if named else ()
    yield from (found.decode().lower() for found in named if found not in strays)


def target_of(line: Line) -> str:
    """The target that a line is about; empty for one of the run itself."""
    found = _TARGET.search(line.content)
    return found.group(1).decode()[1:-1] if found else ""


def all_workflows(content: bytes) -> list[bytes]:
    """Every workflow_id that a record names, also those of others."""
    return _WORKFLOW.findall(content)


def stray_workflows(content: bytes) -> set[bytes]:
    """Those of them that belong to another question."""
    return {stray for found in _STRAYS.findall(content) for stray in _QUOTED.findall(found)}


def outcome_records(path: Path) -> Iterator[Record]:
    """The records of a journal that tell outcomes, who began what, and what holds; the others are not even decoded.

    Raises:
        StateError: it cannot be read.
    """
    for line in read_lines(path):
        if any(name in line.content for name in _OUTCOMES):
            yield decode_record(path, line)


def records_about(path: Path, proxy_id: str) -> Iterator[tuple[int, Record]]:
    """The records of the run itself and those of one proxy, with their numbers; the others are only counted.

    A workflow that two answers name is neither target's for certain. So the records of a target that shares a workflow
    with the proxy are among them, and of one that shares one with that target. The file is searched for what was found
    in it until no further name is found: twice as a rule.

    Raises:
        StateError: it cannot be read.
    """
    search, found = LineSearch(path), dict[int, Line]()
    names, marks = set[bytes](), {_OF_THE_RUN, msgspec.json.encode(proxy_id)}
    while marks:
        new = [line for line in search.lines(marks) if any(mark in line.content for mark in marks)]
        found |= {line.number: line for line in new}
        names |= marks
        marks = {name for line in new for name in _names_in(line)} - names
    yield from ((number, decode_record(path, found[number])) for number in sorted(found))


def _names_in(line: Line) -> Iterator[bytes]:
    """The target of a line and the workflows in it, in their quotation marks."""
    yield from _TARGET.findall(line.content)
    yield from (b'"%b"' % found for found in all_workflows(line.content))


def says_ended(path: Path) -> bool:
    """Whether the end of a run is among the last lines of its journal, without reading the rest.

    Raises:
        StateError: the journal cannot be read.
    """
    with guard(path, "read"), open_to_read(path) as file:
        file.seek(max(0, path.stat().st_size - _LAST_BYTES))
        return _ENDED in file.read().rpartition(b"\n")[0]
