"""Ask once what the cloud is about to do in a scope by itself. Whatever fails here touches no scope and no target."""

from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet
from http import HTTPStatus
from typing import TypeAlias

from msgspec import structs

from orchestrator.executor.ask.read_subnet import is_denied
from orchestrator.executor.ports import Clock, CloudApi
from orchestrator.executor.rate.lane import Lane
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.model.record.cloud_event_record import CloudEventsRead
from orchestrator.model.reply.cloud_event import CloudEvent
from orchestrator.model.reply.reply import Answered, EventPage, Failure, Refused, Reply, in_words

#: No list is read further than so many pages.
_MOST_PAGES = 20

_Page: TypeAlias = Callable[[CloudApi, int], Awaitable[Reply[EventPage]]]

#: What is listed, by what an administrator knows it as.
_LISTS: dict[str, _Page] = {
    "schedule-events": lambda api, offset: api.schedule_events(offset=offset),
    "scheduled-jobs": lambda api, offset: api.scheduled_jobs(offset=offset),
}


async def ask_events(
    calls: ScopeCalls, clock: Clock, before: tuple[CloudEvent, ...] = (), refused: AbstractSet[str] = frozenset()
) -> CloudEventsRead:
    """All that is ahead or under way.

    Args:
        calls: of the scope.
        clock: of the session.
        before: what was known; it holds on when a list cannot be read now.
        refused: lists that the scope was refused before, for which it does not ask again.
    """
    found: list[CloudEvent] = []
    failures: dict[str, Failure] = {}
    for name, page in _LISTS.items():
        if name in refused:
            continue
        rows = await _listed(calls, clock, page)
        if isinstance(rows, list):
            found += rows
        else:
            failures[name] = rows
    missing = {name for name, failure in failures.items() if _is_refused(failure)}
    if failures.keys() - missing:
        found += (event for event in before if event not in found)
    return CloudEventsRead(
        at=clock.now(),
        scope=calls.name,
        events=tuple(found),
        why="; ".join(_why(name, failures[name]) for name in sorted(failures)) or None,
        denied=len(missing | refused) == len(_LISTS),
        refused=tuple(sorted(missing | refused)),
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


def _is_refused(failure: Failure) -> bool:
    """Whether asking again would not help: no permission, or a region without this list."""
    return isinstance(failure, Refused) or failure.exchange.http_status == HTTPStatus.NOT_IMPLEMENTED


def _why(name: str, failure: Failure) -> str:
    """The same words for the same failure, however often it comes: without the id of the request."""
    exchange = structs.replace(failure.exchange, request_id=None)
    words = in_words(structs.replace(failure, exchange=exchange))
    if not _is_refused(failure):
        return f"{name} cannot be read ({words})"
    if is_denied(failure):
        return f"that needs the permission to list {name} ({words})"
    return f"{name} is not offered here ({words})"
