"""A report with the times in which windows or freezes let nothing start: the calendar says these, and no record."""

from collections.abc import Iterator
from datetime import datetime

from orchestrator.executor.decide.opening.calendar import opening
from orchestrator.model.plan.plan import Plan
from orchestrator.model.run.night import Period, PeriodKind
from orchestrator.model.run.run import Run
from orchestrator.tracker.report.build import Story, build_report

#: A run that lasts longer is drawn without the rest: a pixel is more than a night then.
_MOST = 400


def full_story(run: Run, plan: Plan, *, exit_code: int | None = None, named: str = "PLAN") -> Story:
    """The same as `build_report`, with these times."""
    closed = closed_times(plan, run.started.at, run.last_at) if run.started and run.last_at else ()
    return build_report(run, plan, exit_code=exit_code, named=named, closed=closed)


def closed_times(plan: Plan, begin: datetime, end: datetime) -> Iterator[Period]:
    """When nothing could start between two instants; windows of the instances themselves are left aside."""
    windows = () if plan.windows == "instance" else plan.windows
    at = begin
    for _ in range(_MOST):
        gate = opening(windows, plan.freezes, at)
        if not gate.open:
            kind: PeriodKind = "frozen" if gate.why == "frozen" else "window closed"
            yield Period(kind=kind, begin=at, end=gate.until, why=gate.why)
        if gate.until is None or gate.until >= end:
            return
        at = gate.until
