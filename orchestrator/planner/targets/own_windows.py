"""Refuses `windows: instance` for targets of which no maintenance window is known: they could never start."""

from collections.abc import Iterable

from orchestrator.errors import PlanError
from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.target import Target
from orchestrator.pattern import pattern
from orchestrator.planner.reading.locate import with_place
from orchestrator.planner.reading.problems import quote

#: `maintenance_window` of an instance, as ShowGaussMySqlInstanceInfo tells it, in UTC.
_TIME = "([01]?[0-9]|2[0-3]):[0-5][0-9]"
_FORM = pattern(rf"\s*{_TIME}\s*-\s*({_TIME}|24:00)\s*")

_NONE = "only discovered targets have one: find them with discover, exclude them, or write the windows out"
_UNREADABLE = (
    "the cloud should say 18:00-22:00 or the like: set it again in the console, exclude them, or write the windows out"
)


def check_own_windows(plan: Plan, targets: Iterable[Target]) -> None:
    """Ensure that every target has a window of its own, when the plan asks for that.

    Args:
        plan: whose `windows` hold.
        targets: all that may start.

    Raises:
        PlanError: the instance of a target has none that is known.
    """
    if plan.windows != "instance":
        return
    without = [target for target in targets if not _FORM.fullmatch(_window(target) or "")]
    if not without:
        return
    unreadable = _window(without[0])
    more = f" and {len(without) - 1:,} more" if len(without) > 1 else ""
    wrong = (
        "no maintenance window is known" if unreadable is None else f"no time of day is {quote(unreadable)}, the window"
    )
    at = with_place(plan.path, (None, "windows"), f"{wrong} of proxy {without[0].proxy_id}{more}")
    raise PlanError(at, hint=_NONE if unreadable is None else _UNREADABLE)


def _window(target: Target) -> str | None:
    return None if target.facts is None else target.facts.maintenance_window
