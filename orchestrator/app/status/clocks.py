"""What the journal tells a reader of the clocks: the session's, the host's, and the cloud's. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from orchestrator.executor.scope.cloud_time import TOLERATED_S
from orchestrator.executor.scope.host_time import calendar_ahead_s
from orchestrator.model.run.run import Run


def steady(run: Run, now: datetime, *, shared: bool = False) -> datetime:
    """The session's clock at an instant of a reader's: as it would be if the host's clock had not been set.

    `shared`: the reader goes by the clock that several hosts share, as the session does: nothing was set there.
    """
    return now if shared else now - timedelta(seconds=run.timeline.stepped_s)


def calendar_ahead(run: Run) -> timedelta:
    """How far the calendar by which windows are judged is ahead of the session's clock.

    It is the host's, or the clouds' when the host's clock is wrong.
    """
    timeline = run.timeline
    return timedelta(seconds=calendar_ahead_s(timeline.stepped_s, timeline.offsets))


def clock_lines(run: Run) -> Iterator[str]:
    """That a clock was set, and that the host's is wrong."""
    timeline, step = run.timeline, run.timeline.last_step
    if step is not None:
        whose = "this host's clock" if step.clock == "host" else f"the clock of the cloud of scope {step.scope}"
        way = "forward" if step.by_s > 0 else "back"
        at = f"{step.at:%Y-%m-%d %H:%M:%S} UTC"
        yield f"{whose} was set {way} by {abs(step.by_s):.0f} s at {at}: no wait ends earlier"
    wrong = wrong_clock_words(calendar_ahead_s(timeline.stepped_s, timeline.offsets) - timeline.stepped_s)
    if wrong is not None:
        yield wrong


def wrong_clock_words(ahead_s: float, known: str = "") -> str | None:
    """That windows follow the cloud's clock, for it is so far ahead of the host's; None while they agree.

    `known`: how that is known, where no answer of just now tells it.
    """
    if abs(ahead_s) <= TOLERATED_S:
        return None
    side = "behind" if ahead_s > 0 else "ahead of"
    wrong = f"this host's clock is {abs(ahead_s):.0f} s {side} the cloud's"
    return f"{wrong}{known}: windows, freezes and --until follow the cloud's"
