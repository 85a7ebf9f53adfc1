"""One session of a run: everything opened and joined, run to its end, and the report written whatever happens."""

import os
import signal
import uuid
from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import anyio
from anyio import to_thread

from orchestrator import __version__
from orchestrator.app.crash import crasher
from orchestrator.app.orders import carry_out
from orchestrator.app.queueing import make_queue, scope_targets, wave_targets
from orchestrator.app.rates import RateMemory, keeping
from orchestrator.app.scopes import open_scopes
from orchestrator.app.stops import leave_on_stop, stop_signals
from orchestrator.clock import SystemClock
from orchestrator.cloud import Secrets
from orchestrator.errors import ExitCode, OrchestratorError
from orchestrator.executor.actions import Finish
from orchestrator.executor.calls import Rates, ScopeCalls
from orchestrator.executor.dispatch import Background, Dispatcher
from orchestrator.executor.ending import exit_code
from orchestrator.executor.ledger import Ledger
from orchestrator.executor.listing import Board
from orchestrator.executor.rollout import Rollout
from orchestrator.executor.session import Session
from orchestrator.host import machine_name
from orchestrator.model.plan import Plan
from orchestrator.model.record import Record, ReturnedToWaiting, SessionStarted, Settled, WaveDone
from orchestrator.model.run import Run
from orchestrator.planner.own_windows import check_own_windows
from orchestrator.planner.waves import assign_waves
from orchestrator.tracker.commands import CommandInbox
from orchestrator.tracker.journal import Journal
from orchestrator.tracker.neighbours import Workflows
from orchestrator.tracker.place import JOURNAL, REPORT
from orchestrator.tracker.recovery import Recovered
from orchestrator.tracker.report_file import write_report
from orchestrator.tracker.settings import save_settings, settings_changed, settings_of
from orchestrator.tracker.writer import JournalWriter

#: How often a running process looks for a person's commands.
_INBOX_EVERY_S = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a session is asked to do.

    Attributes:
        plan: as in force in this session.
        recovered: the run, folded from its journal.
        state: the state folder.
        fleet: the fleet's folder.
        until: nothing starts from this instant on; None for no bound.
        barred: why nothing starts any more in this run; what is open is followed.
        secrets: what no record may hold.
        memory: where `rate: auto` starts, and is kept.
        observe: called with every record when it counts.
        background: further tasks, such as a live display.
    """

    plan: Plan
    recovered: Recovered
    state: Path
    fleet: Path
    environ: Mapping[str, str]
    until: datetime | None
    wait_s: float
    memory: RateMemory
    observe: Callable[[Record], None]
    background: tuple[Background, ...] = ()
    barred: str | None = None
    secrets: Secrets = field(default_factory=Secrets)

    @property
    def run(self) -> Run:
        """The run, which the session carries on."""
        return self.recovered.run

    @property
    def report(self) -> Path:
        """Where the report is written."""
        return self.recovered.folder / REPORT


@dataclass(frozen=True, slots=True)
class Done:
    """How a session ended."""

    finish: Finish
    code: ExitCode


async def work(job: Work) -> Done:
    """Run one session, and write the report on the way out, also out of any error.

    Raises:
        StateError: the journal cannot be written.
        PlanError: the plan cannot be carried out as it is.
        ScopeUnusable: the environment names a proxy that is none.
    """
    code = ExitCode.INTERNAL
    try:
        finish = await _opened(job)
        code = exit_code(job.run, finish, barred=job.barred is not None)
        return Done(finish, code)
    except OrchestratorError as error:
        code = error.exit_code
        raise
    except BaseExceptionGroup as group:
        told = _told(group)
        if told is None:
            raise
        code = told.exit_code
        raise told from group
    finally:
        write_report(job.run, job.plan, job.report, exit_code=int(code))


def _told(group: BaseExceptionGroup[BaseException]) -> OrchestratorError | None:
    """The first error of a group that has a message for people."""
    for error in group.exceptions:
        found = _told(error) if isinstance(error, BaseExceptionGroup) else error
        if isinstance(found, OrchestratorError):
            return found
    return None


async def _opened(job: Work) -> Finish:
    clock = SystemClock()

    def note(record: Record) -> None:
        ledger.note(record)

    async with open_scopes(
        job.plan, environ=job.environ, clock=clock, note=note, memory=job.memory, secrets=job.secrets
    ) as scopes:
        dispatcher = _assemble(job, scopes, clock)
        ledger = dispatcher.session.ledger
        writer = JournalWriter(
            Journal.resume(job.recovered.folder / JOURNAL, job.recovered.next_seq), ledger.on_durable
        )
        ledger.attach(writer)
        finish = await _journalled(job, dispatcher, writer)
        job.memory.keep(job.plan, scopes, clock.now())
        return finish


async def _journalled(job: Work, dispatcher: Dispatcher, writer: JournalWriter) -> Finish:
    async with anyio.create_task_group() as group:
        group.start_soon(writer.run)
        group.start_soon(_obey_signals, dispatcher)
        await _announce(job, dispatcher.session)
        inbox = CommandInbox(job.fleet)
        await _obey_commands(inbox, dispatcher)
        finish = await dispatcher.run()
        await writer.aclose()
        group.cancel_scope.cancel()
    return finish


def _assemble(job: Work, scopes: dict[str, ScopeCalls], clock: SystemClock) -> Dispatcher:
    reports = _Reports(job)
    rollout = _rollout(job, scopes)

    def wake() -> None:
        dispatcher.wake()

    observe = _both(job.observe, reports.note)
    ledger = Ledger(rollout, clock, changed=wake, observe=observe, mask=job.secrets.mask)
    session = Session(
        rollout=rollout,
        ledger=ledger,
        scopes=scopes,
        boards={name: Board(calls) for name, calls in scopes.items()},
        clock=clock,
        sending=anyio.Semaphore(job.plan.limits.concurrency, fast_acquire=True),
        new_token=lambda: uuid.uuid4().hex,
        known_workflows=_known(job.state),
        reached=crasher(os.environ),
    )
    dispatcher = Dispatcher(
        session, background=(_read_commands(job.fleet), keeping(job.memory), reports.write, *job.background)
    )
    return dispatcher


def _rollout(job: Work, scopes: dict[str, ScopeCalls]) -> Rollout:
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
        until=job.until,
        barred=job.barred,
        wait_s=job.wait_s,
    )


async def _announce(job: Work, session: Session) -> None:
    """Say in the journal that this process took up the run, and with which changed settings."""
    job.run.recount(job.plan.failures)
    await session.ledger.record(
        SessionStarted(
            at=session.clock.now(),
            step="session",
            number=len(job.run.sessions) + 1,
            pid=os.getpid(),
            host=machine_name(),
            orchestrator_version=__version__,
            changed=settings_changed(job.recovered.in_force, job.plan),
        )
    )
    save_settings(job.recovered.folder, settings_of(job.plan))


# --- tasks beside the loop --------------------------------------------------------------------------------------------


async def _obey_signals(dispatcher: Dispatcher) -> None:
    """The first signal ends the session in good order, the second at once: the journal is right at every instant."""
    stopping = False
    try:
        with anyio.open_signal_receiver(*stop_signals()) as signals:
            async for number in signals:
                if stopping:
                    os._exit(ExitCode.MORE_TO_DO)
                stopping = True
                dispatcher.stop(f"stopped by {signal.Signals(number).name}")
    finally:  # the journal is closed and the report written, unless this is the second stop
        leave_on_stop(ExitCode.MORE_TO_DO, unheeded=0 if stopping else 1)


def _read_commands(fleet: Path) -> Background:
    inbox = CommandInbox(fleet)

    async def task(dispatcher: Dispatcher) -> None:
        while True:
            await _obey_commands(inbox, dispatcher)
            await dispatcher.session.clock.sleep(_INBOX_EVERY_S)

    return task


async def _obey_commands(inbox: CommandInbox, dispatcher: Dispatcher) -> None:
    session = dispatcher.session
    for number, command in inbox.new(session.run.commands_seen):
        record = carry_out(session.run, number, command, session.clock.now())
        if isinstance(record, Settled | ReturnedToWaiting):
            await dispatcher.overrule(record)
        else:
            await session.ledger.record(record)


class _Reports:
    """Writes the report after each wave."""

    def __init__(self, job: Work) -> None:
        self._job = job
        self._due = anyio.Event()

    def note(self, record: Record) -> None:
        """A wave that is done makes a report due."""
        if isinstance(record, WaveDone):
            self._due.set()

    async def write(self, _dispatcher: Dispatcher) -> None:
        """Write a report whenever one is due."""
        while True:
            await self._due.wait()
            self._due = anyio.Event()
            write_report(self._job.run, self._job.plan, self._job.report)


def _both(one: Callable[[Record], None], other: Callable[[Record], None]) -> Callable[[Record], None]:
    def observe(record: Record) -> None:
        one(record)
        other(record)

    return observe


def _known(state: Path) -> Callable[[], Awaitable[AbstractSet[str]]]:
    """Every workflow_id of the state folder, also those that other fleets have learned since it was last asked."""
    workflows, one_at_a_time = Workflows(state), anyio.CapacityLimiter(1)

    async def read() -> AbstractSet[str]:
        return await to_thread.run_sync(workflows.known, limiter=one_at_a_time)

    return read
