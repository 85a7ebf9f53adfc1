"""Metrics as a monitoring system reads them: samples by name and labels."""

from pathlib import Path

from fakes.stage import Stage, fold_all
from prometheus_client.parser import text_string_to_metric_families

from orchestrator.model.plan.plan import Plan
from orchestrator.tracker.runs.recovery import Recovered


def samples(path: Path) -> dict[str, float]:
    """Every sample of a file, as `name{label=value,…}` without the fleet."""
    found = {}
    for family in text_string_to_metric_families(path.read_text(encoding="utf-8")):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()) if name != "fleet")
            found[f"{sample.name.removeprefix('orchestrator_')}{{{labels}}}"] = sample.value
    return found


def names(path: Path) -> set[str]:
    """The names of a file's metrics, as a query writes them."""
    found: set[str] = set()
    for family in text_string_to_metric_families(path.read_text(encoding="utf-8")):
        ends = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("_total",)}.get(family.type, ("",))
        found.update(family.name + end for end in ends)
    return found


def as_found(plan: Plan) -> Recovered:
    """A run that has not begun, as a session finds it."""
    stored = Stage(plan=plan)  # nothing asks it for more than its existence
    return Recovered(stored=stored, plan=plan, in_force=plan, run=fold_all(plan, ()), next_seq=1)  # type: ignore[arg-type]  # as above
