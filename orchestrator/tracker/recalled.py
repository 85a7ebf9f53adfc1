"""What a store has kept of the fold of a run's first records."""

from collections.abc import Iterator
from typing import NamedTuple

from orchestrator.model.record.record import Record


class Recalled(NamedTuple):
    """What was kept of the fold of a run's first records: the number of the last one, the parts, the records behind it.

    Parts and records are read as they are asked for.
    """

    seq: int
    parts: Iterator[bytes]
    behind: Iterator[tuple[int, Record]]
