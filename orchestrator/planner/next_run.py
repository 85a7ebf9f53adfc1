"""What the next `run` of a fleet goes on with, or begins. Pure: `run` carries it out, and the preview tells it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

import msgspec
from msgspec import structs

from orchestrator.errors import PlanError, UsageError
from orchestrator.model.learned.elsewhere import Elsewhere, elsewhere_words
from orchestrator.model.plan.limit_change import limited
from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.target import Target
from orchestrator.model.record.outcome import FAILED_BEFORE, NOT_ASKED, Outcome
from orchestrator.model.record.record import HoldSet, LimitsChanged
from orchestrator.model.run.run import Run
from orchestrator.planner.set_aside import Aside, settled_or_open
from orchestrator.spoken import counted

#: By proxy_id: the last outcome, and the version that the proxy was to be upgraded to.
LastOutcomes: TypeAlias = Mapping[str, tuple[Outcome, str]]

#: Outcomes after which a proxy is left out of the next run for the same version.
_FAILED = frozenset({Outcome.FAILED, Outcome.MISMATCH, Outcome.REJECTED})


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """What the runs of a fleet have left behind.

    Attributes:
        run_id: of the latest run.
        run: the same as it stands, with what a person has ordered since; None when the fleet never ran.
        last: the last outcomes over all runs.
        changes: what of the plan has changed since that run began so that it needs a new one.
        attempts: most attempts that a target may have in a run.
    """

    run_id: str = ""
    run: Run | None = None
    last: LastOutcomes = {}
    changes: tuple[str, ...] = ()
    attempts: int = 0


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the options say.

    Attributes:
        new: end the unfinished run.
        only: take only targets whose last outcome was one of these.
        until: nothing starts from this instant on.
        longest_s: nor when the session has lasted so long.
        wait_s: how far away an opening may be to be waited for in the session.
        named: the plan as commands have to name it; empty: by its path alone.
    """

    new: bool = False
    only: frozenset[Outcome] | None = None
    until: datetime | None = None
    longest_s: float | None = None
    wait_s: float = 3600.0
    named: str = ""

    def bound(self, begins: datetime) -> datetime | None:
        """From when on a session that begins at an instant starts nothing; None for never."""
        ends = None if self.longest_s is None else begins + timedelta(seconds=self.longest_s)
        return min(filter(None, (self.until, ends)), default=None)


class Standstill(msgspec.Struct, frozen=True):
    """What keeps everything from starting as things stand.

    Attributes:
        words: what that is, and what to do, as one line.
        passes: whether the session waits for its end, and starts something then.
    """

    words: str
    passes: bool


class NextRun(msgspec.Struct, frozen=True, kw_only=True):
    """The run that a start takes up.

    Attributes:
        continues: run_id of the unfinished run that goes on; None when one begins.
        at_work: the process that works on the fleet now, beside which no other starts, in words; None when none does.
        targets: all of the run.
        aside: what is not sent, and why; of the targets, and of others of the plan that are not in the run.
        failed_before: outcomes of targets that a new run leaves out for them.
        repeats: whether targets of it ended badly before, and were asked for again.
        kept: outcomes of proxies of the plan that are not in the run, and keep theirs in its report.
        hold: in force from the start on.
        changes: why nothing may start in the run that goes on.
        approved: waves that wait for no approval any more.
        elsewhere: its proxies that other fleets have open, or are about to.
        supersedes: whether it ends an unfinished run.
        named: the plan as commands have to name it; empty: by its path alone.
        still: what else keeps everything from starting, such as a freeze; None when nothing does.
        run: as the one that goes on stands; None when one begins.
        limits: what persons have put in place of the plan's limits; None where nobody ever did.
        warnings: what a person should know before: for what the cloud refused upgrades in the latest run, in words.
    """

    continues: str | None = None
    at_work: str | None = None
    targets: tuple[Target, ...]
    aside: dict[str, Aside] = {}
    failed_before: Mapping[str, Outcome] = {}
    repeats: bool = False
    kept: Mapping[str, Outcome] = {}
    hold: HoldSet | None = None
    changes: tuple[str, ...] = ()
    approved: frozenset[str] = frozenset()
    elsewhere: Mapping[str, Elsewhere] = {}
    supersedes: bool = False
    named: str = ""
    still: Standstill | None = None
    run: Run | None = None
    limits: LimitsChanged | None = None
    warnings: tuple[str, ...] = ()

    @property
    def barred(self) -> bool:
        """Whether a person, another process or another fleet keeps it from starting anything."""
        return self.hold is not None or bool(self.at_work or self.changes or self.elsewhere)

    def in_force(self, plan: Plan) -> Plan:
        """The plan, with the limits that hold in place of its own."""
        return plan if self.limits is None else limited(plan, self.limits.limits)

    @property
    def starts_nothing(self) -> bool:
        """Whether a session starts nothing as things stand."""
        return self.barred or (self.still is not None and not self.still.passes)


def unfinished(past: Past, asked: Asked) -> NextRun | None:
    """The run that goes on; None when one begins.

    Raises:
        UsageError: the options fit no run that has not ended.
        PlanError: `--new`, and something of the unfinished run is open.
    """
    run = past.run
    if run is None or not run_goes_on(past, asked):
        return None
    return NextRun(
        continues=past.run_id,
        targets=tuple(run.targets.values()),
        aside=dict(settled_or_open(past.run_id, run, 0 if past.changes else past.attempts)),
        hold=run.hold,
        changes=past.changes,
        approved=frozenset(wave.name for wave in run.waves.values() if wave.approved or wave.opened_at),
        repeats=any(state.earlier is not None and state.outcome is None for state in run.states.unpacked()),
        run=run,
    )


def run_goes_on(past: Past, asked: Asked) -> bool:
    """Whether there is an unfinished run that goes on, without a look at its targets.

    Raises:
        UsageError: the options fit no run that has not ended.
        PlanError: `--new`, and something of the unfinished run is open.
    """
    run = past.run
    if run is None or run.ended is not None:
        return False
    if asked.new:
        refuse_open(past.run_id, run)
        return False
    if asked.only is not None:
        raise UsageError(f"--only-outcome: run {past.run_id} has not ended", hint="let it end, or end it with --new")
    return True


def beginning(plan: Plan, targets: Sequence[Target], past: Past, asked: Asked) -> NextRun:
    """The run that begins, before what persons have ordered since the run before.

    Raises:
        UsageError: no target has the outcome that is asked for.
    """
    supersedes, past = past.run is not None and past.run.ended is None, _when_ended(past)
    taken, kept = _taken(targets, past, asked)
    failed = {} if asked.only is not None else dict(_failed_before(plan, taken, past.last))
    others = (target.proxy_id for target in targets) if asked.only is not None else ()
    inside = {target.proxy_id for target in taken}
    aside = {key: _not_asked(kept.get(key)) for key in others if key not in inside}
    aside |= {key: _left_out(outcome) for key, outcome in failed.items()}
    hold = None if past.run is None or past.run.hold is None else _carried(past.run.hold)
    return NextRun(
        targets=tuple(taken),
        aside=aside,
        failed_before=failed,
        repeats=asked.only is not None and not asked.only.isdisjoint(_FAILED),
        kept=kept,
        hold=hold,
        supersedes=supersedes,
    )


def ordered(coming: NextRun, run: Run) -> NextRun:
    """The same run as it stands when what persons have ordered was carried out in it."""
    approved = frozenset(wave.name for wave in run.waves.values() if wave.approved or wave.opened_at)
    return structs.replace(coming, hold=run.hold, approved=approved, limits=run.limits)


def refused_elsewhere(elsewhere: Mapping[str, Elsewhere]) -> PlanError | None:
    """Why no run may begin: other fleets have some of its proxies open, or are about to."""
    if not elsewhere:
        return None
    fleets = sorted({each.fleet for each in elsewhere.values()})
    whose = f"fleet {fleets[0]} end what it" if len(fleets) == 1 else f"fleets {' and '.join(fleets)} end what they"
    return PlanError(elsewhere_words(elsewhere), hint=f"let {whose} began, then run again")


def waiting_in(run: Run) -> list[Target]:
    """The targets of a run that are neither open nor settled."""
    return [target for target in run.targets.values() if run.standing(target.proxy_id) == "waiting"]


class StillWaiting(msgspec.Struct, frozen=True):
    """The proxy_ids of these targets, of which each is looked at only when it is asked for."""

    run: Run

    def __contains__(self, proxy_id: object) -> bool:
        run = self.run
        return isinstance(proxy_id, str) and proxy_id in run.targets and run.standing(proxy_id) == "waiting"


def refuse_open(run_id: str, run: Run) -> None:
    """Refuse to end a run in which something is open.

    Raises:
        PlanError: something is.
    """
    open_ids = [state.key for state in run.open_states()]
    if open_ids:
        raise PlanError(
            f"--new: still open in run {run_id}: {counted(len(open_ids), 'target')}, such as {', '.join(open_ids[:3])}",
            hint="run without --new until they have ended, or decide them with settle",
        )


def _when_ended(past: Past) -> Past:
    """What is left behind when the unfinished run is ended for a new one: what waits in it was not started."""
    run = past.run
    if run is None or run.ended is not None or run.started is None:
        return past
    missed = (Outcome.NOT_STARTED, run.started.target_version)
    return structs.replace(past, last={**{target.proxy_id: missed for target in waiting_in(run)}, **past.last})


def _carried(hold: HoldSet) -> HoldSet:
    """A hold survives runs; in the new one it is of no wave or scope any more, and of no approval."""
    cause = "person" if hold.cause == "approval" else hold.cause
    return structs.replace(hold, cause=cause, wave=None, scope=None)


def _taken(targets: Sequence[Target], past: Past, asked: Asked) -> tuple[list[Target], dict[str, Outcome]]:
    """The targets of a new run, and the outcomes that the others keep."""
    if asked.only is None:
        return list(targets), {}
    if past.run is None:
        raise UsageError("--only-outcome: there is no earlier run whose outcomes could be meant")
    last = {target.proxy_id: past.last[target.proxy_id][0] for target in targets if target.proxy_id in past.last}
    taken = [target for target in targets if last.get(target.proxy_id) in asked.only]
    if not taken:
        wanted = ", ".join(sorted(outcome.value for outcome in asked.only))
        raise UsageError(f"--only-outcome: no target of the plan has the last outcome {wanted}")
    return taken, {key: outcome for key, outcome in last.items() if outcome not in asked.only}


def _failed_before(plan: Plan, targets: Sequence[Target], last: LastOutcomes) -> Iterator[tuple[str, Outcome]]:
    for proxy_id, outcome in outcomes_for(plan, targets, last):
        if outcome in _FAILED:
            yield proxy_id, outcome


def outcomes_for(plan: Plan, targets: Sequence[Target], last: LastOutcomes) -> Iterator[tuple[str, Outcome]]:
    """The last outcome of each target that was to be upgraded to the plan's version before."""
    for target in targets:
        outcome, version = last.get(target.proxy_id, (None, ""))
        if outcome is not None and version == plan.target_version:
            yield target.proxy_id, outcome


def _left_out(outcome: Outcome) -> Aside:
    why = f"{outcome.value} in an earlier run for this version; ask for it with --only-outcome {outcome.value}"
    return Aside(Outcome.SKIPPED.value, FAILED_BEFORE, why, replaced=True)


def _not_asked(outcome: Outcome | None) -> Aside:
    if outcome is None:
        return Aside(Outcome.NOT_STARTED.value, NOT_ASKED, "no run knows it, and --only-outcome does not ask for it")
    return Aside(outcome.value, "kept", "not asked for by --only-outcome, and keeps its outcome")
