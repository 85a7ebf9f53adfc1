"""What the journal tells that nobody was told of: read at the start of a session, from where the last one had ended."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from orchestrator.app.notify.box import STALE, Box, read_box
from orchestrator.app.notify.what_to_tell import Signal, Signals
from orchestrator.errors import StateError
from orchestrator.model.run.run import Run
from orchestrator.tracker.runs.recovery import Recovered, recover
from orchestrator.tracker.state_store import StoredRun


def open_box(recovered: Recovered) -> Box:
    """The fleet's box; a new one knows nothing of what was before.

    Raises:
        StateError: it cannot be read.
    """
    found = read_box(recovered.stored.fleet.notices())
    return found or Box(run_id=recovered.run_id, through=recovered.next_seq - 1)


def unread(box: Box, recovered: Recovered, now: datetime) -> Iterator[tuple[Signal, StoredRun, Run]]:
    """The signals of records that a session wrote and did not come to tell of, each with its run as it stands.

    An earlier run that cannot be read keeps nobody from what is to be told of this one.
    """
    for stored in recovered.stored.fleet.runs():
        if box.run_id <= stored.run_id <= recovered.run_id:
            after = box.through if stored.run_id == box.run_id else 0
            with suppress(StateError):
                yield from _unread_of(stored, after, recovered, now)


def _unread_of(
    stored: StoredRun, after: int, recovered: Recovered, now: datetime
) -> list[tuple[Signal, StoredRun, Run]]:
    signals = Signals()
    found = [signal for _, record in stored.records(after) for signal in signals.of(record)]
    recent = [signal for signal in found if now - signal.at < STALE]
    if not recent:
        return []
    run = recovered.run if stored.run_id == recovered.run_id else recover(stored).run
    return [(signal, stored, run) for signal in recent]
