"""A fleet between two sessions: find its unfinished run or begin a new one, on disk, under the fleet's lock."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from orchestrator import __version__
from orchestrator.app.run.known_before import LastOutcomes, earlier_outcomes, left_out
from orchestrator.errors import PlanError, UsageError
from orchestrator.model.outcome import Outcome
from orchestrator.model.plan import Plan
from orchestrator.model.record import (
    HoldSet,
    OutcomeKept,
    Record,
    RunEnded,
    RunStarted,
    ScopeUsed,
    Settled,
)
from orchestrator.model.run import Run
from orchestrator.model.target import Target
from orchestrator.tracker.journal.file import Journal
from orchestrator.tracker.paths import JOURNAL, latest_run, list_runs, new_run_id
from orchestrator.tracker.report.build import build_report
from orchestrator.tracker.report.schema import TargetReport
from orchestrator.tracker.runs.folder import create_run
from orchestrator.tracker.runs.other_runs import last_outcomes, one_begins, open_elsewhere
from orchestrator.tracker.runs.recovery import Recovered, recover
from orchestrator.tracker.runs.settings import changes_between


@dataclass(frozen=True, slots=True)
class Opened:
    """A run that a session takes up.

    Attributes:
        recovered: the run as its journal tells it.
        changes: what changed in the plan so that a new run is needed.
        taken: what other fleets have open by now of what waits here.
    """

    recovered: Recovered
    changes: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()

    @property
    def barred(self) -> str | None:
        """Why nothing may start, so that only what is open is followed; None when all may go on."""
        if self.changes:
            return "the plan was changed, which needs --new"
        return "what waits is open in another fleet" if self.taken else None


def unfinished_run(folder: Path) -> Recovered | None:
    """The fleet's latest run, if it has not ended.

    Raises:
        StateError: its folder cannot be read.
    """
    latest = latest_run(folder)
    recovered = None if latest is None else recover(latest)
    return None if recovered is None or recovered.run.ended else recovered


def take_up(recovered: Recovered, plan: Plan, state: Path) -> Opened:
    """An unfinished run, and what speaks against starting anything more in it.

    Raises:
        StateError: a neighbour's run cannot be read.
    """
    return Opened(recovered, tuple(changes_between(recovered.plan, plan)), tuple(_taken_elsewhere(recovered, state)))


def _taken_elsewhere(recovered: Recovered, state: Path) -> Iterator[str]:
    """Proxies that wait here and are open in another fleet: it has begun a run since the last session."""
    fleet = recovered.folder.parent.parent.name
    ids = {target.proxy_id for target in _waiting(recovered.run)}
    elsewhere = open_elsewhere(state, fleet, ids, or_about_to_be=False)
    for proxy_id, (neighbour, run_id) in elsewhere.items():
        yield f"proxy {proxy_id} is open in run {run_id} of fleet {neighbour}"


def end_run(recovered: Recovered, now: datetime) -> None:
    """End a run for `--new`: what waits becomes `not_started`.

    Raises:
        PlanError: something of it is open.
    """
    run = recovered.run
    open_ids = [state.key for state in run.open_states()]
    if open_ids:
        raise PlanError(
            f"--new: {len(open_ids)} targets of run {recovered.folder.name} are still open: {', '.join(open_ids[:3])}",
            hint="run without --new until they have ended, or decide them with settle",
        )
    records: list[Record] = [_not_started(run, target, now) for target in _waiting(run)]
    records.append(RunEnded(at=now, why="superseded"))
    journal = Journal.resume(recovered.folder / JOURNAL, recovered.next_seq)
    try:
        journal.append(records)
    finally:
        journal.close()
    for record in records:
        run.apply(record)


def _waiting(run: Run) -> Iterable[Target]:
    return [target for target in run.targets.values() if run.standing(target.proxy_id) == "waiting"]


def _not_started(run: Run, target: Target, now: datetime) -> Settled:
    gone = run.scopes[target.scope].given_up is not None
    reason = "scope_unusable" if gone else "superseded"
    return Settled(at=now, target=target.proxy_id, outcome=Outcome.NOT_STARTED, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What a new run needs beside its plan and targets.

    Attributes:
        suffix: makes the run_id unique.
        simulated: the cloud is a new one each time, so nothing of earlier runs holds there.
        only: take only the targets whose last outcome was one of these; the others keep theirs. None for all.
        spent: what discovery used of each scope, which counts as used by the run.
    """

    state: Path
    folder: Path
    now: datetime
    suffix: str
    simulated: bool = False
    only: frozenset[Outcome] | None = None
    spent: tuple[ScopeUsed, ...] = ()


def begin_run(plan: Plan, targets: Sequence[Target], beginning: Beginning) -> Recovered:
    """Make the folder and the first records of a new run.

    Raises:
        PlanError: a proxy is open in another fleet.
        StateError: the state folder cannot be written.
    """
    with one_begins(beginning.state):
        _refuse_open_elsewhere(targets, beginning)
        return _begin(plan, targets, beginning)


def _begin(plan: Plan, targets: Sequence[Target], beginning: Beginning) -> Recovered:
    before = _previous(beginning.folder)
    last = last_outcomes(beginning.folder)
    taken, kept = _taken(targets, last, before, beginning)
    folder, journal = create_run(beginning.folder, plan, taken, _started(plan, taken, before, beginning))
    held = [] if beginning.simulated else _carried_hold(before, beginning.now)
    known = [] if beginning.simulated else [*earlier_outcomes(plan, taken, last, beginning.folder, beginning.now)]
    failed = [] if beginning.only or beginning.simulated else left_out(plan, taken, last, beginning.now)
    records = [*beginning.spent, *kept, *held, *known, *failed]
    try:
        if records:
            journal.append(records)
    finally:
        journal.close()
    return recover(folder)


def _started(plan: Plan, targets: Sequence[Target], before: Recovered | None, beginning: Beginning) -> RunStarted:
    known = {*before.run.rejects, *before.run.known_rejects} if before else set()
    return RunStarted(
        at=beginning.now,
        run_id=new_run_id(beginning.folder, beginning.now, beginning.suffix),
        name=plan.name,
        target_version=plan.target_version,
        plan_sha256=plan.sha256,
        simulated=beginning.simulated,
        targets=len(targets),
        waves=tuple(wave.name for wave in plan.waves),
        orchestrator_version=__version__,
        commands_seen=before.run.commands_seen if before else 0,
        known_rejects=tuple(sorted(known)),
    )


def _taken(
    targets: Sequence[Target], last: LastOutcomes, before: Recovered | None, beginning: Beginning
) -> tuple[list[Target], list[Record]]:
    """The targets of the new run, and what the others keep."""
    if beginning.only is None or before is None:
        if beginning.only is not None:
            raise UsageError("--only-outcome: there is no earlier run whose outcomes could be meant")
        return list(targets), []
    taken: list[Target] = []
    kept: list[Record] = []
    entries = _last_entries(beginning.folder, last)
    for target in targets:
        known = last.get(target.proxy_id)
        if known is not None and known[0] in beginning.only:
            taken.append(target)
        elif known is not None and target.proxy_id in entries:
            kept.append(_keep(entries[target.proxy_id], known[0], len(taken), beginning.now))
    if not taken:
        wanted = ", ".join(sorted(outcome.value for outcome in beginning.only))
        raise UsageError(f"--only-outcome: no target of the plan has the last outcome {wanted}")
    return taken, kept


def _last_entries(folder: Path, last: LastOutcomes) -> dict[str, TargetReport]:
    """What the report says of each proxy where it took its last outcome; a later run may just have left it out."""
    entries: dict[str, TargetReport] = {}
    for run in reversed(list_runs(folder)):
        if len(entries) == len(last):
            break
        recovered = recover(run)
        for entry in build_report(recovered.run, recovered.in_force).targets:
            if entry.proxy_id in last and entry.outcome == last[entry.proxy_id][0].value:
                entries.setdefault(entry.proxy_id, entry)
    return entries


def _keep(entry: TargetReport, outcome: Outcome, position: int, now: datetime) -> OutcomeKept:
    raw = msgspec.Raw(msgspec.json.encode(entry))
    return OutcomeKept(at=now, target=entry.proxy_id, outcome=outcome, position=position, entry=raw)


def _previous(folder: Path) -> Recovered | None:
    latest = latest_run(folder)
    return None if latest is None else recover(latest)


def _carried_hold(before: Recovered | None, now: datetime) -> list[Record]:
    """A hold survives runs."""
    if before is None or before.run.hold is None:
        return []
    hold = before.run.hold
    return [
        HoldSet(
            at=now,
            step="hold",
            cause="person" if hold.cause == "approval" else hold.cause,
            reason=hold.reason,
            by=hold.by,
            note=hold.note,
            proxy_ids=hold.proxy_ids,
        )
    ]


def _refuse_open_elsewhere(targets: Sequence[Target], beginning: Beginning) -> None:
    ids: Collection[str] = {target.proxy_id for target in targets}
    elsewhere = open_elsewhere(beginning.state, beginning.folder.name, ids)
    if elsewhere:
        proxy_id, (fleet, run_id) = next(iter(elsewhere.items()))
        raise PlanError(
            f"{len(elsewhere)} targets are open in another fleet, or about to be: "
            f"{proxy_id} in run {run_id} of fleet {fleet}",
            hint=f"let fleet {fleet} end what it began, then run again",
        )
