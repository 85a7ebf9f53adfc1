"""A fleet between two sessions: find its unfinished run or begin a new one, under the fleet's lock."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import structs

from orchestrator import __version__
from orchestrator.app.run.found_before import latest_of, past_of
from orchestrator.app.run.held_before import SUPERSEDED, refuse_held
from orchestrator.app.run.kept_outcomes import kept_outcomes
from orchestrator.app.run.known_before import earlier_outcomes, left_out
from orchestrator.executor.decide.waits import Cause, Wait
from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.settings import changes_between
from orchestrator.model.plan.target import Target
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import (
    EarlierStarts,
    HoldSet,
    LimitsChanged,
    Record,
    RunEnded,
    RunStarted,
    ScopeUsed,
    Settled,
)
from orchestrator.model.run.run import Run
from orchestrator.planner.next_run import Asked, NextRun, StillWaiting, refuse_open, refused_elsewhere, waiting_in
from orchestrator.planner.next_run import beginning as beginning_run
from orchestrator.tracker.runs.orphans import refuse_orphan
from orchestrator.tracker.runs.other_runs import last_outcomes, open_elsewhere
from orchestrator.tracker.runs.recovery import Recovered, recover
from orchestrator.tracker.runs.run_id import new_run_id
from orchestrator.tracker.state_store import Fleet

#: A window lasts a day at most, and clocks are set: what is older than this is in none that is open.
_LONGEST_WINDOW = timedelta(days=2)

#: Number of the record that follows the start of a run.
_SECOND = 2


class Opened(msgspec.Struct, frozen=True):
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
    def barred(self) -> Wait | None:
        """Why nothing may start, so that only what is open is followed; None when all may go on."""
        if self.changes:
            return Wait(Cause.CHANGED, self.changes[:1])
        return Wait(Cause.ELSEWHERE, self.taken[:1]) if self.taken else None


def unfinished_run(fleet: Fleet) -> Recovered | None:
    """The fleet's latest run, if it has not ended.

    Raises:
        StateError: it cannot be read.
    """
    recovered = latest_of(fleet)
    return None if recovered is None or recovered.run.ended else recovered


def take_up(recovered: Recovered, plan: Plan) -> Opened:
    """An unfinished run, and what speaks against starting anything more in it.

    Raises:
        StateError: a neighbour's run cannot be read.
    """
    return Opened(recovered, tuple(changes_between(recovered.plan, plan)), tuple(_taken_elsewhere(recovered)))


def _taken_elsewhere(recovered: Recovered) -> Iterator[str]:
    """Proxies that wait here and are open in another fleet: it has begun a run since the last session."""
    waiting = StillWaiting(recovered.run)
    elsewhere = open_elsewhere(recovered.stored.fleet, waiting, or_about_to_be=False)
    yield from (each.of(proxy_id) for proxy_id, each in elsewhere.items())


def end_run(recovered: Recovered, now: datetime) -> None:
    """End a run for `--new`: what waits becomes `not_started`.

    Raises:
        PlanError: something of it is open.
    """
    run = recovered.run
    refuse_open(recovered.run_id, run)
    records: list[Record] = [_not_started(run, target, now) for target in waiting_in(run)]
    records.append(RunEnded(at=now, why=SUPERSEDED))
    with closing(recovered.stored.resume(recovered.next_seq)) as journal:
        journal.append(records)
    for record in records:
        run.apply(record)


def _not_started(run: Run, target: Target, now: datetime) -> Settled:
    gone = run.scopes[target.scope].given_up is not None
    reason = "scope_unusable" if gone else "superseded"
    return Settled(at=now, target=target.proxy_id, outcome=Outcome.NOT_STARTED, reason=reason)


class Beginning(msgspec.Struct, frozen=True, kw_only=True):
    """What a new run needs beside its plan and targets.

    Attributes:
        fleet: whose run it is.
        suffix: makes the run_id unique.
        simulated: the cloud is a new one each time, so nothing of earlier runs holds there.
        world: the options that made that cloud what it is.
        only: take only the targets whose last outcome was one of these; the others keep theirs. None for all.
        spent: what discovery used of each scope, which counts as used by the run.
        approved: SHA-256 of the saved preview that the run is bound to; empty for none.
        skipped: by proxy_id, reason and words of what is not to be upgraded, as a person has approved it.
    """

    fleet: Fleet
    now: datetime
    suffix: str
    simulated: bool = False
    world: tuple[str, ...] = ()
    only: frozenset[Outcome] | None = None
    spent: tuple[ScopeUsed, ...] = ()
    approved: str = ""
    skipped: Mapping[str, tuple[str, str]] = {}


def begin_run(plan: Plan, targets: Sequence[Target], beginning: Beginning) -> Recovered:
    """Make a new run with its first records.

    Raises:
        PlanError: a proxy is open in another fleet, or in one that may be this fleet under its old name and is held.
        FleetHeld: the run before has ended, and a hold outlives it.
        StateError: the state cannot be written.
    """
    with beginning.fleet.state.one_begins():
        _refuse_open_elsewhere(targets, beginning)
        if not beginning.simulated:
            refuse_orphan(beginning.fleet, {target.proxy_id for target in targets})
        return _begin(plan, targets, beginning)


def _begin(plan: Plan, targets: Sequence[Target], beginning: Beginning) -> Recovered:
    before = latest_of(beginning.fleet)
    last = last_outcomes(beginning.fleet)
    past = past_of(before, last)
    new = beginning_run(plan, targets, past, Asked(only=beginning.only))
    if before is not None and not beginning.simulated:
        refuse_held(plan, beginning.fleet, before, beginning.now)
    kept = kept_outcomes(plan, targets, new, beginning.fleet, last, before, beginning.now)
    taken = new.targets
    stored = beginning.fleet.begin(plan, taken, _started(plan, taken, before, beginning))
    held = [] if beginning.simulated else _carried_hold(new.hold, beginning.now)
    # A simulated cloud is a new one, but with the same chance: a redo ends there as it did, which is no news.
    fresh = beginning.simulated and beginning.only is None
    known = [] if fresh else [*earlier_outcomes(plan, taken, last, beginning.fleet, beginning.now)]
    failed = [] if beginning.simulated else left_out(new.failed_before, beginning.now)
    limits = [] if beginning.simulated or before is None else _carried_limits(before.run.limits, beginning.now)
    counted = [] if beginning.simulated else _earlier_starts(before, plan, beginning.now)
    records = [*beginning.spent, *counted, *limits, *kept, *held, *known, *failed, *_skipped(new, beginning)]
    if records:
        with closing(stored.resume(_SECOND)) as journal:
            journal.append(records)
    return recover(stored)


def _earlier_starts(before: Recovered | None, plan: Plan, now: datetime) -> list[Record]:
    """The attempts of earlier runs that may be in the window that is open, where windows have room for so many."""
    if before is None or plan.limits.per_window is None:
        return []
    since = (now - _LONGEST_WINDOW).timestamp()
    recent = tuple(datetime.fromtimestamp(at, UTC) for at in before.run.sent_at if at > since)
    return [EarlierStarts(at=now, instants=recent)] if recent else []


def _started(plan: Plan, targets: Sequence[Target], before: Recovered | None, beginning: Beginning) -> RunStarted:
    known = {*before.run.rejects, *before.run.known_rejects} if before else set()
    return RunStarted(
        at=beginning.now,
        run_id=new_run_id(beginning.fleet, beginning.now, beginning.suffix),
        name=plan.name,
        target_version=plan.target_version,
        plan_sha256=plan.sha256,
        simulated=beginning.simulated,
        targets=len(targets),
        waves=tuple(wave.name for wave in plan.waves),
        orchestrator_version=__version__,
        commands_seen=before.run.commands_seen if before else 0,
        known_rejects=tuple(sorted(known)),
        approved=beginning.approved,
        world=beginning.world,
    )


def _skipped(new: NextRun, beginning: Beginning) -> Iterator[Record]:
    """What a person has approved not to be upgraded, and nothing else says so already."""
    inside = {target.proxy_id for target in new.targets} - new.aside.keys()
    for key, (reason, why) in beginning.skipped.items():
        if key in inside:
            yield Settled(at=beginning.now, target=key, outcome=Outcome.SKIPPED, reason=reason, evidence=why)


def _carried_hold(hold: HoldSet | None, now: datetime) -> list[Record]:
    """A hold survives runs."""
    if hold is None:
        return []
    return [
        HoldSet(
            at=now,
            step="hold",
            cause=hold.cause,
            reason=hold.reason,
            by=hold.by,
            host=hold.host,
            note=hold.note,
            proxy_ids=hold.proxy_ids,
            since=hold.began_at,
        )
    ]


def _carried_limits(asked: LimitsChanged | None, now: datetime) -> list[Record]:
    """What a person changed of the limits holds until a reset."""
    if asked is None or not asked.limits.named:
        return []
    return [structs.replace(asked, at=now, command=0, since=asked.began_at)]


def _refuse_open_elsewhere(targets: Sequence[Target], beginning: Beginning) -> None:
    refusal = refused_elsewhere(open_elsewhere(beginning.fleet, {target.proxy_id for target in targets}))
    if refusal is not None:
        raise refusal
