"""What all runs of a fleet say of its proxies: the tracker's part of an audit. Reads only."""

from collections.abc import Iterator

import msgspec

from orchestrator.model.learned.history import History, Known
from orchestrator.model.plan.target import Target
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import OutcomeKept, Reverified, RunStarted, Settled
from orchestrator.model.run.run import Run
from orchestrator.tracker.report.schema import TargetReport
from orchestrator.tracker.runs.other_runs import tells_nothing
from orchestrator.tracker.runs.recovery import latest_run, recover
from orchestrator.tracker.state_store import Fleet, StoredRun

_entry = msgspec.json.Decoder(TargetReport)


def read_history(fleet: Fleet) -> History | None:
    """The history of a fleet; None when it never ran.

    Args:
        fleet: whose history.

    Raises:
        StateError: a run cannot be read.
    """
    latest = latest_run(fleet)
    if latest is None:
        return None
    recovered = recover(latest)
    known: dict[str, Known] = {}
    for run in fleet.runs():
        _fold(run, known)
    return History(
        run_id=latest.run_id,
        target_version=recovered.plan.target_version,
        targets=(*recovered.run.targets.values(), *map(_kept, recovered.run.kept)),
        pending=dict(_pending(recovered.run)),
        known=known,
        stuck=frozenset(state.key for state in recovered.run.open_states() if state.needs_person),
    )


def _pending(run: Run) -> Iterator[tuple[str, str]]:
    if run.ended is None:
        settled = frozenset(outcome.value for outcome in Outcome)
        standings = ((proxy_id, run.standing(proxy_id)) for proxy_id in run.targets)
        yield from ((proxy_id, standing) for proxy_id, standing in standings if standing not in settled)


def _kept(record: OutcomeKept) -> Target:
    entry = _entry.decode(record.entry)
    return Target(scope=entry.scope, instance_id=entry.instance_id, proxy_id=entry.proxy_id, labels=entry.labels)


def _fold(run: StoredRun, known: dict[str, Known]) -> None:
    version = ""
    for record in run.outcomes():
        match record:
            case RunStarted():
                version = record.target_version
            case Settled(target=str(key)) if not tells_nothing(record, known=key in known):
                read = record.outcome is Outcome.SUCCEEDED and record.verified_version is not None
                found = known.setdefault(key, Known(outcome=record.outcome, run_id=run.run_id))
                found.take(record.outcome, run.run_id, version, read=read)
            case Reverified(target=str(key), healthy=False) if key in known:
                known[key].take(Outcome.FAILED, run.run_id, version, read=False)
            case _:
                pass
