"""What the journal tells that nobody was told of: read at the start of a session, from where the last one had ended."""

from collections.abc import Iterator
from datetime import datetime

from orchestrator.app.notify.box import STALE, Box, read_box
from orchestrator.app.notify.what_to_tell import Signal, Signals
from orchestrator.model.run import Run
from orchestrator.tracker.runs.recovery import Recovered, recover
from orchestrator.tracker.state import StoredRun


def open_box(recovered: Recovered) -> Box:
    """The fleet's box; a new one knows nothing of what was before.

    Raises:
        StateError: it cannot be read.
    """
    found = read_box(recovered.stored.fleet.notices())
    return found or Box(run_id=recovered.run_id, through=recovered.next_seq - 1)


def unread(box: Box, recovered: Recovered, now: datetime) -> Iterator[tuple[Signal, StoredRun, Run]]:
    """The signals of records that a session wrote and did not come to tell of, each with its run as it stands.

    Raises:
        StateError: a run cannot be read.
    """
    for stored in recovered.stored.fleet.runs():
        if not box.run_id <= stored.run_id <= recovered.run_id:
            continue
        after = box.through if stored.run_id == box.run_id else 0
        signals = [each for each in _signals(stored, after) if now - each.at < STALE]
        if signals:
            run = recovered.run if stored.run_id == recovered.run_id else recover(stored).run
            yield from ((each, stored, run) for each in signals)


def _signals(stored: StoredRun, after: int) -> Iterator[Signal]:
    signals = Signals()
    for _, record in stored.records(after):
        yield from signals.of(record)
