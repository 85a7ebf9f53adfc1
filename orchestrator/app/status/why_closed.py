"""What is closed, in words: why nothing may start now by windows, freezes and `fit`, and when something may. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from orchestrator.executor.decide.calendar import Opening, instance_window, opening
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.decide.start_gate import start_opening, target_opening
from orchestrator.executor.decide.start_queue import StartQueue
from orchestrator.model.outcome import Phase
from orchestrator.model.plan import Plan, Window
from orchestrator.model.run import Run
from orchestrator.model.target import Target

#: Within so many days the name of a day says which one is meant.
_NAMED_DAYS = timedelta(days=6)


def closed(plan: Plan, run: Run, now: datetime) -> str | None:
    """Such as `window opens Sat 22:00 Asia/Shanghai, in 3 h 12 min`; None when something may start."""
    rollout = _view(plan, run)
    gate = start_opening(rollout, now)
    windows = () if plan.windows == "instance" else plan.windows
    if gate.open and plan.windows == "instance":
        gate, windows = _first_of_own(rollout, now)
    if gate.open:
        return None
    place = _Place(plan, windows, now)
    return "; ".join(filter(None, (_reason(place), _opens(gate, place))))


def time_until(instant: datetime, now: datetime) -> str:
    """How far away an instant is: `3 h 12 min`."""
    minutes, seconds = divmod(max(0, round((instant - now).total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {seconds:02} s"


def _view(plan: Plan, run: Run) -> Rollout:
    """The run as far as the calendar looks at it: nothing of its queue."""
    return Rollout(
        plan=plan, run=run, queue=StartQueue((), ()), wave_targets={}, scope_targets={}, scope_rates={}, wait_s=0.0
    )


def _first_of_own(rollout: Rollout, now: datetime) -> tuple[Opening, tuple[Window, ...]]:
    """Of the windows of all instances whose targets wait, the state of the one that is open, or opens first."""
    found = {_own(target): target for target in _waiting(rollout.run)}
    gates = [(target_opening(rollout, target, now), instance_window(text)) for text, target in found.items() if text]
    return min(gates, key=lambda pair: _rank(pair[0]), default=(Opening(open=True), ()))


def _rank(gate: Opening) -> tuple[bool, bool, float]:
    return (not gate.open, gate.until is None, gate.until.timestamp() if gate.until else 0.0)


def _waiting(run: Run) -> Iterator[Target]:
    return (target for key, target in run.targets.items() if run.standing(key) == Phase.WAITING.value)


def _own(target: Target) -> str | None:
    return target.facts.maintenance_window if target.facts else None


@dataclass(frozen=True, slots=True)
class _Place:
    """Whose clock is shown, and from when."""

    plan: Plan
    windows: tuple[Window, ...]
    now: datetime

    def local(self, instant: datetime) -> str:
        """The instant as the clock shows it where the window is that opens or closes then, or the freeze that ends."""
        edges = (instant, instant - timedelta(seconds=1))
        zones = (
            *(window.timezone for at in edges for window in self.windows if opening((window,), (), at).open),
            *(freeze.timezone for freeze in self.plan.freezes if not opening((), (freeze,), edges[1]).open),
        )
        zone = next(iter(zones), "UTC")
        form = "%a %H:%M" if instant - self.now < _NAMED_DAYS else "%a %Y-%m-%d %H:%M"
        return f"{instant.astimezone(ZoneInfo(zone)):{form}} {zone}"


def _reason(place: _Place) -> str | None:
    """Why, if it is not simply that no window is open."""
    if not opening((), place.plan.freezes, place.now).open:
        return "frozen"
    calendar = opening(place.windows, place.plan.freezes, place.now)
    if place.windows and calendar.open and calendar.until:
        return f"too late for an upgrade to end before the window closes at {place.local(calendar.until)}"
    return None


def _opens(gate: Opening, place: _Place) -> str:
    if gate.until is None:
        return "no window opens any more"
    what = "window opens" if place.windows else "the freeze ends"
    return f"{what} {place.local(gate.until)}, in {time_until(gate.until, place.now)}"
