"""Refuses `windows: instance` for targets of which no maintenance window is known: they could never start."""

import re
from collections.abc import Iterable

from orchestrator.errors import PlanError
from orchestrator.model.plan import Plan
from orchestrator.model.target import Target
from orchestrator.planner.reading.locate import with_place

#: `maintenance_window` of an instance, as ShowGaussMySqlInstanceInfo tells it, in UTC.
_FORM = re.compile(r"\s*\d{1,2}:\d{2}\s*-\s*\d{1,2}:\d{2}\s*")


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
    without = [target.proxy_id for target in targets if not _known(target)]
    if without:
        more = f" and {len(without) - 1:,} more" if len(without) > 1 else ""
        raise PlanError(
            with_place(plan.path, (None, "windows"), f"no maintenance window is known of proxy {without[0]}{more}"),
            hint="only discovered targets have one: find them with discover, exclude them, or write the windows out",
        )


def _known(target: Target) -> bool:
    text = None if target.facts is None else target.facts.maintenance_window
    return text is not None and _FORM.fullmatch(text) is not None
