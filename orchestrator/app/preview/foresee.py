"""What a start would take up now, from the fleet's runs, the orders of persons, and other fleets. Writes nothing."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

import msgspec
from msgspec import structs

from orchestrator.app.preview.standstill import at_work, standstill
from orchestrator.app.run.found_before import latest_of, past_of
from orchestrator.app.run.known_before import left_out
from orchestrator.app.session.apply_command import carry_out
from orchestrator.app.status.clocks import wrong_clock_words
from orchestrator.executor.scope.host_time import calendar_ahead_s
from orchestrator.host import path_of
from orchestrator.model.plan.commands import Command
from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.target import Target
from orchestrator.model.record.record import LimitsChanged
from orchestrator.model.run.run import Run
from orchestrator.planner.next_run import Asked, NextRun, StillWaiting, beginning, ordered, unfinished
from orchestrator.tracker.runs.orphans import orphan, refuse_orphan
from orchestrator.tracker.runs.other_runs import last_outcomes, open_elsewhere
from orchestrator.tracker.runs.recovery import Recovered
from orchestrator.tracker.state_store import Fleet, State

#: What persons have ordered, and no process has read yet, each with its number.
Orders: TypeAlias = Sequence[tuple[int, Command]]


class Foreseen(msgspec.Struct, frozen=True, kw_only=True):
    """What a start takes up, before it is known what time it is.

    Attributes:
        coming: the run, without what stands in its way by itself.
        plan: that it follows: that of an unfinished run when the file was changed.
        run: as a session finds it.
        asked: what the options of the start say.
        now: when it begins, by this host's clock.
        recorded: the cloud's time minus that, in seconds, by scope, as the latest run has recorded it last.
    """

    coming: NextRun
    plan: Plan
    run: Run
    asked: Asked
    now: datetime
    recorded: Mapping[str, float] = {}

    def known(self, told: Mapping[str, float]) -> Mapping[str, float]:
        """The clocks by which a session will judge: as answers of just now have told them, else as they were recorded.

        `told`: the cloud's time minus this host's in seconds, by scope; empty when no cloud was asked, or says it.
        """
        return told or self.recorded

    def by_clocks(self, told: Mapping[str, float]) -> NextRun:
        """The run with what keeps everything in it from starting by these clocks, see `known`.

        It is asked for once: the run is carried on by it.
        """
        if self.coming.barred:
            return self.coming
        return structs.replace(
            self.coming, still=standstill(self.plan, self.run, self.asked, self.now, self.known(told))
        )

    def wrong_clock(self, told: Mapping[str, float]) -> str | None:
        """That windows are judged by the cloud's clock and not by this host's; None while they agree."""
        how = "" if told else ", as the latest run recorded it"
        return wrong_clock_words(calendar_ahead_s(0.0, self.known(told)), how)


def foresee(plan: Plan, targets: Sequence[Target], state: State, asked: Asked, now: datetime) -> Foreseen:
    """What `run` with these options would go on with or begin.

    Args:
        plan: what a person asked for.
        targets: its targets, as they are resolved now.
        state: the state folder.
        asked: what the options say.
        now: when the orders that no process has read yet are taken to be carried out.

    Raises:
        PlanError: the fleet's name belongs to another plan; `--new`, and something is open; another fleet, whose plan
            is gone, is held or not over.
        UsageError: the options do not fit the history.
        StateError: a run cannot be read.
    """
    fleet = state.fleet(plan.name)
    fleet.expect_owner(path_of(plan.path))
    latest = latest_of(fleet)
    found = _foresee(plan, targets, fleet, latest, asked, now)
    warnings = tuple(_refused_before(latest.run) if latest else _orphan(fleet, targets))
    recorded = latest.run.timeline.last_offsets if latest else {}
    coming = structs.replace(found.coming, named=asked.named, warnings=warnings)
    return structs.replace(found, coming=coming, recorded=recorded)


def _refused_before(run: Run) -> Iterator[str]:
    from orchestrator.tracker.report.rejects import refused_before  # noqa: PLC0415  # only where there was a run

    return refused_before(run)


def _orphan(fleet: Fleet, targets: Sequence[Target]) -> Iterator[str]:
    """The fleet that this one may have been, of which it would know nothing."""
    ids = {target.proxy_id for target in targets}
    refuse_orphan(fleet, ids)
    found = orphan(fleet, ids)
    if found is not None:
        yield found.warning


def _foresee(
    plan: Plan, targets: Sequence[Target], fleet: Fleet, latest: Recovered | None, asked: Asked, now: datetime
) -> Foreseen:
    past = past_of(latest, last_outcomes(fleet), plan)
    orders = fleet.inbox().new(latest.run.commands_seen if latest else 0)
    if latest is None or unfinished(past, asked) is None:
        limits = latest.run.limits if latest else None
        coming, run = _begins(plan, beginning(plan, targets, past, asked), orders, now, limits)
        elsewhere = open_elsewhere(fleet, {target.proxy_id for target in targets})
        coming = structs.replace(coming, at_work=_at_work(fleet, latest), elsewhere=elsewhere)
        return Foreseen(coming=coming, plan=plan, run=run, asked=asked, now=now)
    _obey(latest.run, orders, now)
    coming = structs.replace(unfinished(past, asked) or NextRun(targets=()), limits=latest.run.limits)
    elsewhere = open_elsewhere(fleet, StillWaiting(latest.run), or_about_to_be=False)
    coming = structs.replace(coming, at_work=_at_work(fleet, latest), elsewhere=elsewhere)
    if coming.at_work is not None and coming.hold is None:
        coming = structs.replace(coming, still=at_work(latest.in_force, latest.run, asked, now))
    followed = latest.in_force if coming.changes else plan
    return Foreseen(coming=coming, plan=followed, run=latest.run, asked=asked, now=now)


def _at_work(fleet: Fleet, latest: Recovered | None) -> str | None:
    """The process that works on the fleet, in words, and who started it, once its journal tells that."""
    holder = fleet.holder()
    if holder is None or latest is None or not latest.run.sessions or latest.run.session_ended is not None:
        return holder
    who = latest.run.sessions[-1].who
    return f"{holder}, started by {who}" if who else holder


def _begins(
    plan: Plan, coming: NextRun, orders: Orders, now: datetime, limits: LimitsChanged | None = None
) -> tuple[NextRun, Run]:
    """The run that begins, as a session finds it; `limits`: as a person has changed them in a run before."""
    run = Run(
        coming.targets,
        waves=[wave.name for wave in plan.waves],
        scopes=[scope.name for scope in plan.scopes],
        failures=plan.failures,
    )
    run.hold, run.limits = coming.hold, limits
    for record in left_out(coming.failed_before, now):
        run.apply(record)
    _obey(run, orders, now)
    return ordered(coming, run), run


def _obey(run: Run, orders: Orders, now: datetime) -> None:
    for number, command in orders:
        run.apply(carry_out(run, number, command, now))


def foresee_simulated(plan: Plan, targets: Sequence[Target], state: State, asked: Asked, now: datetime) -> Foreseen:
    """The simulated run that begins: its cloud is a new one, so of earlier runs only what is asked for counts.

    Raises:
        UsageError: no target has the outcome that is asked for.
        StateError: a run cannot be read.
    """
    coming, fleet = NextRun(targets=tuple(targets)), state.fleet(plan.name)
    latest = latest_of(fleet)
    if asked.only is not None:
        coming = structs.replace(beginning(plan, targets, past_of(latest, last_outcomes(fleet)), asked), hold=None)
    coming, run = _begins(plan, coming, (), now)
    coming = structs.replace(coming, at_work=_at_work(fleet, latest), named=asked.named)
    return Foreseen(coming=coming, plan=plan, run=run, asked=asked, now=now)
