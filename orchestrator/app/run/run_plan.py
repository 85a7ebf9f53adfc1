"""The verb `run`: take the fleet's lock, go on with its unfinished run or begin one, and work."""

import secrets
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path

import anyio
import msgspec
from msgspec import structs

from orchestrator.app.discover.discover import OnFound, discover_now
from orchestrator.app.process.collector import spare_the_collector
from orchestrator.app.process.event_loop import backend_options
from orchestrator.app.process.open_files import make_room
from orchestrator.app.process.state_clock import state_clock
from orchestrator.app.report.on_disk import write_reports
from orchestrator.app.run.approved import Approved, Exactly
from orchestrator.app.run.begin_or_resume import (
    Beginning,
    Opened,
    begin_run,
    end_run,
    take_up,
    unfinished_run,
)
from orchestrator.app.run.found_before import past_of
from orchestrator.app.run.take_place import take_place
from orchestrator.app.scopes.expect_credentials import expect_credentials
from orchestrator.app.scopes.rate_memory import RateMemory, RatesPlace
from orchestrator.app.scopes.tell_pauses import telling_pauses
from orchestrator.app.session.run_session import Done, work
from orchestrator.app.session.serve_session import ServingStandBy
from orchestrator.app.session.session_work import Work
from orchestrator.app.sinks.tee import RecordSink, end_all
from orchestrator.cloud.secrets.registry import Secrets
from orchestrator.errors import ExitCode, OrchestratorError, StateError
from orchestrator.host import path_of
from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.target import Target
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import ScopeUsed
from orchestrator.planner.next_run import Asked, run_goes_on
from orchestrator.planner.targets.resolve import resolve_targets
from orchestrator.planner.waves import assign_waves
from orchestrator.tracker.report.json_form import write_report
from orchestrator.tracker.runs.orphans import orphan
from orchestrator.tracker.runs.recovery import Recovered
from orchestrator.tracker.served_groups import IDLE, StandBy
from orchestrator.tracker.state_store import Fleet, State

#: Points a plan at another cloud for as long as it is open: the simulated one.
Redirect = Callable[[Plan, list[Target]], AbstractContextManager[tuple[Plan, Mapping[str, str]]]]


class RunRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks of a run.

    Attributes:
        state: where the fleet is kept, that of simulated runs when `redirect` is set.
        warn: called with what is wrong and stops nothing: the event's name, and a sentence.
        on_found: called with how far a discovery has come.
        sinks: makes, for a run, those who are shown its records.
        until: nothing starts from this instant on.
        longest_s: nor when the session has lasted so long.
        wait_s: how far away an opening may be to be waited for in this process.
        new: end the unfinished run and begin a new one.
        only: begin a run with the targets whose last outcome was one of these.
        redirect: sends the run to another cloud; such a run always begins from the start.
        world: the options that made that cloud what it is.
        report: where an extra copy of the report goes.
        approved: the preview that the session is bound to.
    """

    plan: Plan
    state: State
    environ: Mapping[str, str]
    now: datetime
    warn: Callable[[str, str], None]
    on_found: OnFound
    sinks: Callable[[Recovered], Iterable[RecordSink]]
    until: datetime | None = None
    longest_s: float | None = None
    wait_s: float = 3600.0
    new: bool = False
    only: frozenset[Outcome] | None = None
    redirect: Redirect | None = None
    world: tuple[str, ...] = ()
    report: Path | None = None
    approved: Approved | None = None


class SessionResult(msgspec.Struct, frozen=True):
    """How a session of `run` ended.

    Attributes:
        opened: the run as it was taken up, carried on to the end of the session; when it was barred, nothing but what
            was open was followed.
        report: where its report is.
        warnings: what failed beside it, and is in no record.
        lost: why a side channel took nothing, by its name.
    """

    code: ExitCode
    why: str
    opened: Opened
    plan: Plan
    report: Path
    warnings: tuple[str, ...] = ()
    lost: Mapping[str, str] = {}

    @property
    def recovered(self) -> Recovered:
        """The run."""
        return self.opened.recovered


def run_plan(job: RunRequest) -> SessionResult:
    """Run one session of the fleet's run.

    Raises:
        PlanError: the plan cannot be carried out, or needs `--new`.
        ScopeUnusable: no scope has credentials, discovery is incomplete, or `expect` is not met; nothing has begun.
        FleetLocked: another process works on the fleet.
        StateError: the state cannot be used.
    """
    if job.redirect is None:
        expect_credentials(job.plan, job.environ, job.state.host)
    fleet = job.state.fleet(job.plan.name, writes=True)
    with ExitStack() as stack:
        take_place(fleet, job.now, stack, standing_by(job, fleet))
        fleet.claim(path_of(job.plan.path))
        now = state_clock(job.state).now()  # it may have stood by for hours
        return _run_locked(structs.replace(job, now=now), fleet, stack)


def _run_locked(job: RunRequest, fleet: Fleet, stack: ExitStack) -> SessionResult:
    if job.redirect is not None:
        written = resolve_targets(job.plan).targets
        plan, environ = stack.enter_context(job.redirect(job.plan, written))
        memory = RateMemory(environ=environ)
        exactly = None if job.approved is None else job.approved.compare()
        return _work(job, Opened(_begin(job, plan, memory, fleet, exactly, simulated=True)), plan, memory)
    memory = _memory(job)
    opened = _find_or_begin(job, memory, fleet)
    plan = opened.recovered.in_force if opened.changes else job.plan
    return _work(job, opened, plan, memory)


def go_on(job: RunRequest, opened: Opened) -> SessionResult:
    """Run one session of a run that another host has left, by the plan that is in force in it."""
    return _work(job, opened, opened.recovered.in_force, _memory(job))


def standing_by(job: RunRequest, fleet: Fleet) -> StandBy:
    """What this host does for a fleet while another one works on it; for a simulated one it only waits."""
    return IDLE if job.redirect is not None else ServingStandBy(fleet, job.plan, _memory(job), job.warn)


def _memory(job: RunRequest) -> RateMemory:
    kept_at = RatesPlace(
        state=job.state,
        warn=partial(job.warn, "rates.forgotten"),
        warn_unshared=partial(job.warn, "rates.unshared"),
    )
    return RateMemory(environ=job.environ, at=kept_at)


def _find_or_begin(job: RunRequest, memory: RateMemory, fleet: Fleet) -> Opened:
    latest = unfinished_run(fleet)
    goes_on = job.approved is not None and job.approved.goes_on_in(latest)
    exactly = None if job.approved is None or goes_on else job.approved.compare()
    if latest is None:
        return Opened(_begin(job, job.plan, memory, fleet, exactly))
    asked = Asked() if goes_on else Asked(new=job.new, only=job.only)
    if run_goes_on(past_of(latest, {}, job.plan), asked):
        return take_up(latest, job.plan)
    end_run(latest, job.now)
    write_reports(latest.stored, latest.run, latest.in_force)
    return Opened(_begin(job, job.plan, memory, fleet, exactly))


def _begin(
    job: RunRequest,
    plan: Plan,
    memory: RateMemory,
    fleet: Fleet,
    exactly: Exactly | None,
    *,
    simulated: bool = False,
) -> Recovered:
    targets, spent = _targets(job, plan, memory) if exactly is None else ([*exactly.targets], ())
    for doubtful in assign_waves(plan, targets).warnings:
        job.warn("plan.doubtful", doubtful)
    found = None if simulated else orphan(fleet, {target.proxy_id for target in targets})
    if found is not None and found.binds is None:  # else it is refused
        job.warn("plan.renamed", found.warning)
    return begin_run(
        plan,
        targets,
        Beginning(
            fleet=fleet,
            now=job.now,
            suffix=secrets.token_hex(3),
            simulated=simulated,
            world=job.world,
            only=job.only,
            spent=spent,
            approved="" if job.approved is None else job.approved.sha256,
            skipped={} if exactly is None else exactly.skipped,
        ),
    )


def _targets(job: RunRequest, plan: Plan, memory: RateMemory) -> tuple[list[Target], tuple[ScopeUsed, ...]]:
    """The targets of the plan, and what it took to find them."""
    note = telling_pauses(partial(job.warn, "discovery.waits"))
    found = discover_now(plan, memory.environ, job.on_found, memory, note)
    return resolve_targets(plan, found.targets).targets, found.used


def _work(job: RunRequest, opened: Opened, plan: Plan, memory: RateMemory) -> SessionResult:
    recovered = opened.recovered
    room = make_room(plan, ends=1 if job.redirect is None else 2)
    if room.warning:
        job.warn("open_files.few", room.warning)
    sinks, hidden = tuple(job.sinks(recovered)), Secrets()
    for sink in sinks:
        hidden.learn(sink.name, *sink.secrets)
    asked = Work(
        plan=plan,
        recovered=recovered,
        environ=memory.environ,
        until=job.until,
        longest_s=job.longest_s,
        wait_s=job.wait_s,
        memory=memory,
        room=room,
        sinks=sinks,
        barred=opened.barred,
        approved="" if job.approved is None else job.approved.sha256,
        secrets=hidden,
    )
    spare_the_collector()
    try:
        done: Done = anyio.run(work, asked, backend="asyncio", backend_options=backend_options())
    except OrchestratorError as error:
        _end_sinks(job, asked, error.exit_code)
        raise
    lost = {**_end_sinks(job, asked, done.code), **_copy_report(job, recovered, plan, done.code)}
    return SessionResult(done.code, done.finish.why, opened, plan, asked.report, done.warnings, lost)


def _end_sinks(job: RunRequest, asked: Work, code: ExitCode) -> Mapping[str, str]:
    """Why a sink took nothing of the end, if one did not."""
    lost = end_all(asked.sinks, code, state_clock(job.state).now())
    for name, why in lost.items():
        job.warn("sink.failed", f"{name}: {why}")
    return lost


def _copy_report(job: RunRequest, recovered: Recovered, plan: Plan, code: ExitCode) -> Mapping[str, str]:
    """Why there is no copy, if there should be one: that changes nothing of what became of the fleet."""
    if job.report is not None:
        try:
            write_report(recovered.run, plan, job.report, exit_code=int(code))
        except StateError as error:
            job.warn("report.not_copied", str(error))
            return {"the copy of the report": str(error)}
    return {}
