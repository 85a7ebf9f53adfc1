"""Ask once what the cloud is about to do in a scope by itself. Whatever fails here touches no scope and no target."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from orchestrator.executor.ports import Clock, CloudApi
from orchestrator.executor.rate.lanes import Lane
from orchestrator.executor.read_subnet import is_denied
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.model.record.cloud_event_record import CloudEventsRead
from orchestrator.model.reply.cloud_event import CloudEvent
from orchestrator.model.reply.reply import Answered, EventPage, Failure, Reply, in_words

#: No list is read further than so many pages.
_MOST_PAGES = 20

_Page: TypeAlias = Callable[[CloudApi, int], Awaitable[Reply[EventPage]]]

#: What is listed, by what an administrator knows it as.
_LISTS: dict[str, _Page] = {
    "schedule-events": lambda api, offset: api.schedule_events(offset=offset),
    "scheduled-jobs": lambda api, offset: api.scheduled_jobs(offset=offset),
}


async def ask_events(calls: ScopeCalls, clock: Clock, before: tuple[CloudEvent, ...]) -> CloudEventsRead:
    """All that is ahead or under way; `before`: what was known, which holds on when a list cannot be read now."""
    found: list[CloudEvent] = []
    failures: dict[str, Failure] = {}
    for name, page in _LISTS.items():
        rows = await _listed(calls, clock, page)
        if isinstance(rows, list):
            found += rows
        else:
            failures[name] = rows
    denied = {name for name, failure in failures.items() if is_denied(failure)}
    if failures.keys() - denied:
        found += (event for event in before if event not in found)
    return CloudEventsRead(
        at=clock.now(),
        scope=calls.name,
        events=tuple(found),
        why="; ".join(_why(name, failure, denied=name in denied) for name, failure in failures.items()) or None,
        denied=len(denied) == len(_LISTS),
    )


async def _listed(calls: ScopeCalls, clock: Clock, page: _Page) -> list[CloudEvent] | Failure:
    found: list[CloudEvent] = []
    offset = 0
    for _ in range(_MOST_PAGES):
        await calls.lanes.turn(Lane.POLL)
        calls.usage.count(clock.monotonic())
        reply = await page(calls.api, offset)
        if not isinstance(reply, Answered):
            return reply
        found += reply.value.events
        offset += reply.value.rows
        if not reply.value.rows or offset >= reply.value.total:
            break
    return found


def _why(name: str, failure: Failure, *, denied: bool) -> str:
    words = in_words(failure)
    return f"that needs the permission to list {name} ({words})" if denied else f"{name} cannot be read ({words})"
