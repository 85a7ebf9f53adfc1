"""What other runs and other fleets of the same state know of a proxy. Writes nothing.

Damage in a neighbour's journal is an error here too: what cannot be read might be open.
"""

from collections.abc import Collection, Container, Iterator

from orchestrator.model.learned.elsewhere import Elsewhere
from orchestrator.model.plan.plan import Scope
from orchestrator.model.record.outcome import FAILED_BEFORE, Outcome
from orchestrator.model.record.record import Record, Reverified, RunStarted, Settled
from orchestrator.model.run.run import Run
from orchestrator.tracker.runs.recovery import latest_run, recover
from orchestrator.tracker.state_store import Fleet, StoredRun


def open_elsewhere(fleet: Fleet, proxy_ids: Container[str], *, or_about_to_be: bool = True) -> dict[str, Elsewhere]:
    """Which of these proxies are open in another fleet of the same state, and in which run of which.

    Args:
        fleet: the one that asks.
        proxy_ids: its proxies; a set or a mapping, for it is asked for every proxy of the other fleets, and only then.
        or_about_to_be: those too that a process is yet to send: it may have read their versions already.

    Raises:
        StateError: a run that has not ended cannot be read.
    """
    found = {}
    for other, run in _neighbours(fleet):
        if _shares(run, proxy_ids):
            worked_on = or_about_to_be and other.holder() is not None
            folded = recover(run).run
            still_open = {state.key for state in folded.open_states()}
            for key in _in_hand(folded, worked_on=worked_on):
                if key in proxy_ids:
                    found[key] = Elsewhere(other.name, run.run_id, key in still_open)
    return found


def busy_neighbour(fleet: Fleet, scopes: Collection[Scope]) -> str | None:
    """Another fleet of the same state that has something open in one of these projects, or is about to.

    For a fleet whose proxies are not known yet, as before its first discovery. What it is asked for may be none of
    them.

    Raises:
        StateError: a run that has not ended cannot be read.
    """
    for other, run in _neighbours(fleet):
        near = {each.name for each in run.plan().scopes if any(_same_project(each, scope) for scope in scopes)}
        if near:
            folded = recover(run).run
            in_hand = _in_hand(folded, worked_on=other.holder() is not None)
            if any(folded.targets[key].scope in near for key in in_hand):
                return other.name
    return None


def _neighbours(fleet: Fleet) -> Iterator[tuple[Fleet, StoredRun]]:
    """The other fleets of the same state whose latest run has not ended, each with that run."""
    for other in fleet.state.fleets():
        run = latest_run(other) if other.name != fleet.name else None
        if run is not None and not run.has_ended():
            yield other, run


def _same_project(one: Scope, other: Scope) -> bool:
    """Whether two scopes may be the same project; one that is to be looked up may be any of its region."""
    unknown = None in (one.project_id, other.project_id)
    return one.region == other.region and (unknown or one.project_id == other.project_id)


def _shares(run: StoredRun, proxy_ids: Container[str]) -> bool:
    return any(target.proxy_id in proxy_ids for target in run.targets())


def _in_hand(run: Run, *, worked_on: bool) -> list[str]:
    """Targets that are open; when a process works on the run, those too that it has yet to send."""
    if worked_on:
        return [key for key in run.targets if run.states.outcome(key) is None]
    return [state.key for state in run.open_states()]


def last_outcomes(fleet: Fleet, before_run: str | None = None) -> dict[str, tuple[Outcome, str]]:
    """The last outcome of every proxy that a fleet has settled, with the version it was to be upgraded to.

    A run that left a proxy out for its earlier failure, or never came to it, tells nothing new of it: the outcome of
    the run before stays.

    Args:
        fleet: the one that asks.
        before_run: run_id of the first run that does not count; None for all that there are.

    Raises:
        StateError: a run cannot be read.
    """
    last: dict[str, tuple[Outcome, str]] = {}
    for run in fleet.runs():
        if before_run is not None and run.run_id >= before_run:
            break
        _fold_outcomes(run.outcomes(), last)
    return last


def tells_nothing(record: Settled, *, known: bool) -> bool:
    """Whether a run only left a proxy out, of which an earlier run knew better."""
    return known and (record.outcome is Outcome.NOT_STARTED or record.reason == FAILED_BEFORE)


def _fold_outcomes(records: Iterator[Record], last: dict[str, tuple[Outcome, str]]) -> None:
    version = ""
    for record in records:
        match record:
            case RunStarted():
                version = record.target_version
            case Settled(target=str(key)) if not tells_nothing(record, known=key in last):
                last[key] = (record.outcome, version)
            case Reverified(target=str(key), healthy=False):
                last[key] = (Outcome.FAILED, version)
            case _:
                pass
