"""What `doctor` says of the metrics that a plan wants."""

from typing import Any

import pytest
from fakes.clock import VirtualClock, run_virtual
from fakes.clouds import FakeCloud
from fakes.eye import FakeEye
from fakes.stage import plan_of, targets_of

from orchestrator.app.doctor.ask_health import ask_health
from orchestrator.app.doctor.diagnosis import Diagnosis
from orchestrator.cloud.secrets.registry import Secrets
from orchestrator.executor.rate.fixed_rate import WindowPacer
from orchestrator.executor.rate.lanes import Lanes
from orchestrator.executor.scope.scope_calls import ScopeCalls


def looked_at(*, opened: bool = True, targets: int = 1, **settings: Any) -> list[Diagnosis]:
    async def look() -> list[Diagnosis]:
        clock, found = VirtualClock(), targets_of(targets)
        cloud, plan = FakeCloud(clock, found), plan_of(found, impact="cloud_eye")
        calls = ScopeCalls(
            name="default",
            api=cloud,
            lanes=Lanes(WindowPacer(1e6), clock),
            retry=plan.retry,
            clock=clock,
            chance=lambda: 0.5,
            note=lambda _record: None,
            eye=FakeEye(cloud, clock, **settings),
        )
        if opened:
            calls.gate.open()
        return await ask_health(plan, found, {"default": calls}, {}, clock, Secrets())

    return run_virtual(look)


@pytest.mark.parametrize(
    ("settings", "state", "words", "remedy"),
    [
        ({}, "well", "are there", ""),
        ({"forbidden": True}, "wrong", "cannot be read", "ces:metricData:list"),
        ({"lost": lambda _minute: True}, "wrong", "SYS.DBPROXY", "cloud_eye.namespace"),
        ({"opened": False}, "untried", "the scope cannot be used", ""),
        ({"targets": 0}, "untried", "no proxy of it is written out", ""),
    ],
)
def test_metrics(settings: dict[str, Any], state: str, words: str, remedy: str) -> None:
    (diagnosis,) = looked_at(**settings)
    assert (diagnosis.about, diagnosis.check, diagnosis.state) == ("scope default", "metrics", state)
    assert words in diagnosis.words
    assert remedy in (diagnosis.remedy or "")
