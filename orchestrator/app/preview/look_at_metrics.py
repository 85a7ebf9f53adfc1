"""Ask the gates of a plan that are metrics, for the preview. Writes nothing."""

from collections.abc import Mapping
from functools import partial

from orchestrator.app.preview.ask_gates import Look
from orchestrator.executor.health.ask_cloud_eye import ask_cloud_eye
from orchestrator.executor.ports import Clock
from orchestrator.executor.scope.metrics.metric_reader import MetricReader
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.model.plan.plan import Plan
from orchestrator.model.record.record import Record
from orchestrator.model.run.run import Run


def look_at_metrics(plan: Plan, scopes: Mapping[str, ScopeCalls], clock: Clock, run: Run) -> Look:
    """What asks one gate, as a session of the run would now: of a run that begins nothing was upgraded yet."""

    def cloud_now(scope: str) -> float:
        return clock.now().timestamp() + (scopes[scope].cloud_time.offset_s or 0.0)

    grain_s = plan.cloud_eye.grain_s
    reader = MetricReader(scopes, clock=clock, grain_s=grain_s, note=_nobody_looks, cloud_now=cloud_now)
    return partial(ask_cloud_eye, reader, run)


def _nobody_looks(_record: Record) -> None:
    """What is missing is in the answer of the gate."""
