"""What other runs and other fleets of the same state folder know of a proxy. Writes nothing.

Damage in a neighbour's journal is an error here too: what cannot be read might be open.
"""

import fcntl
import os
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from math import ceil
from pathlib import Path
from threading import Event

import msgspec

from orchestrator.errors import StateError
from orchestrator.lock import holder
from orchestrator.model.outcome import FAILED_BEFORE, Outcome
from orchestrator.model.record import Record, Reverified, RunStarted, Settled
from orchestrator.model.run import Run
from orchestrator.tracker.disk import guard, open_private, open_to_read
from orchestrator.tracker.journal.line import decode_line, read_lines
from orchestrator.tracker.paths import BEGIN, JOURNAL, LOCK, fleets, latest_run, list_runs
from orchestrator.tracker.runs.folder import load_frozen_targets
from orchestrator.tracker.runs.recovery import recover

# Quotation marks within a string are escaped in JSON, so these bytes are found only where they are a key.
_WORKFLOW = re.compile(rb'"workflow_id":"([^"\\]+)"')
# Ids in an answer that belong to another question: it does not show whose they are.
_STRAYS, _QUOTED = re.compile(rb'"strays":\[([^\[\]]*)\]'), re.compile(rb'"([^"\\]+)"')
_ENDED = b'"record":"run_ended"'
_OUTCOMES = (b'"record":"settled"', b'"record":"reverified"', b'"record":"run_started"')
_LAST_BYTES = 1 << 14
_PAUSE_S = 0.1

_decoder: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)


def open_elsewhere(
    state: Path, fleet: str, proxy_ids: Collection[str], *, or_about_to_be: bool = True
) -> dict[str, tuple[str, str]]:
    """Which of these proxies are open in another fleet of the state folder, with that fleet and its run_id.

    Args:
        state: the state folder.
        fleet: the one that asks.
        proxy_ids: its proxies; a set or a mapping, for it is asked for every proxy of the other fleets.
        or_about_to_be: those too that a process is yet to send: it may have read their versions already.

    Raises:
        StateError: a run that has not ended cannot be read.
    """
    found = {}
    for folder in fleets(state):
        run = latest_run(folder) if folder.name != fleet else None
        if run is not None and not has_ended(run) and _shares(run, proxy_ids):
            worked_on = or_about_to_be and holder(folder / LOCK) is not None
            for key in _in_hand(recover(run).run, worked_on=worked_on):
                if key in proxy_ids:
                    found[key] = (folder.name, run.name)
    return found


@contextmanager
def one_begins(state: Path, *, patience_s: float = 60.0) -> Iterator[None]:
    """Let one fleet of a state folder at a time begin a run: of two that share a proxy, the second sees the first.

    Args:
        state: the state folder.
        patience_s: how long to wait for one that is beginning.

    Raises:
        StateError: the state folder cannot be used, or another start does not come to its end.
    """
    path = state / BEGIN
    with guard(path, "write"):
        handle = open_private(path, os.O_RDWR | os.O_CREAT)
    try:
        _wait_for(handle, path, patience_s)
        yield
    finally:
        os.close(handle)


def _wait_for(handle: int, path: Path, patience_s: float) -> None:
    never = Event()
    for _ in range(max(1, ceil(patience_s / _PAUSE_S))):
        with guard(path, "lock"), suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        never.wait(_PAUSE_S)
    raise StateError(
        f"{path}: another fleet has been beginning a run for {patience_s:g} s",
        hint="see which process holds this file and does not come to its end, then run again",
    )


def _in_hand(run: Run, *, worked_on: bool) -> list[str]:
    """Targets that are open; when a process works on the run, those too that it has yet to send."""
    if worked_on:
        return [key for key in run.targets if key not in run.states or run.states[key].outcome is None]
    return [state.key for state in run.open_states()]


class Workflows:
    """Every workflow_id in the journals of every run and fleet of a state folder; other processes go on writing there.

    Args:
        state: the state folder.
    """

    def __init__(self, state: Path) -> None:
        self._state = state
        self._known: frozenset[str] = frozenset()
        self._ends: dict[Path, tuple[int, int]] = {}

    def known(self) -> frozenset[str]:
        """All of them as of now. Asking again reads only what was written since.

        Raises:
            StateError: a journal cannot be read.
        """
        new = {workflow for folder in fleets(self._state) for run in list_runs(folder) for workflow in self._new(run)}
        if not new <= self._known:
            self._known |= new
        return self._known

    def _new(self, run: Path) -> Iterator[str]:
        path = run / JOURNAL
        start, number = self._ends.get(path, (0, 0))
        if start and not path.exists():  # an old run is being moved away; what it said is known
            return
        with guard(path, "read"):
            if path.stat().st_size == start:
                return
        for line in read_lines(path, start=start, after=number):
            self._ends[path] = line.end, line.number
            strays = {stray for found in _STRAYS.findall(line.content) for stray in _QUOTED.findall(found)}
            yield from (found.decode() for found in _WORKFLOW.findall(line.content) if found not in strays)


def last_outcomes(folder: Path, before_run: str | None = None) -> dict[str, tuple[Outcome, str]]:
    """The last outcome of every proxy that a fleet has settled, with the version it was to be upgraded to.

    A run that left a proxy out for its earlier failure, or never came to it, tells nothing new of it: the outcome of
    the run before stays.

    Args:
        folder: of the fleet.
        before_run: run_id of the first run that does not count; None for all that there are.

    Raises:
        StateError: a journal cannot be read.
    """
    last: dict[str, tuple[Outcome, str]] = {}
    for run in list_runs(folder):
        if before_run is not None and run.name >= before_run:
            break
        _fold_outcomes(run / JOURNAL, last)
    return last


def outcome_records(journal: Path) -> Iterator[Record]:
    """The records of a journal that tell outcomes, and the start of its run; the others are not even decoded.

    Raises:
        StateError: it cannot be read.
    """
    for line in read_lines(journal):
        if any(name in line.content for name in _OUTCOMES):
            yield decode_line(_decoder, journal, line)


def tells_nothing(record: Settled, *, known: bool) -> bool:
    """Whether a run only left a proxy out, of which an earlier run knew better."""
    return known and (record.outcome is Outcome.NOT_STARTED or record.reason == FAILED_BEFORE)


def has_ended(run: Path) -> bool:
    """Whether the end of a run is among the last lines of its journal, without reading the rest.

    Raises:
        StateError: the journal cannot be read.
    """
    path = run / JOURNAL
    with guard(path, "read"), open_to_read(path) as file:
        file.seek(max(0, path.stat().st_size - _LAST_BYTES))
        return _ENDED in file.read().rpartition(b"\n")[0]


def _shares(run: Path, proxy_ids: Collection[str]) -> bool:
    return any(target.proxy_id in proxy_ids for target in load_frozen_targets(run))


def _fold_outcomes(path: Path, last: dict[str, tuple[Outcome, str]]) -> None:
    version = ""
    for record in outcome_records(path):
        match record:
            case RunStarted():
                version = record.target_version
            case Settled(target=str(key)) if not tells_nothing(record, known=key in last):
                last[key] = (record.outcome, version)
            case Reverified(target=str(key), healthy=False):
                last[key] = (Outcome.FAILED, version)
            case _:
                pass
