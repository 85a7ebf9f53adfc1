"""Whether upgrades may start now: by window, freeze, `fit`, `per_window`, and the bound of the session. Pure.

Instants that come in and go out are those of the session's clock; the calendar, which may be ahead of it, stays here.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import structs

from orchestrator.executor.decide.opening.calendar import ALWAYS, Opening, instance_window, opening
from orchestrator.executor.decide.opening.cloud_events import coming_event, event_wait
from orchestrator.executor.decide.opening.per_window import used_up
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.model.plan.plan import Window
from orchestrator.model.plan.target import Target


def start_opening(rollout: Rollout, now: datetime) -> Opening:
    """Whether anything may start now, by window, freeze, `fit`, `per_window` and the session's own bound."""
    if rollout.barred is not None:
        return Opening(open=False, until=None, why=rollout.barred.reason)
    if bound_passed(rollout, now):
        return Opening(open=False, until=None, why="the time for starts in this session is over")
    return window_opening(rollout, now)


def window_opening(rollout: Rollout, now: datetime) -> Opening:
    """Whether anything may start at an instant, by the calendar and `per_window`."""
    gate = fleet_opening(rollout, now)
    return (used_up(rollout, now) or gate) if gate.open else gate


def bound_passed(rollout: Rollout, now: datetime) -> bool:
    """Whether the session's own bound for starts has passed at an instant."""
    by_calendar = rollout.until is not None and now + rollout.ahead() >= rollout.until
    return by_calendar or (rollout.ends_at is not None and now >= rollout.ends_at)


def bound_ahead(rollout: Rollout, now: datetime) -> datetime | None:
    """When the session's own bound for starts comes, by its clock; None without one, and after it."""
    by_calendar = None if rollout.until is None else rollout.until - rollout.ahead()
    first = min(filter(None, (by_calendar, rollout.ends_at)), default=None)
    return None if first is None or first <= now else first


def target_opening(rollout: Rollout, target: Target, now: datetime) -> Opening:
    """The same for one target: by its instance's own window, where that counts, and the cloud's own events."""
    own = own_opening(rollout, target, now)
    event = coming_event(rollout, target, now) if own.open else None
    if event is None:
        return own
    return Opening(open=False, until=event[1], why=event_wait(*event, rollout.ahead()).reason)


def own_opening(rollout: Rollout, target: Target, now: datetime) -> Opening:
    """The same by its instance's own window alone."""
    if rollout.plan.windows != "instance":
        return ALWAYS
    windows = instance_window(target.facts.maintenance_window if target.facts else None)
    if not windows:
        return Opening(open=False, until=None, why="its instance has no maintenance window")
    return _by_calendar(rollout, windows, now)


def open_at(rollout: Rollout, target: Target, instant: datetime) -> bool:
    """Whether the calendar allows this target to start at an instant, whatever the bound of the session."""
    return fleet_opening(rollout, instant).open and own_opening(rollout, target, instant).open


def fleet_opening(rollout: Rollout, now: datetime) -> Opening:
    """Whether the calendar allows anything to start at an instant, whatever the bound of the session."""
    plan = rollout.plan
    windows = () if plan.windows == "instance" else plan.windows
    if not windows and not plan.freezes:
        return ALWAYS
    return _by_calendar(rollout, windows, now)


def _by_calendar(rollout: Rollout, windows: Sequence[Window], now: datetime) -> Opening:
    ahead = rollout.ahead()
    today = now + ahead
    gate = _fitting(rollout, opening(windows, rollout.plan.freezes, today), windows, today)
    return gate if gate.until is None or not ahead else structs.replace(gate, until=gate.until - ahead)


def _fitting(rollout: Rollout, gate: Opening, windows: Sequence[Window], now: datetime) -> Opening:
    """With `fit`, a window that closes before an upgrade would end is closed already."""
    if not (gate.open and gate.until and windows and rollout.plan.fit):
        return gate
    if now + timedelta(seconds=rollout.expected_s) <= gate.until:
        return gate
    after = opening(windows, rollout.plan.freezes, gate.until)
    opens = gate.until if after.open else after.until
    return Opening(open=False, until=opens, why=f"too late to end before {gate.until:%H:%M} UTC; {after.why}")
