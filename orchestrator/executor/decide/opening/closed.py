"""Why nothing may start now by windows, freezes, `fit`, `per_window` or a bound; and when something may, local time."""

from datetime import datetime, timedelta

import msgspec

from orchestrator.executor.decide.opening.calendar import Opening, instance_window, opening
from orchestrator.executor.decide.opening.cloud_events import coming_event, event_wait
from orchestrator.executor.decide.opening.per_window import counts_days, starts_made, used_up
from orchestrator.executor.decide.opening.start_gate import bound_passed, fleet_opening, own_opening
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.decide.waits import Cause, Wait, on_calendar
from orchestrator.model.plan.plan import Plan, Window
from orchestrator.model.plan.target import Target
from orchestrator.spoken import counted

#: Within so many days the name of a day says which one is meant.
_NAMED_DAYS = timedelta(days=6)


def closed_wait(rollout: Rollout, gate: Opening, now: datetime, target: Target | None = None) -> Wait:
    """Such as `window opens Sat 22:00 Asia/Shanghai`.

    Args:
        rollout: the run.
        gate: which is closed.
        now: by the clock of the session, as all instants of the gate.
        target: whose instance's own window the gate is; None for the gate of all.
    """
    if rollout.barred is not None:
        return rollout.barred
    event = None if target is None else coming_event(rollout, target, now)
    if target is not None and event is not None and own_opening(rollout, target, now).open:
        return event_wait(*event, rollout.ahead())
    if gate.until is None and bound_passed(rollout, now):
        return Wait(Cause.BOUND)
    ahead = rollout.ahead()
    place = _Place(rollout.plan, _windows(rollout.plan, target), now + ahead)
    opens = None if gate.until is None else on_calendar(gate.until, ahead)
    if target is None and fleet_opening(rollout, now).open and used_up(rollout, now) is not None:
        return place.full(opens, gate.until, rollout)
    return place.wait(opens, gate.until)


def own_closed_wait(rollout: Rollout, opens: datetime, first: Target, now: datetime) -> Wait:
    """That targets wait, each for its instance; `opens`: when the first of them may start."""
    event = coming_event(rollout, first, now)
    if event is not None:
        return event_wait(*event, rollout.ahead())
    return closed_wait(rollout, Opening(open=False, until=opens), now)


def _windows(plan: Plan, target: Target | None) -> tuple[Window, ...]:
    if plan.windows != "instance":
        return plan.windows
    return instance_window(target.facts.maintenance_window if target is not None and target.facts else None)


class _Place(msgspec.Struct, frozen=True):
    """Whose clock is shown, and from when.

    Attributes:
        now: by the calendar.
    """

    plan: Plan
    windows: tuple[Window, ...]
    now: datetime

    def wait(self, opens: datetime | None, until: datetime | None) -> Wait:
        """Why it is closed, if it is not simply that no window is open.

        Args:
            opens: by the calendar; None for never.
            until: the same by the clock of the session.
        """
        then = self._opens(opens)
        if not opening((), self.plan.freezes, self.now).open:
            return Wait(Cause.FREEZE, (then,), until)
        calendar = opening(self.windows, self.plan.freezes, self.now)
        if self.windows and calendar.open and calendar.until:
            return Wait(Cause.FIT, (self._local(calendar.until), then), until)
        return Wait(Cause.WINDOW, (then,), until)

    def full(self, opens: datetime | None, until: datetime | None, rollout: Rollout) -> Wait:
        """That `per_window` is used up; the arguments as of `wait`."""
        days = counts_days(rollout) and not self.plan.freezes
        begins = f"the next day begins {opens.astimezone(rollout.zone):%a %H:%M %Z}" if opens and days else None
        of = "on one day" if counts_days(rollout) else "in one window"
        made, allowed = starts_made(rollout, self.now), rollout.plan.limits.per_window or 0
        return Wait(Cause.PER_WINDOW, (counted(made, "start"), of, begins or self._opens(opens), f"{allowed:,}"), until)

    def _opens(self, opens: datetime | None) -> str:
        if opens is None:
            return "no window opens any more"
        what = "window opens" if self.plan.windows else "the freeze ends"
        return f"{what} {self._local(opens)}"

    def _local(self, instant: datetime) -> str:
        """The instant as the clock shows it where the window is that opens or closes then, or the freeze that ends."""
        from zoneinfo import ZoneInfo  # noqa: PLC0415  # only where there are windows

        edges = (instant, instant - timedelta(seconds=1))
        zones = (
            *(window.timezone for at in edges for window in self.windows if opening((window,), (), at).open),
            *(freeze.timezone for freeze in self.plan.freezes if not opening((), (freeze,), edges[1]).open),
        )
        zone = next(iter(zones), "UTC")
        form = "%a %H:%M" if instant - self.now < _NAMED_DAYS else "%a %Y-%m-%d %H:%M"
        return f"{instant.astimezone(ZoneInfo(zone)):{form}} {zone}"
