"""When something may start again, and when all may be done: plain estimates of a rollout as it stands. Pure."""

from datetime import datetime, timedelta

from orchestrator.executor.decide.limits import slots
from orchestrator.executor.decide.opening.per_window import starts_left
from orchestrator.executor.decide.opening.start_gate import fleet_opening, window_opening
from orchestrator.executor.decide.rollout import Rollout

#: So many openings and closings of the calendar are looked at; what lasts longer has no end that is worth a guess.
_MOST_TURNS = 120


def next_start(rollout: Rollout, now: datetime) -> datetime | None:
    """When something may start: now, or at the end of a soak, a freeze, or the hours without a window or room in it.

    None when nothing is left to start, a person has to act first, or no window opens any more.
    """
    run, wave = rollout.run, rollout.wave
    if run.ended or run.hold or rollout.barred or wave is None or not run.waiting:
        return None
    soaks_until = run.waves[wave.name].soaks_until
    at = now if soaks_until is None else max(now, soaks_until)
    gate = window_opening(rollout, at)
    return at if gate.open else gate.until


def time_left_s(rollout: Rollout) -> float:
    """What is left, as many at once as the limits bear now, each as long as was seen; in seconds of open windows.

    What is under way at this moment would say more or less with every upgrade that ends. Slots that stuck targets hold
    bear nothing.
    """
    left = rollout.run.total - rollout.run.settled
    moving = rollout.run.tally.fleet.under_way + len(rollout.queue.starting)
    at_once = max(1, moving + slots(rollout).free)
    return rollout.expected_s * -(-left // at_once)


def expected_end(rollout: Rollout, now: datetime) -> datetime | None:
    """When all may be done, by the calendar and `time_left_s`, if a session works whenever it may.

    None when nothing is left to start, a person has to act first, the end is too far away, each instance has a window
    of its own, or `per_window` leaves something for a later window.
    """
    instant, left = next_start(rollout, now), timedelta(seconds=time_left_s(rollout))
    if rollout.plan.windows == "instance" or instant is None:
        return None
    more = starts_left(rollout, instant)
    if more is not None and more < rollout.run.waiting:
        return None
    for _ in range(_MOST_TURNS):
        if instant is None:
            return None
        gate = fleet_opening(rollout, instant)
        if gate.open and (gate.until is None or instant + left <= gate.until):
            return instant + left
        if gate.open and gate.until is not None:
            left -= gate.until - instant
        instant = gate.until
    return None
