"""What a session is put together from, on the host that decides and on one that serves."""

import os
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Protocol

import anyio
from anyio import to_thread
from msgspec import structs

from orchestrator.app.process.die_at_point import crasher, patience_s
from orchestrator.app.process.due import Working, due_in
from orchestrator.app.process.state_clock import state_clock
from orchestrator.app.process.watchdog import Watchdog, end_process
from orchestrator.app.scopes.keep_rates import learned
from orchestrator.app.scopes.open_scopes import open_scopes
from orchestrator.app.session.known_upgrades import known_upgrades
from orchestrator.app.session.listening import Stoppable, obey_signals
from orchestrator.app.session.session_work import Work
from orchestrator.clock import SystemClock
from orchestrator.cloud.gates.asker import open_asker
from orchestrator.errors import place_of
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.hosts.scopes_of_others import ScopesOfOthers
from orchestrator.executor.ledger import Ledger
from orchestrator.executor.ports import GateAsker
from orchestrator.executor.restore_queue import make_queue
from orchestrator.executor.scope.host_time import HostTime
from orchestrator.executor.scope.jobs.job_list import Board
from orchestrator.executor.scope.rates import Rates
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.executor.session import NobodyAsks, Session
from orchestrator.executor.supervise import Service, supervise
from orchestrator.host_zone import HOST_ZONE
from orchestrator.model.plan.plan import Scope
from orchestrator.model.record.record import Record
from orchestrator.planner.targets.own_windows import check_own_windows
from orchestrator.planner.waves import assign_waves, scope_targets, wave_targets
from orchestrator.tracker.journal.group_commit import JournalWriter
from orchestrator.tracker.open_journal import OpenJournal


def scopes_of(
    job: Work, scopes: Sequence[Scope], clock: SystemClock, note: Callable[[Record], None]
) -> AbstractAsyncContextManager[dict[str, ScopeCalls]]:
    """The calls of scopes of the plan; makes no request."""
    return open_scopes(
        structs.replace(job.plan, scopes=tuple(scopes)),
        environ=job.environ,
        clock=clock,
        note=note,
        memory=job.memory,
        secrets=job.secrets,
        connections=job.room.connections,
    )


async def clock_of(job: Work) -> SystemClock:
    """The session's clock: that which all hosts of the state go by, where it has several."""
    return await to_thread.run_sync(state_clock, job.fleet.state)


@asynccontextmanager
async def gates_of(job: Work, clock: SystemClock) -> AsyncIterator[GateAsker]:
    """Where gates are asked; a plan without any opens nothing for them."""
    if not job.plan.gates:
        yield NobodyAsks()
        return
    async with open_asker(job.plan, environ=job.environ, clock=clock, secrets=job.secrets) as asker:
        yield asker


def keep_rates(job: Work, scopes: Mapping[str, ScopeCalls], clock: SystemClock) -> None:
    """Keep what `rate: auto` has found; what fails costs the next session a search."""
    try:
        job.memory.keep(job.plan, learned(scopes), clock.now())
    except Exception as error:  # noqa: BLE001  # a bulkhead: the next session finds the rates again
        job.memory.warn(f"the rates are not kept: {place_of(error)}")


async def new_session(
    job: Work,
    scopes: Mapping[str, ScopeCalls],
    clock: SystemClock,
    wake: Callable[[], None],
    *,
    observe: Callable[[Record], None],
    gates: GateAsker,
    elsewhere: ScopesOfOthers | None = None,
) -> Session:
    """A session that has no journal yet. What is counted and sorted of a whole fleet for it is beside the loop.

    Args:
        job: what it is to do.
        scopes: those whose stories run in it.
        clock: the session's.
        wake: called when something has changed.
        observe: called with each record that counts.
        gates: where they are asked.
        elsewhere: the other scopes, for the host that decides; None for one that serves.
    """
    others = elsewhere or ScopesOfOthers((), job.run, clock, _nobody, {})
    rollout = await to_thread.run_sync(_rollout, job, scopes, others, HostTime(clock))
    ledger = Ledger(rollout, clock, changed=wake, observe=observe, mask=job.secrets.mask)
    started = job.run.started
    known = known_upgrades(job.fleet.state, simulated=started is not None and started.simulated)
    return Session(
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
        leads=elsewhere is not None,
    )


def attached(session: Session, journal: OpenJournal) -> JournalWriter:
    """What writes the records of a session into a journal, which is the session's own from now on."""
    ledger = session.ledger
    writer = JournalWriter(
        journal,
        ledger.on_durable,
        on_others=session.on_others,
        on_overtaken=ledger.on_overtaken,
        on_failure=ledger.on_failure,
    )
    ledger.attach(writer, send_within_s=journal.send_within_s, shared=journal.looks_every_s is not None)
    return writer


class Watched(Working, Stoppable, Protocol):
    """Works at a session until it is told to stop."""


@asynccontextmanager
async def watched(worker: Watched, writer: JournalWriter) -> AsyncIterator[None]:
    """For the length of the block records are written, signals obeyed, and a standstill ends the process."""
    watchdog = Watchdog(partial(due_in, worker, writer), end_process, patience_s(os.environ))
    signals = Service("signals", partial(obey_signals, worker))
    with watchdog.watching():
        async with anyio.create_task_group() as group:
            group.start_soon(watchdog.beat)
            group.start_soon(writer.run)
            group.start_soon(supervise, signals, worker.session)
            yield
            await writer.aclose()
            group.cancel_scope.cancel()


async def _nobody() -> Mapping[str, str]:
    return {}


def _rollout(job: Work, scopes: Mapping[str, ScopeCalls], elsewhere: ScopesOfOthers, host: HostTime) -> Rollout:
    targets = list(job.run.targets.values())
    check_own_windows(job.plan, targets)  # `windows` may have changed since the run began
    order = job.recovered.draw_order(job.plan.name)
    staging = assign_waves(job.plan, targets, order=order)
    return Rollout(
        plan=job.plan,
        run=job.run,
        queue=make_queue(job.plan, targets, job.run, order),
        wave_targets=wave_targets(staging),
        scope_targets=scope_targets(staging),
        scope_rates=Rates(scopes, elsewhere.rate),
        available=lambda name: scopes[name].available if name in scopes else elsewhere.available(name),
        ahead=lambda: host.ahead(job.run.timeline.offsets),
        zone=HOST_ZONE,
        until=job.until,
        ends_at=None if job.longest_s is None else host.clock.now() + timedelta(seconds=job.longest_s),
        barred=job.barred,
        wait_s=job.wait_s,
    )
