"""A run carried from one store to another, as it was written: the folder of files and the database hold the same."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice

from orchestrator.errors import JournalDamaged
from orchestrator.model.record.record import Record, RunStarted
from orchestrator.tracker.state_store import Fleet, StoredRun

#: Records that are written at once.
_GROUP = 1000


def copy_run(run: StoredRun, into: Fleet) -> StoredRun:
    """Write a run into another store, whose fleet must be locked.

    Raises:
        JournalDamaged: it is not what was written.
        StateError: it cannot be read or written, or is there already.
    """
    records = run.records()
    _, first = next(records, (0, None))
    if not isinstance(first, RunStarted):
        raise JournalDamaged(f"{run.place_of('journal', 1)}: the start of the run is not there")
    made = into.begin(run.plan(), run.targets(), first)
    next_seq = 2
    for group in _groups(record for _, record in records):
        with closing(made.resume(next_seq)) as journal:
            journal.append(group)
        next_seq += len(group)
    made.save_settings(run.settings())
    return made


def copy_commands(fleet: Fleet, into: Fleet) -> None:
    """Give the other one every command that it does not have: a run says how many of them it has seen.

    Raises:
        StateError: they cannot be read or written.
    """
    there = len(into.inbox().new())
    for _, command in fleet.inbox().new(there):
        into.give(command)
    notices = fleet.notices()
    if notices is not None:
        into.keep_notices(notices)


def _groups(records: Iterator[Record]) -> Iterator[Sequence[Record]]:
    while group := list(islice(records, _GROUP)):
        yield group
