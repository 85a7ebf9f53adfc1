"""The scopes of a plan, ready to be called: one client, one gate, and one rate where endpoint and credentials agree."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from random import Random
from secrets import token_hex

from orchestrator.app.process.open_files import make_room
from orchestrator.app.scopes.assume_rates import rate_groups, written_rate
from orchestrator.app.scopes.rate_memory import RateMemory
from orchestrator.cloud.account_key import account_key
from orchestrator.cloud.open_clouds import open_clouds
from orchestrator.cloud.secrets.registry import Secrets
from orchestrator.executor.ports import Clock
from orchestrator.executor.rate.auto_rate import auto_pacer
from orchestrator.executor.rate.fixed_rate import WindowPacer
from orchestrator.executor.rate.lanes import Lanes
from orchestrator.executor.rate.pacer import Pacer
from orchestrator.executor.rate.shared_pacer import SharedPacer
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.executor.scope.shared_credentials import SharedCredentials
from orchestrator.model.plan.plan import Plan, Scope
from orchestrator.model.record.record import Record


@asynccontextmanager
async def open_scopes(
    plan: Plan,
    *,
    environ: Mapping[str, str],
    clock: Clock,
    secrets: Secrets,
    note: Callable[[Record], None] | None = None,
    memory: RateMemory | None = None,
    connections: int | None = None,
) -> AsyncIterator[dict[str, ScopeCalls]]:
    """The calls of each scope, by name. Makes no request itself.

    Args:
        plan: whose scopes are opened.
        environ: where endpoints and credentials may be.
        clock: the one that counts.
        secrets: learns what must not be shown; the same for all that a verb shows of others.
        note: takes records about the scopes; None outside a run, which keeps no journal.
        memory: where `rate: auto` starts; None when nothing is known.
        connections: most to one host, for reads and for the rest; None for what the plan needs.

    Raises:
        PlanError: an unknown region, or an address that cannot be used.
    """
    clients = open_clouds(
        plan.scopes,
        http=plan.http,
        language=plan.language,
        connections=make_room(plan).connections if connections is None else connections,
        environ=environ,
        clock=clock,
        secrets=secrets,
        eye=plan.cloud_eye if plan.reads_metrics else None,
    )
    shared = shared_credentials(plan, environ)
    async with clients as apis:
        with shared_lanes(plan, memory or RateMemory(environ=environ), clock) as lanes:
            yield {
                scope.name: ScopeCalls(
                    name=scope.name,
                    api=apis[scope.name],
                    lanes=lanes[scope.name],
                    retry=plan.retry,
                    clock=clock,
                    chance=Random().random,  # noqa: S311  # jitter, not a secret
                    note=note or _forget,
                    credentials=shared[scope.name],
                    eye=apis[scope.name].eye,
                )
                for scope in plan.scopes
            }


@contextmanager
def shared_lanes(plan: Plan, memory: RateMemory, clock: Clock) -> Iterator[dict[str, Lanes]]:
    """One line for all scopes with the same endpoint and credentials, and one rate for all processes that use them."""
    lanes: dict[str, Lanes] = {}
    with ExitStack() as stack:
        for group in rate_groups(plan, memory.environ):
            shared = Lanes(stack.enter_context(_pacing(plan, group, memory, clock)), clock)
            lanes.update(dict.fromkeys((scope.name for scope in group), shared))
        yield lanes


def shared_credentials(plan: Plan, environ: Mapping[str, str]) -> dict[str, SharedCredentials]:
    """What is known of the credentials of each scope: one thing for all scopes of the same account."""
    shared: defaultdict[Hashable, SharedCredentials] = defaultdict(SharedCredentials)
    return {scope.name: shared[account_key(scope, environ)] for scope in plan.scopes}


@contextmanager
def _pacing(plan: Plan, group: Sequence[Scope], memory: RateMemory, clock: Clock) -> Iterator[Pacer]:
    """At the lowest rate that is written for any of them; only if none is, it is found out."""
    rate, place = written_rate(plan, group), memory.place(group[0], clock)
    known = memory.known(group[0]) if rate is None else None
    learned = None if known is None else known.rate
    if place is None:
        yield auto_pacer(learned) if rate is None else WindowPacer(rate)
        return
    pacer = SharedPacer(place, token_hex(4), rate, learned, memory.warn_unshared)
    try:
        yield pacer
    finally:
        pacer.leave(clock.monotonic())


def _forget(_record: Record) -> None:
    """There is no journal."""
