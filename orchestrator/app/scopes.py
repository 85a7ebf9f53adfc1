"""The scopes of a plan, ready to be called: one client, one gate, and one rate where endpoint and credentials agree."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Hashable, Mapping
from contextlib import asynccontextmanager
from random import Random

from orchestrator.cloud import account_key, open_clouds, rate_key
from orchestrator.executor.calls import ScopeCalls
from orchestrator.executor.lanes import Lanes
from orchestrator.executor.pacing import WindowPacer
from orchestrator.executor.ports import Clock
from orchestrator.executor.trial import Trial
from orchestrator.model.plan import Plan, Scope
from orchestrator.model.record import Record

#: Connections beside those of the attempts: polls and preflights.
_SPARE_CONNECTIONS = 20


@asynccontextmanager
async def open_scopes(
    plan: Plan, *, environ: Mapping[str, str], clock: Clock, note: Callable[[Record], None]
) -> AsyncIterator[dict[str, ScopeCalls]]:
    """The calls of each scope, by name. Makes no request itself.

    Raises:
        PlanError: an unknown region, or an address that cannot be used.
    """
    # A preview reads with `concurrency` calls at once in each scope, and all scopes may be on one host.
    connections = max(2, len(plan.scopes)) * plan.limits.concurrency + _SPARE_CONNECTIONS
    async with open_clouds(
        plan.scopes, http=plan.http, language=plan.language, connections=connections, environ=environ, clock=clock
    ) as clients:
        lanes = shared_lanes(plan, environ, clock)
        trials = shared_trials(plan, environ)
        yield {
            scope.name: ScopeCalls(
                name=scope.name,
                api=clients[scope.name],
                lanes=lanes[scope.name],
                retry=plan.retry,
                clock=clock,
                chance=Random().random,  # noqa: S311  # jitter, not a secret
                note=note,
                trial=trials[scope.name],
            )
            for scope in plan.scopes
        }


def shared_lanes(plan: Plan, environ: Mapping[str, str], clock: Clock) -> dict[str, Lanes]:
    """One line for all scopes with the same endpoint and credentials, at the lowest of their rates."""
    groups: dict[Hashable, list[Scope]] = {}
    for scope in plan.scopes:
        groups.setdefault(rate_key(scope, environ), []).append(scope)
    lanes: dict[str, Lanes] = {}
    for group in groups.values():
        rate = min(scope_rate(plan, scope) for scope in group)
        lanes.update(dict.fromkeys((scope.name for scope in group), Lanes(WindowPacer(rate), clock)))
    return lanes


def shared_trials(plan: Plan, environ: Mapping[str, str]) -> dict[str, Trial]:
    """One trial for all scopes with the credentials of the same account."""
    trials: defaultdict[Hashable, Trial] = defaultdict(Trial)
    return {scope.name: trials[account_key(scope, environ)] for scope in plan.scopes}


def scope_rate(plan: Plan, scope: Scope) -> float:
    """Calls per second that a scope may make."""
    rate = plan.limits.rate if scope.rate is None else scope.rate
    if rate == "auto":
        raise NotImplementedError("rate: auto is refused before a run begins")
    return rate
