"""Whether the cloud itself is about to do something to an instance, by its latest reading. Pure.

Its events are dated in its own time, which the calendar follows; what comes out is by the session's clock.
"""

from datetime import datetime, timedelta

from orchestrator.executor.decide.bench import EVENTS, Block
from orchestrator.executor.decide.opening.readings import is_old
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.decide.waits import Cause, Wait, on_calendar, shown
from orchestrator.model.plan.target import Target
from orchestrator.model.reply.cloud_event import CloudEvent

#: An event counts from so long before it begins, or as long as an upgrade should take.
AHEAD_S = 3600.0


def unread_events(rollout: Rollout, target: Target, now: datetime) -> Block | None:
    """That the events of a target's scope have to be read before it may start."""
    if rollout.plan.cloud_events == "off" or target.scope in rollout.run.events_denied:
        return None
    block = (EVENTS, target.scope)
    return block if is_old(rollout, block, now) else None


def coming_event(rollout: Rollout, target: Target, now: datetime) -> tuple[CloudEvent, datetime] | None:
    """An event that keeps a target from starting, and until when it does; of several the one that does so longest."""
    if rollout.plan.cloud_events == "off":
        return None
    events = rollout.run.cloud_events.get(target.scope, {}).get(target.instance_id.lower(), ())
    if not events:
        return None
    ahead = rollout.ahead()
    found = ((event, kept_until(event, now + ahead, rollout.expected_s)) for event in events)
    keeping = ((event, until - ahead) for event, until in found if until is not None)
    return max(keeping, key=lambda each: each[1], default=None)


def kept_until(event: CloudEvent, calendar: datetime, expected_s: float) -> datetime | None:
    """Until when an event keeps its instance from being touched; None when it does not now.

    Args:
        event: of the instance.
        calendar: now, by the calendar; so is what comes out.
        expected_s: how long an upgrade should take.
    """
    if event.running:  # it ends when it does: look again when it should have
        return max(event.ends or calendar, calendar + timedelta(seconds=60))
    if event.starts is None:
        return None
    keeps_from, ends = kept_from(event.starts, expected_s), ends_by(event, expected_s)
    return ends if ends is not None and keeps_from <= calendar < ends else None


def kept_from(starts: datetime, expected_s: float) -> datetime:
    """From when on an event that begins then keeps its instance from being touched."""
    return starts - timedelta(seconds=max(expected_s, AHEAD_S))


def ends_by(event: CloudEvent, expected_s: float) -> datetime | None:
    """When an event should be over: as the cloud says, else after as long as it counts before it begins."""
    if event.ends is not None or event.starts is None:
        return event.ends
    return event.starts + timedelta(seconds=max(expected_s, AHEAD_S))


def event_wait(event: CloudEvent, until: datetime, ahead: timedelta) -> Wait:
    """What the cloud is about to do, and when the instance may be touched again."""
    when = "under way" if event.running or event.starts is None else f"from {shown(event.starts)} UTC"
    words = f"{event.what} of instance {event.instance_id}, {when}; until {shown(on_calendar(until, ahead))} UTC"
    return Wait(Cause.EVENT, (words,), until)


def unread_wait(scope: str) -> Wait:
    """The cloud's events are being read."""
    return Wait(Cause.EVENT, (f"those of scope {scope} are being read",))
