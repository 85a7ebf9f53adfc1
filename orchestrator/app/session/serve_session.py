"""What a host does while it stands by: it serves the scopes that the host at work may not, until that is over."""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import anyio
from anyio import to_thread
from msgspec import Struct, structs

from orchestrator.app.process.collector import spare_the_collector
from orchestrator.app.process.event_loop import backend_options
from orchestrator.app.process.open_files import make_room
from orchestrator.app.process.signals import stop_signals
from orchestrator.app.process.state_clock import state_clock
from orchestrator.app.scopes.expect_credentials import expect_credentials
from orchestrator.app.scopes.keep_rates import keep_on
from orchestrator.app.scopes.rate_memory import RateMemory
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
from orchestrator.errors import ScopeUnusable, TakenOver, for_people
from orchestrator.executor.decide.waits import Wait
from orchestrator.executor.hosts.scope_server import ScopeServer
from orchestrator.executor.supervise import Service
from orchestrator.model.plan.plan import Plan, Scope
from orchestrator.model.plan.served_group import group_of
from orchestrator.model.record.record import Record
from orchestrator.tracker.runs.recovery import Recovered, latest_run, recover
from orchestrator.tracker.served_groups import Post
from orchestrator.tracker.state_store import Fleet


class ServingStandBy(Struct, frozen=True):
    """Serves by what the run keeps; this host gives the credentials.

    Attributes:
        fleet: which is stood by for.
        plan: as this host knows it: whose credentials it has is seen by that.
        memory: where `rate: auto` starts, and is kept.
        warn: takes an event and why, as for the session of the host at work.
    """

    fleet: Fleet
    plan: Plan
    memory: RateMemory
    warn: Callable[[str, str], None]

    def serves(self, group: str) -> bool:
        """Whether this host has credentials for a scope of the group."""
        try:
            expect_credentials(structs.replace(self.plan, scopes=_scopes(self.plan, [group])), self.memory.environ)
        except ScopeUnusable:
            return False
        return True

    def serve(self, post: Post) -> None:
        """Serve until the post is over, or the session of the host at work is.

        Raises:
            KeyboardInterrupt: this process was told to stop.
            StateError: the database cannot be used.
        """
        while post.over() is None:
            stored = latest_run(self.fleet)
            recovered = None if stored is None else recover(stored)
            if recovered is None or not recovered.run.sessions or recovered.run.session_ended is not None:
                return
            with _own_signals():
                server = _run(self._work(recovered), post)
            if server is not None and server.stopped:
                raise KeyboardInterrupt
            if server is None or not server.missed:
                return

    def _work(self, recovered: Recovered) -> Work:
        """The same as that of the host at work, as it has written it down."""
        session, now = recovered.run.sessions[-1], state_clock(self.fleet.state).now()
        room = make_room(recovered.in_force)
        if room.warning:
            self.warn("open_files.few", room.warning)
        return Work(
            plan=recovered.in_force,
            recovered=recovered,
            environ=self.memory.environ,
            until=session.until,
            longest_s=None if session.ends_at is None else max(0.0, (session.ends_at - now).total_seconds()),
            wait_s=0.0,
            memory=self.memory,
            room=room,
            barred=Wait.recalled(session.barred),
        )


@contextmanager
def _own_signals() -> Iterator[None]:
    """A session takes the signals that ask to stop; afterwards they do what they did before."""
    before = {number: signal.getsignal(number) for number in stop_signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _scopes(plan: Plan, groups: Sequence[str]) -> tuple[Scope, ...]:
    return tuple(scope for scope in plan.scopes if group_of(scope) in groups)


def _run(job: Work, post: Post) -> ScopeServer | None:
    """Serve, and return who did; None when another one serves by now."""
    spare_the_collector()
    try:
        return anyio.run(_serving, job, post, backend="asyncio", backend_options=backend_options())
    except Exception as error:
        last = for_people(error)
        if not isinstance(last, TakenOver):
            raise last from error
    return None


async def _serving(job: Work, post: Post) -> ScopeServer:
    clock = await clock_of(job)

    def note(record: Record) -> None:
        session.ledger.note(record)

    def wake() -> None:
        server.wake()

    opened = scopes_of(job, _scopes(job.plan, post.groups), clock, note)
    async with opened as scopes, gates_of(job, clock) as gates:
        session = await new_session(job, scopes, clock, wake, observe=_unseen, gates=gates)
        keeping = Service(
            "the memory of the rates", partial(keep_on, job.memory, to_thread.run_sync, session), vital=False
        )
        server = ScopeServer(session, job.fleet.state.host or "", post.over, [keeping])
        writer = attached(session, job.recovered.stored.join(job.recovered.next_seq, post))
        async with watched(server, writer):
            await server.run()
        await to_thread.run_sync(keep_rates, job, scopes, clock)
    return server


def _unseen(_record: Record) -> None:
    """Who serves tells nobody: the host at work tells of the whole run."""
