"""How many more may start in the windows that are open, by `limits.per_window`; and when more may. Pure.

What counts is every attempt, also one that came to nothing, of every session: intents are in the journal before
anything is sent. Of windows that overlap each counts by itself. Where no window is the fleet's own, a day is one.
"""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime

from orchestrator.executor.decide.opening.calendar import Opening, Span, opening, whole_day, windows_open
from orchestrator.executor.decide.rollout import Rollout

#: So many ends of windows, freezes and days are looked at for the next start.
_MOST_TURNS = 64


def starts_left(rollout: Rollout, now: datetime) -> int | None:
    """How many more attempts may be made in what is open now; None for any number."""
    most = rollout.plan.limits.per_window
    if most is None:
        return None
    return most - starts_made(rollout, now + rollout.ahead())


def starts_made(rollout: Rollout, instant: datetime) -> int:
    """How many attempts were made in what is open at an instant of the calendar; of several windows the most."""
    return max((_sent_in(rollout, span) for span in _spans(rollout, instant)), default=0)


def used_up(rollout: Rollout, now: datetime) -> Opening | None:
    """That nothing more may start in what is open now, and until when; None when something may."""
    left = starts_left(rollout, now)
    if left is None or left > 0:
        return None
    again = _next_room(rollout, now + rollout.ahead())
    until = None if again is None else again - rollout.ahead()
    return Opening(open=False, until=until, why=f"per_window {rollout.plan.limits.per_window} is used up")


def counts_days(rollout: Rollout) -> bool:
    """Whether a day counts as a window: there is none, or each instance has its own."""
    return not rollout.plan.windows or rollout.plan.windows == "instance"


def _spans(rollout: Rollout, instant: datetime) -> Sequence[Span]:
    """What counts at an instant of the calendar."""
    windows = rollout.plan.windows
    if not windows or windows == "instance":
        return [whole_day(instant, rollout.zone)]
    return windows_open(windows, instant)


def _sent_in(rollout: Rollout, span: Span) -> int:
    sent_at = rollout.run.sent_at
    return bisect_left(sent_at, span.end.timestamp()) - bisect_left(sent_at, span.start.timestamp())


def _next_room(rollout: Rollout, instant: datetime) -> datetime | None:
    """The first instant of the calendar from one on at which windows are open and none of them is full."""
    plan, most = rollout.plan, rollout.plan.limits.per_window or 0
    windows = () if plan.windows == "instance" else plan.windows
    for _ in range(_MOST_TURNS):
        full = [span.end for span in _spans(rollout, instant) if _sent_in(rollout, span) >= most]
        gate = opening(windows, plan.freezes, instant)
        if gate.open and not full:
            return instant
        if not gate.open and gate.until is None:
            return None
        instant = max(full) if full else gate.until or instant
    return None
