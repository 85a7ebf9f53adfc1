"""The names of runs: the instant at which each began, and what makes it unique."""

from datetime import datetime, timedelta

from orchestrator.tracker.runs.recovery import latest_run
from orchestrator.tracker.state_store import Fleet

_STAMP = "%Y%m%dT%H%M%S"


def new_run_id(fleet: Fleet, now: datetime, suffix: str) -> str:
    """An id for a new run of a fleet, which sorts after every run there is, even when the clock was set back.

    Args:
        fleet: whose run.
        now: UTC.
        suffix: a few random letters and digits.

    Raises:
        StateError: its runs cannot be read.
    """
    latest = latest_run(fleet)
    if latest is not None:
        now = max(now, _instant(latest.run_id) + timedelta(milliseconds=1))
    return f"{now:{_STAMP}}{now.microsecond // 1000:03}Z-{suffix}"


def _instant(run_id: str) -> datetime:
    stamp = run_id.partition("Z")[0]
    return datetime.strptime(f"{stamp[:-3]}.{stamp[-3:]}+0000", f"{_STAMP}.%f%z")
