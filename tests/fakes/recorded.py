"""Small fleets: targets with valid ids, a plan, the first record of a run."""

from datetime import UTC, datetime
from typing import Any

from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Plan, Scope, Wave
from orchestrator.model.plan.target import Target
from orchestrator.model.record import record as r
from orchestrator.model.run.run import Run

BEGIN = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)
RUN_ID = "20260301T220000000Z-abcdef"
OLD, NEW = "2.23.12.000", "2.24.03.000"
WAVES = ("canary", "rest")


def make_targets(count: int, *, scopes: tuple[str, ...] = ("default",), first: int = 0) -> list[Target]:
    """Targets with valid ids, two proxies on each instance, some with labels."""
    return [
        Target(
            scope=scopes[number % len(scopes)],
            instance_id=f"{number // 2:032x}in07",
            proxy_id=f"{number:032x}po01",
            labels={"app": f"a{number % 3}"} if number % 2 else {},
        )
        for number in range(first, first + count)
    ]


def make_plan(targets: list[Target], **changes: Any) -> Plan:
    """A plan with these targets written out."""
    names = dict.fromkeys(target.scope for target in targets) or {"default": None}
    scopes = tuple(Scope(name=name, region="cn-north-4", project_id=f"p-{name}") for name in names)
    values: dict[str, Any] = {
        "name": "prod",
        "path": "/plans/prod.yaml",
        "sha256": "0" * 64,
        "target_version": NEW,
        "scopes": scopes,
        "proxies": tuple(targets),
        "waves": (Wave(name="canary", size=Amount(1)), Wave(name="rest")),
    }
    return Plan(**{**values, **changes})


def run_started(targets: int, *, run_id: str = RUN_ID, **changes: Any) -> r.RunStarted:
    """The first record of a journal."""
    values: dict[str, Any] = {
        "at": BEGIN,
        "run_id": run_id,
        "name": "prod",
        "target_version": NEW,
        "plan_sha256": "0" * 64,
        "simulated": False,
        "targets": targets,
        "waves": WAVES,
        "orchestrator_version": "0.1.0",
    }
    return r.RunStarted(**{**values, **changes})


def empty_run(plan: Plan, targets: list[Target]) -> Run:
    """The run of a plan before its first record."""
    return Run(
        targets,
        waves=[wave.name for wave in plan.waves],
        scopes=[scope.name for scope in plan.scopes],
        failures=plan.failures,
    )
