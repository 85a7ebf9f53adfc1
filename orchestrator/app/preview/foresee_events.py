"""Reading what the cloud is about to do to instances itself, for the preview: both lists of each scope, once."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from orchestrator.app.scopes.serve_scopes import served
from orchestrator.executor.ask.read_events import ask_events
from orchestrator.executor.decide.opening.cloud_events import ends_by, kept_from, kept_until
from orchestrator.executor.ports import Clock
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.model.plan.target import Target
from orchestrator.model.reply.cloud_event import CloudEvent, events_missing
from orchestrator.planner.preview.preview_values import EventPreview


async def foresee_events(
    targets: Sequence[Target], scopes: Mapping[str, ScopeCalls], clock: Clock, now: datetime, expected_s: float
) -> tuple[tuple[EventPreview, ...], tuple[str, ...]]:
    """What is ahead of the targets and under way, what keeps some back first; a line for each scope that lacks some.

    Args:
        targets: that are sent.
        scopes: by name.
        clock: for when they were read.
        now: by the calendar of a session, which the cloud's instants are held against.
        expected_s: how long an upgrade should take.
    """
    found: list[EventPreview] = []
    missing: list[str] = []
    async with served(scopes):
        for name, instances in _by_scope(targets).items():
            if not scopes[name].open:
                continue
            read = await ask_events(scopes[name], clock)
            found += _previewed(name, read.events, instances, now, expected_s)
            if read.why is not None:
                missing.append(events_missing(name, read.why))
    return tuple(sorted(found, key=_order)), tuple(missing)


def _by_scope(targets: Sequence[Target]) -> dict[str, dict[str, list[str]]]:
    """The proxies of each instance of each scope."""
    found: dict[str, dict[str, list[str]]] = {}
    for target in targets:
        found.setdefault(target.scope, defaultdict(list))[target.instance_id.lower()].append(target.proxy_id)
    return found


def _previewed(
    scope: str,
    events: Sequence[CloudEvent],
    instances: Mapping[str, list[str]],
    now: datetime,
    expected_s: float,
) -> Iterator[EventPreview]:
    for event in events:
        proxies = instances.get(event.instance_id.lower())
        if proxies:
            starts, until = event.starts, kept_until(event, now, expected_s)
            yield EventPreview(
                scope=scope,
                event=event,
                proxies=tuple(proxies),
                keeps_from=None if starts is None else kept_from(starts, expected_s),
                until=ends_by(event, expected_s),
                waits=until is not None,
            )


def _order(preview: EventPreview) -> tuple[bool, bool, float]:
    starts = preview.event.starts
    return not preview.waits, starts is None, 0.0 if starts is None else starts.timestamp()
