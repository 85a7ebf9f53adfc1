"""Discovery: every proxy that the `discover` entries of a plan mean, read from the cloud, all scopes side by side.

A discovery is complete, or it ends the verb with exit 7 and says what is missing. That holds whatever
`scopes_required` says: a run freezes its targets when it begins, so a scope that could not be searched would be left
out of it without a trace. `scopes_required: any` is about scopes that fail once the targets are known.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

import anyio
import msgspec
from anyio.abc import TaskGroup

from orchestrator.app.discover.scope_search import ScopeSearch
from orchestrator.app.process.die_at_point import patience_s
from orchestrator.app.process.due import due_in_search
from orchestrator.app.process.event_loop import backend_options
from orchestrator.app.process.signals import leave_on_stop, stop_signals
from orchestrator.app.process.watchdog import Watchdog, end_process
from orchestrator.app.scopes.keep_rates import learned
from orchestrator.app.scopes.open_scopes import open_scopes
from orchestrator.app.scopes.rate_memory import RateMemory
from orchestrator.app.scopes.serve_scopes import served
from orchestrator.clock import SystemClock
from orchestrator.cloud.secrets.registry import Secrets
from orchestrator.errors import ExitCode, OrchestratorError, ScopeUnusable
from orchestrator.executor.ports import Clock
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.model.plan.plan import Discover, Plan
from orchestrator.model.plan.target import Target
from orchestrator.model.record.record import Record, ScopeUsed
from orchestrator.planner.targets.discovery import counted_once

#: Problems of one scope that are shown one by one.
_SHOWN = 5

#: Called with the number of instances whose proxies are known, and of all that were found so far.
OnFound = Callable[[int, int], None]


class Discovered(msgspec.Struct, frozen=True):
    """The targets that were found, each once, and how much every scope was used for it."""

    targets: list[Target]
    used: tuple[ScopeUsed, ...] = ()

    @property
    def calls(self) -> int:
        """HTTP requests that it took."""
        return sum(used.calls for used in self.used)


class DiscoveryIncomplete(ScopeUnusable):
    """Something that `discover` asks for could not be learned; the message says what, scope by scope."""


def discover_now(
    plan: Plan,
    environ: Mapping[str, str],
    on_found: OnFound,
    memory: RateMemory | None = None,
    note: Callable[[Record], None] | None = None,
) -> Discovered:
    """Carry out the plan's discovery, if it has one. What it finds out of rates is left in the memory, if there is one.

    `note` takes records about the scopes.

    Raises:
        DiscoveryIncomplete: not everything could be read.
        KeyboardInterrupt: a signal asked to stop; nothing has begun yet.
        PlanError: an unknown region, or an address that cannot be used.
    """
    if not plan.discover:
        return Discovered([])
    found = anyio.run(
        _unless_stopped, plan, environ, on_found, memory, note, backend="asyncio", backend_options=backend_options()
    )
    if found is None:
        raise KeyboardInterrupt
    return found


async def _unless_stopped(
    plan: Plan,
    environ: Mapping[str, str],
    on_found: OnFound,
    memory: RateMemory | None,
    note: Callable[[Record], None] | None,
) -> Discovered | None:
    ended: Discovered | OrchestratorError | None = None
    async with anyio.create_task_group() as group:
        group.start_soon(_cancel_on_signal, group.cancel_scope)
        try:
            ended = await _opened(plan, environ, on_found, memory, note, group)
        except OrchestratorError as error:  # which would come out of the group wrapped up
            ended = error
        group.cancel_scope.cancel()
    if isinstance(ended, OrchestratorError):
        raise ended
    return ended


async def _opened(
    plan: Plan,
    environ: Mapping[str, str],
    on_found: OnFound,
    memory: RateMemory | None,
    note: Callable[[Record], None] | None,
    group: TaskGroup,
) -> Discovered:
    clock = SystemClock()
    opened = open_scopes(plan, environ=environ, clock=clock, note=note, memory=memory, secrets=Secrets())
    async with opened as scopes:
        readers = plan.limits.concurrency
        used = {entry.scope: scopes[entry.scope] for entry in plan.discover}
        watchdog = Watchdog(partial(due_in_search, used, plan.http.timeout_s), end_process, patience_s(environ))
        group.start_soon(watchdog.beat)
        with watchdog.watching():
            found = await discover(plan.discover, scopes, readers=readers, clock=clock, on_found=on_found)
        if memory is not None:
            memory.keep(plan, learned(scopes), clock.now())
        return found


async def _cancel_on_signal(scope: anyio.CancelScope) -> None:
    try:
        with anyio.open_signal_receiver(*stop_signals()) as signals:
            async for _ in signals:
                scope.cancel()
                return
    finally:
        leave_on_stop(ExitCode.MORE_TO_DO)


async def discover(
    entries: Iterable[Discover],
    scopes: Mapping[str, ScopeCalls],
    *,
    readers: int,
    clock: Clock,
    on_found: OnFound,
) -> Discovered:
    """Every target that the entries mean: by entry, and within one in the order of the cloud's list.

    Args:
        entries: of the plan.
        scopes: by name; those that no entry names are left alone.
        readers: most calls under way at once in each scope.
        clock: for the record of what was used.
        on_found: called as more becomes known.

    Raises:
        DiscoveryIncomplete: not everything could be read.
    """
    numbered = dict(enumerate(entries))
    searches: dict[str, ScopeSearch] = {}

    def progress() -> None:
        on_found(sum(each.known for each in searches.values()), sum(each.found for each in searches.values()))

    used = {entry.scope: scopes[entry.scope] for entry in numbered.values()}
    for name, scope in used.items():
        own = {number: entry for number, entry in numbered.items() if entry.scope == name}
        searches[name] = ScopeSearch(scope, own, readers=readers, on_progress=progress)
    async with served(used), anyio.create_task_group() as group:
        for search in searches.values():
            group.start_soon(search.run)
    targets = counted_once(target for entry in numbered.values() for target in searches[entry.scope].targets(entry))
    _expect_complete(searches)
    return Discovered(targets, tuple(_used(scope, clock) for scope in used.values()))


def _expect_complete(searches: Mapping[str, ScopeSearch]) -> None:
    lines = [f"scope {name}: {words}" for name, search in searches.items() for words in _shown(search.problems)]
    if lines:
        raise DiscoveryIncomplete(
            "\n".join(["discovery is incomplete, so nothing starts", *lines]),
            hint="start again when the cloud answers, or take what is not there out of discover",
        )


def _shown(problems: list[str]) -> list[str]:
    distinct = list(dict.fromkeys(problems))
    more = [f"and {len(distinct) - _SHOWN:,} more problems"] if len(distinct) > _SHOWN else []
    return [*distinct[:_SHOWN], *more]


def _used(scope: ScopeCalls, clock: Clock) -> ScopeUsed:
    usage = scope.take_usage()
    return ScopeUsed(
        at=clock.now(),
        step="scope",
        scope=scope.name,
        calls=usage.calls,
        throttled=usage.throttled,
        rate_limit=scope.lanes.pacer.nominal,
        seconds=usage.seconds,
    )
