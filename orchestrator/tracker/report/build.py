"""Run -> report, pure: the head at once, the targets one by one, so that a million of them are never held twice."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import UNSET, Struct

from orchestrator.model.plan.plan import Plan, Scope
from orchestrator.model.record.outcome import FAILED_BEFORE, GOOD, ORDER, Phase
from orchestrator.model.record.record import HoldSet, RunStarted
from orchestrator.model.reply.signature import signature
from orchestrator.model.run.night import CallsMade, Period
from orchestrator.model.run.run import Run
from orchestrator.model.run.status import ScopeStatus, WaveStatus
from orchestrator.model.run.tally import EMPTY, Count
from orchestrator.tracker.report.beside_causes import beside_causes
from orchestrator.tracker.report.how_ended import count_not_read
from orchestrator.tracker.report.moving import Moving, moving_of
from orchestrator.tracker.report.parts.besides import besides
from orchestrator.tracker.report.parts.capacity_form import capacity_form
from orchestrator.tracker.report.parts.changed_limits import changed_limits
from orchestrator.tracker.report.parts.gate_form import gates_form
from orchestrator.tracker.report.parts.host_form import hosts_form
from orchestrator.tracker.report.parts.impact_form import impacts
from orchestrator.tracker.report.parts.people import ActReport
from orchestrator.tracker.report.rejects import reject_reasons
from orchestrator.tracker.report.schema import (
    Head,
    HoldGroup,
    HoldReport,
    RunReport,
    ScopeReport,
    TargetReport,
    Totals,
    WaveReport,
    WaveState,
)
from orchestrator.tracker.report.target import projects, reason_of, target_in

_decode = msgspec.json.Decoder(TargetReport).decode


class NotBegun(ValueError):
    """The run has no first record, so there is nothing to report."""


class Story(Struct, frozen=True):
    """A report in two parts: what it says of the whole run, and then its targets, made as they are asked for.

    Attributes:
        targets: each pass over them makes them once more.
        plan: as in force.
        named: the plan as commands name it.
        failed: how many failures count against the fleet's budget since the last release.
        failures_allowed: so many may be; one more holds the fleet.
        rejected: as `failed`, of refusals.
        rejected_allowed: as `failures_allowed`.
        in_flight: how many upgrades may be under way at once, as the plan says.
        allowed: how many really might be, from when on; empty in journals that do not tell.
        moving: how many are, and how many attempts are in doubt and looked for.
        beside_causes: what ended badly too, while the fleet is held, in words.
        besides: by key of the plan, who put what in its place, or since which session it is so.
        periods: when something kept upgrades from starting, and sessions.
        calls: how many were made when, by scope.
    """

    head: Head
    targets: Iterable[TargetReport]
    plan: Plan
    named: str
    failed: int
    failures_allowed: int
    rejected: int
    rejected_allowed: int
    in_flight: int
    allowed: Sequence[tuple[datetime, int]]
    moving: Moving
    beside_causes: Sequence[str]
    besides: Mapping[str, str]
    periods: tuple[Period, ...]
    calls: Mapping[str, Sequence[CallsMade]]


def build_report(
    run: Run, plan: Plan, *, exit_code: int | None = None, named: str = "PLAN", closed: Iterable[Period] = ()
) -> Story:
    """The report of a run as it stands.

    Args:
        run: with at least its first record.
        plan: as in force.
        exit_code: of the session that is about to end; None for what the journal says.
        named: the plan as commands name it.
        closed: when windows or freezes let nothing start, where that is known.
    """
    if run.started is None:
        raise NotBegun("a run without records")
    night, head = run.night.copy(), _head(run, run.started, plan, exit_code)
    return Story(
        head,
        _Targets(run, plan),
        plan,
        named,
        failed=run.tally.fleet.failed,
        failures_allowed=plan.failures.max.budget(run.counted),
        rejected=run.tally.fleet.rejected,
        rejected_allowed=plan.failures.max_rejected.budget(run.counted),
        in_flight=plan.limits.in_flight.cap(run.total),
        moving=moving_of(run),
        beside_causes=[*beside_causes(head.run.hold, run.tally.fleet)] if head.run.hold else [],
        allowed=[(at, amount.cap(run.total)) for at, amount in night.in_flight],
        besides=besides(run),
        periods=(*night.periods, *closed),
        calls=night.calls,
    )


def one_target(run: Run, plan: Plan, proxy_id: str) -> TargetReport | None:
    """What the report says of one target, made without the others; None when it knows no such target."""
    if proxy_id in run.targets:
        return target_in(run, plan, projects(run, plan), run.targets[proxy_id])
    return next((_decode(each.entry) for each in run.kept if each.target == proxy_id), None)


class _Targets(Struct, frozen=True):
    """Every target in plan order: those of the run, and between them those that keep what an earlier run said.

    Each pass makes them once more, so that a form may have some before the others without holding them all.
    """

    run: Run
    plan: Plan

    def __iter__(self) -> Iterator[TargetReport]:
        known = projects(self.run, self.plan)
        kept = deque(self.run.kept)
        for position, target in enumerate(self.run.targets.values()):
            while kept and kept[0].position <= position:
                yield _decode(kept.popleft().entry)
            yield target_in(self.run, self.plan, known, target)
        yield from (_decode(each.entry) for each in kept)


def _head(run: Run, started: RunStarted, plan: Plan, exit_code: int | None) -> Head:
    return Head(
        run=_run(run, started, exit_code),
        totals=_totals(run),
        reject_reasons=reject_reasons(run),
        waves=[_wave(run, wave) for wave in run.waves.values()],
        scopes=[_scope(scope, run.scopes[scope.name], plan, run.last_at or started.at) for scope in plan.scopes],
        gates=gates_form(run),
        impact=impacts(run),
        limits=changed_limits(run),
        capacity=capacity_form(run, plan.capacity),
    )


def _run(run: Run, started: RunStarted, exit_code: int | None) -> RunReport:
    if exit_code is None and run.session_ended is not None:
        exit_code = run.session_ended.exit_code
    return RunReport(
        run_id=started.run_id,
        name=started.name,
        state="held" if run.hold else "completed" if run.ended else "unfinished",
        hold=_hold(run, run.hold) if run.hold else None,
        exit_code=exit_code,
        simulated=started.simulated,
        plan_sha256=started.plan_sha256,
        target_version=started.target_version,
        started_at=started.at,
        ended_at=run.ended.at if run.ended else None,
        sessions=len(run.sessions),
        orchestrator_version=run.sessions[-1].orchestrator_version if run.sessions else started.orchestrator_version,
        as_of=run.last_at,
        errors=[*run.troubles, *(f"target {state.key}: {state.set_aside}" for state in run.set_aside())],
        warnings=list(run.warnings),
        host_errors=list(run.host_errors) or UNSET,
        people=[
            ActReport(at=act.at, who=act.who, did=act.did, note=act.note)
            for act in sorted(run.acts, key=lambda act: act.at)
        ],
        hosts=hosts_form(run.hosts),
    )


def _hold(run: Run, hold: HoldSet) -> HoldReport:
    return HoldReport(
        reason=hold.reason,
        cause=hold.cause,
        at=hold.began_at,
        by=hold.by,
        host=hold.host or None,
        note=hold.note,
        wave=hold.wave,
        scope=hold.scope,
        proxy_ids=list(hold.proxy_ids),
        causes=list(_causes(run, hold)),
    )


def _causes(run: Run, hold: HoldSet) -> Iterator[HoldGroup]:
    """The targets that caused a hold, together where their reasons differ only in what they name."""
    groups: dict[str | None, dict[str, str | None]] = {}
    for proxy_id in hold.proxy_ids:
        reason = _hold_reason(run, proxy_id)
        groups.setdefault(reason and signature(reason), {})[proxy_id] = reason
    for common, reasons in groups.items():
        alike = len(set(reasons.values())) == 1
        yield HoldGroup(reason=next(iter(reasons.values())) if alike else common, proxy_ids=list(reasons))


def _hold_reason(run: Run, proxy_id: str) -> str | None:
    """Why a target caused a hold, perhaps in an earlier run; None where this run knows nothing of it."""
    state, earlier = run.states.get(proxy_id), run.earlier.get(proxy_id)
    if earlier is not None and (state is None or state.reason == FAILED_BEFORE):
        return earlier.reason
    if state is None:
        return None
    why = state.plain_reason or reason_of(state)
    if state.outcome is None or state.outcome not in GOOD:
        return why
    return "; ".join(filter(None, (state.stuck_why, f"since then {state.outcome.value}", why)))


def _totals(run: Run) -> Totals:
    return Totals(
        targets=run.total + len(run.kept),
        outcomes=_outcomes(run.tally.fleet, run.total, Counter(kept.outcome.value for kept in run.kept)),
        not_read=count_not_read(run),
        calls=sum(scope.calls for scope in run.scopes.values()),
        upgrade_calls=run.upgrade_calls,
        throttled=sum(scope.throttled for scope in run.scopes.values()),
        calls_at_least=run.calls_missing or UNSET,
    )


def _outcomes(count: Count, total: int, kept: Counter[str] | None = None) -> dict[str, int]:
    """Outcomes that occur, in their order; targets that stand nowhere are waiting, doubt of any kind is `in_doubt`."""
    standing = Counter({standing: number for standing, number in count.standing.items() if number})
    waiting = total - standing.total()
    if waiting:
        standing[Phase.WAITING.value] = waiting
    standing.update(kept or {})
    return {name: standing[name] for name in ORDER if standing[name]}


def _wave(run: Run, wave: WaveStatus) -> WaveReport:
    return WaveReport(
        name=wave.name,
        targets=len(wave.targets),
        state=wave_state(run, wave),
        started_at=wave.opened_at,
        ended_at=wave.done_at if wave_state(run, wave) == "done" else None,
        outcomes=_outcomes(run.tally.waves.get(wave.name, EMPTY), len(wave.targets)),
    )


def wave_state(run: Run, wave: WaveStatus) -> WaveState:
    """Where a wave stands, in one word: it is not done while one of it waits for its turn, perhaps for one more."""
    over = wave.done_at is not None
    if over and len(wave.targets) <= run.tally.waves.get(wave.name, EMPTY).standing.total():
        return "done"
    if run.hold is not None and (run.hold.wave == wave.name or (run.hold.wave is None and wave.opened_at is not None)):
        return "held"
    if wave.soaks_until is not None and not over:
        return "soaking"
    return "waiting" if wave.opened_at is None else "open"


def _scope(scope: Scope, status: ScopeStatus, plan: Plan, at: datetime) -> ScopeReport:
    planned = scope.rate if scope.rate is not None else plan.limits.rate
    known = planned if isinstance(planned, float | int) else None
    standing = status.standing(at)
    return ScopeReport(
        name=scope.name,
        region=scope.region,
        project_id=scope.project_id or status.project_id,
        calls=status.calls,
        rate_limit=known if status.rate_limit is None else status.rate_limit,
        rate_attained=round(status.calls / status.seconds, 3) if status.seconds > 0 else None,
        throttled=status.throttled,
        state=standing.state,
        reason=standing.reason,
        until=standing.until,
        since=standing.since,
        asked_at=status.asked_at,
    )
