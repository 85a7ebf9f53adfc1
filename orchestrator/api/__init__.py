"""For programs: load a plan, preview it, run it, and read its runs, targets and events. See docs/for-programs.md.

What works on a fleet runs in a process of its own, as from cron: a notebook, a thread or a worker of Airflow may start
it, and neither signals nor event loops of the caller are touched. What only reads is done here.
"""

from orchestrator.api.planned_fleet import Event, PlannedFleet, load
from orchestrator.api.work import SessionEnd
from orchestrator.app.status.document import StatusDocument
from orchestrator.app.status.run_list import Brief
from orchestrator.errors import (
    ExitCode,
    FleetLocked,
    OrchestratorError,
    PlanError,
    ScopeUnusable,
    StateError,
    UsageError,
)
from orchestrator.model.plan.plan import Plan
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import Record
from orchestrator.planner.preview.preview_values import Preview
from orchestrator.tracker.report.schema import TargetReport

__all__ = [
    "Brief",
    "Event",
    "ExitCode",
    "FleetLocked",
    "OrchestratorError",
    "Outcome",
    "Plan",
    "PlanError",
    "PlannedFleet",
    "Preview",
    "Record",
    "ScopeUnusable",
    "SessionEnd",
    "StateError",
    "StatusDocument",
    "TargetReport",
    "UsageError",
    "load",
]
