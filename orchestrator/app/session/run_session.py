"""One session of a run: everything opened and joined, run to its end, and the report written whatever happens."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC
from functools import partial

import msgspec
from anyio import to_thread

from orchestrator import __version__
from orchestrator.app.scopes.assume_rates import first_rates
from orchestrator.app.scopes.keep_rates import keeping
from orchestrator.app.session.listening import obey_commands, reading_commands
from orchestrator.app.session.session_parts import (
    attached,
    clock_of,
    gates_of,
    keep_rates,
    new_session,
    scopes_of,
    watched,
)
from orchestrator.app.session.session_work import Work
from orchestrator.app.sinks.checkpoint_keeper import CheckpointKeeper
from orchestrator.app.sinks.page_writer import PageWriter
from orchestrator.app.sinks.report_writer import ReportWriter, last_report
from orchestrator.app.sinks.tee import RecordSink, Tee
from orchestrator.clock import SystemClock
from orchestrator.errors import ExitCode, OrchestratorError, for_people
from orchestrator.executor.decide.actions import Finish
from orchestrator.executor.decide.exit_code import exit_code
from orchestrator.executor.dispatch import Background, Dispatcher, guarded
from orchestrator.executor.hosts.scopes_of_others import ScopesOfOthers
from orchestrator.executor.ports import GateAsker
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.executor.session import Session
from orchestrator.host import machine_name, user_name
from orchestrator.model.plan.limit_change import limited
from orchestrator.model.plan.plan import Scope
from orchestrator.model.plan.served_group import group_of
from orchestrator.model.plan.settings import settings_changed, settings_of
from orchestrator.model.record.record import Record, SessionStarted
from orchestrator.tracker.journal.group_commit import JournalWriter


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
    clock = await clock_of(job)

    def note(record: Record) -> None:
        ledger.note(record)

    opened = scopes_of(job, job.served, clock, note)
    async with opened as scopes, gates_of(job, clock) as gates:
        checkpoints = CheckpointKeeper(job.recovered)
        dispatcher = await _assemble(job, scopes, gates, clock, checkpoints)
        ledger = dispatcher.session.ledger
        writer = attached(dispatcher.session, job.recovered.stored.resume(job.recovered.next_seq))
        finish = await _journalled(job, dispatcher, writer)
        await to_thread.run_sync(keep_rates, job, scopes, clock)
        with suppress(OrchestratorError):  # the journal tells the same
            await checkpoints.last()
        return finish


async def _journalled(job: Work, dispatcher: Dispatcher, writer: JournalWriter) -> Finish:
    async with watched(dispatcher, writer):
        await _announce(job, dispatcher.session)
        await obey_commands(job.fleet.inbox(), dispatcher, to_thread.run_sync)
        return await dispatcher.run()
    raise AssertionError("the group ends with what it holds")


async def _assemble(
    job: Work, scopes: dict[str, ScopeCalls], gates: GateAsker, clock: SystemClock, *own: RecordSink
) -> Dispatcher:
    def wake() -> None:
        dispatcher.wake()

    def failed(sink: str, error: Exception) -> None:
        session.ledger.part_failed(sink, error)

    page = PageWriter(job.recovered.stored)
    sinks = Tee((*job.sinks, ReportWriter(job.recovered, job.plan, page.draw), page, *own), failed)
    unserved = [scope for scope in job.plan.scopes if scope.name not in scopes]
    elsewhere = ScopesOfOthers(unserved, job.run, clock, partial(_servers, job, unserved), _rates_of(job, unserved))
    session = await new_session(job, scopes, clock, wake, observe=sinks, gates=gates, elsewhere=elsewhere)
    dispatcher = Dispatcher(session, background=(*_background(job, elsewhere), *sinks.background()))
    return dispatcher


def _rates_of(job: Work, scopes: Sequence[Scope]) -> Mapping[str, float]:
    """The rates with which other hosts begin in these scopes, with the limits as a person has changed them."""
    if not scopes:
        return {}
    asked = job.run.limits
    return first_rates(job.plan if asked is None else limited(job.plan, asked.limits), job.memory)


async def _servers(job: Work, scopes: Sequence[Scope]) -> Mapping[str, str]:
    """The hosts that serve these scopes now, by the name of the scope."""
    found = await to_thread.run_sync(job.fleet.servers) if scopes else {}
    return {scope.name: found[group_of(scope)] for scope in scopes if group_of(scope) in found}


def _background(job: Work, elsewhere: ScopesOfOthers) -> Iterator[Background]:
    async def watching(dispatcher: Dispatcher) -> None:
        await elsewhere.watch(dispatcher.session)

    yield guarded("the scopes of other hosts", watching, vital=True)
    yield guarded("a person's commands", reading_commands(job.fleet.inbox(), to_thread.run_sync), vital=True)
    yield guarded("the memory of the rates", keeping(job.memory, to_thread.run_sync), vital=False)


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
    groups = {group_of(scope) for scope in job.plan.scopes} - {group_of(scope) for scope in job.served}
    await to_thread.run_sync(job.fleet.want_served, groups)
