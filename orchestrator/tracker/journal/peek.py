"""What the bytes of a journal tell without being decoded, where decoding all of them would take too long.

Quotation marks within a string are escaped in JSON. So a name in quotation marks before a colon is found only where it
is a key, whatever the cloud or a person has said.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from orchestrator.model.record import Record
from orchestrator.tracker.disk import guard, open_to_read
from orchestrator.tracker.journal.line import Line, decode_line, read_lines

_WORKFLOW = re.compile(rb'"workflow_id":"([^"\\]+)"')
# Ids in an answer that belong to another question: it does not show whose they are.
_STRAYS, _QUOTED = re.compile(rb'"strays":\[([^\[\]]*)\]'), re.compile(rb'"([^"\\]+)"')
_ENDED = b'"record":"run_ended"'
_OUTCOMES = (b'"record":"settled"', b'"record":"reverified"', b'"record":"run_started"')
_LAST_BYTES = 1 << 14

_decoder: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)


def workflows_in(line: Line) -> Iterator[str]:
    """Every workflow_id that a line names, but for those of another question."""
    strays = {stray for found in _STRAYS.findall(line.content) for stray in _QUOTED.findall(found)}
    yield from (found.decode() for found in _WORKFLOW.findall(line.content) if found not in strays)


def outcome_records(path: Path) -> Iterator[Record]:
    """The records of a journal that tell outcomes, and the start of its run; the others are not even decoded.

    Raises:
        StateError: it cannot be read.
    """
    for line in read_lines(path):
        if any(name in line.content for name in _OUTCOMES):
            yield decode_line(_decoder, path, line)


def says_ended(path: Path) -> bool:
    """Whether the end of a run is among the last lines of its journal, without reading the rest.

    Raises:
        StateError: the journal cannot be read.
    """
    with guard(path, "read"), open_to_read(path) as file:
        file.seek(max(0, path.stat().st_size - _LAST_BYTES))
        return _ENDED in file.read().rpartition(b"\n")[0]
