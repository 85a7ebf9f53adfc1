"""One session of a run: everything opened and joined, run to its end, and the report written whatever happens."""

import os
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import anyio
import msgspec
from anyio import to_thread

from orchestrator import __version__
from orchestrator.app.process.die_at_point import crasher, patience_s
from orchestrator.app.process.due import due_in
from orchestrator.app.process.open_files import FileRoom
from orchestrator.app.process.watchdog import Watchdog, end_process
from orchestrator.app.run.known_upgrades import known_upgrades
from orchestrator.app.run.listening import obey_commands, obey_signals, reading_commands
from orchestrator.app.scopes.keep_rates import keeping, learned
from orchestrator.app.scopes.leave_to_others import leave_to_others
from orchestrator.app.scopes.open_scopes import open_scopes
from orchestrator.app.scopes.rate_memory import RateMemory
from orchestrator.app.sinks.checkpoint_keeper import CheckpointKeeper
from orchestrator.app.sinks.page_writer import PageWriter
from orchestrator.app.sinks.report_writer import ReportWriter, last_report
from orchestrator.app.sinks.tee import RecordSink, Tee
from orchestrator.clock import SystemClock
from orchestrator.cloud.gates.asker import open_asker
from orchestrator.cloud.secrets.registry import Secrets
from orchestrator.errors import ExitCode, OrchestratorError, for_people, place_of
from orchestrator.executor.decide.actions import Finish
from orchestrator.executor.decide.exit_code import exit_code
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.decide.waits import Wait
from orchestrator.executor.dispatch import Background, Dispatcher, guarded
from orchestrator.executor.ledger import Ledger
from orchestrator.executor.ports import GateAsker
from orchestrator.executor.restore_queue import make_queue
from orchestrator.executor.scope.host_time import HostTime
from orchestrator.executor.scope.jobs.job_list import Board
from orchestrator.executor.scope.rates import Rates
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.executor.session import NobodyAsks, Session
from orchestrator.executor.supervise import Service, supervise
from orchestrator.host import machine_name, user_name
from orchestrator.host_zone import HOST_ZONE
from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.settings import settings_changed, settings_of
from orchestrator.model.record.record import Record, SessionStarted
from orchestrator.model.run.run import Run
from orchestrator.planner.targets.own_windows import check_own_windows
from orchestrator.planner.waves import assign_waves, scope_targets, wave_targets
from orchestrator.tracker.journal.group_commit import JournalWriter
from orchestrator.tracker.runs.recovery import Recovered
from orchestrator.tracker.state_store import Fleet


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What a session is asked to do.

    Attributes:
        plan: as in force in this session.
        recovered: the run, folded from its journal.
        until: nothing starts from this instant on; None for no bound.
        longest_s: nor when the session has lasted so long.
        barred: why nothing starts any more in this run; what is open is followed.
        approved: SHA-256 of the saved preview that the session is bound to; empty for none.
        secrets: what no record may hold.
        memory: where `rate: auto` starts, and is kept.
        sinks: who is shown its records, beside the reports.
        room: how many connections and calls fit into what this process may have open.
    """

    plan: Plan
    recovered: Recovered
    environ: Mapping[str, str]
    until: datetime | None
    wait_s: float
    memory: RateMemory
    room: FileRoom
    longest_s: float | None = None
    sinks: tuple[RecordSink, ...] = ()
    barred: Wait | None = None
    approved: str = ""
    secrets: Secrets = msgspec.field(default_factory=Secrets)

    @property
    def run(self) -> Run:
        """The run, which the session carries on."""
        return self.recovered.run

    @property
    def report(self) -> Path:
        """Where the report is written."""
        return self.recovered.stored.report

    @property
    def fleet(self) -> Fleet:
        """Whose run it is."""
        return self.recovered.stored.fleet


class Done(msgspec.Struct, frozen=True):
    """How a session ended.

    Attributes:
        warnings: what failed beside the session and after its journal was closed.
    """

    finish: Finish
    code: ExitCode
    warnings: tuple[str, ...] = ()


async def work(job: Work) -> Done:
    """Run one session, and write the report on the way out, also out of any error.

    Raises:
        StateError: the journal or the report cannot be written.
        PlanError: the plan cannot be carried out as it is.
        ScopeUnusable: the environment names a proxy that is none.
        Broken: a bug that has no bulkhead of its own.
    """
    try:
        finish = await _opened(job)
    except Exception as error:
        last = for_people(error)
        with suppress(OrchestratorError):  # the first error says more
            await to_thread.run_sync(last_report, job.recovered, job.plan, last.exit_code)
        if last is error:
            raise
        raise last from error
    except BaseException:
        last_report(job.recovered, job.plan, ExitCode.INTERNAL)
        raise
    code = exit_code(job.run, finish, barred=job.barred is not None)
    return Done(finish, code, tuple(await to_thread.run_sync(last_report, job.recovered, job.plan, code)))


async def _opened(job: Work) -> Finish:
    clock = SystemClock()

    def note(record: Record) -> None:
        ledger.note(record)

    opened = open_scopes(
        job.plan,
        environ=job.environ,
        clock=clock,
        note=note,
        memory=job.memory,
        secrets=job.secrets,
        connections=job.room.connections,
    )
    async with opened as scopes, _gates(job, clock) as gates:
        checkpoints = CheckpointKeeper(job.recovered)
        dispatcher = _assemble(job, scopes, gates, clock, checkpoints)
        session, ledger = dispatcher.session, dispatcher.session.ledger
        journal = job.recovered.stored.resume(job.recovered.next_seq)
        writer = JournalWriter(
            journal,
            ledger.on_durable,
            on_others=session.on_others,
            on_overtaken=ledger.on_overtaken,
            on_failure=ledger.on_failure,
        )
        shared = journal.looks_every_s is not None
        ledger.attach(writer, send_within_s=journal.send_within_s, shared=shared)
        finish = await _journalled(job, dispatcher, writer)
        await to_thread.run_sync(_keep_rates, job, scopes, clock)
        with suppress(OrchestratorError):  # the journal tells the same
            await checkpoints.last()
        return finish


@asynccontextmanager
async def _gates(job: Work, clock: SystemClock) -> AsyncIterator[GateAsker]:
    """Where gates are asked; a plan without any opens nothing for them."""
    if not job.plan.gates:
        yield NobodyAsks()
        return
    async with open_asker(job.plan, environ=job.environ, clock=clock, secrets=job.secrets) as asker:
        yield asker


def _keep_rates(job: Work, scopes: dict[str, ScopeCalls], clock: SystemClock) -> None:
    try:
        job.memory.keep(job.plan, learned(scopes), clock.now())
    except Exception as error:  # noqa: BLE001  # a bulkhead: the next session finds the rates again
        job.memory.warn(f"the rates are not kept: {place_of(error)}")


async def _journalled(job: Work, dispatcher: Dispatcher, writer: JournalWriter) -> Finish:
    watchdog = Watchdog(partial(due_in, dispatcher, writer), end_process, patience_s(os.environ))
    signals = Service("signals", partial(obey_signals, dispatcher))
    with watchdog.watching():
        async with anyio.create_task_group() as group:
            group.start_soon(watchdog.beat)
            group.start_soon(writer.run)
            group.start_soon(supervise, signals, dispatcher.session)
            await _announce(job, dispatcher.session)
            leave_to_others(job.plan.scopes, dispatcher.session.scopes, job.fleet.state.host)
            await obey_commands(job.fleet.inbox(), dispatcher, to_thread.run_sync)
            finish = await dispatcher.run()
            await writer.aclose()
            group.cancel_scope.cancel()
    return finish


def _assemble(
    job: Work, scopes: dict[str, ScopeCalls], gates: GateAsker, clock: SystemClock, *own: RecordSink
) -> Dispatcher:
    rollout = _rollout(job, scopes, HostTime(clock))

    def wake() -> None:
        dispatcher.wake()

    def failed(sink: str, error: Exception) -> None:
        ledger.part_failed(sink, error)

    page = PageWriter(job.recovered.stored)
    sinks = Tee((*job.sinks, ReportWriter(job.recovered, job.plan, page.draw), page, *own), failed)
    ledger = Ledger(rollout, clock, changed=wake, observe=sinks, mask=job.secrets.mask)
    started = job.run.started
    known = known_upgrades(job.fleet.state, simulated=started is not None and started.simulated)
    session = Session(
        rollout=rollout,
        ledger=ledger,
        scopes=scopes,
        boards={name: Board(calls) for name, calls in scopes.items()},
        clock=clock,
        sending=anyio.CapacityLimiter(job.room.concurrency),
        most_sending=job.room.concurrency,
        gates=gates,
        new_token=lambda: uuid.uuid4().hex,
        known_workflows=known.workflows,
        told_elsewhere=known.told,
        reached=crasher(os.environ),
    )
    dispatcher = Dispatcher(session, background=(*_background(job), *sinks.background()))
    return dispatcher


def _background(job: Work) -> Iterator[Background]:
    yield guarded("a person's commands", reading_commands(job.fleet.inbox(), to_thread.run_sync), vital=True)
    yield guarded("the memory of the rates", keeping(job.memory, to_thread.run_sync), vital=False)


def _rollout(job: Work, scopes: dict[str, ScopeCalls], host: HostTime) -> Rollout:
    targets = list(job.run.targets.values())
    check_own_windows(job.plan, targets)  # `windows` may have changed since the run began
    staging = assign_waves(job.plan, targets)
    return Rollout(
        plan=job.plan,
        run=job.run,
        queue=make_queue(job.plan, targets, job.run),
        wave_targets=wave_targets(staging),
        scope_targets=scope_targets(staging),
        scope_rates=Rates(scopes),
        available=lambda name: scopes[name].available,
        ahead=lambda: host.ahead(job.run.timeline.offsets),
        zone=HOST_ZONE,
        until=job.until,
        ends_at=None if job.longest_s is None else host.clock.now() + timedelta(seconds=job.longest_s),
        barred=job.barred,
        wait_s=job.wait_s,
    )


async def _announce(job: Work, session: Session) -> None:
    """Say in the journal that this process took up the run, with which changed settings, and what bounds it."""
    job.run.recount(job.plan.failures)
    rollout = session.rollout
    await session.ledger.record(
        SessionStarted(
            at=session.clock.now(),
            step="session",
            number=len(job.run.sessions) + 1,
            pid=os.getpid(),
            host=machine_name(),
            orchestrator_version=__version__,
            user=user_name(),
            changed=settings_changed(job.recovered.in_force, job.plan),
            set=dict(job.plan.set),
            in_flight=job.plan.limits.in_flight,
            clocks=session.ledger.clocks(),
            until=None if rollout.until is None else rollout.until.astimezone(UTC),
            ends_at=rollout.ends_at,
            barred=() if rollout.barred is None else rollout.barred.noted,
            approved=job.approved,
        )
    )
    await to_thread.run_sync(job.recovered.stored.save_settings, settings_of(job.plan))
