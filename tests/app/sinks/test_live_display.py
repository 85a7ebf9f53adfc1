"""The estimate of the live display: what the limits bear counts, not what happens to be under way."""

from fakes.clock import START
from fakes.stage import fold_all, plan_of, targets_of

from orchestrator.app.sinks.live_display import time_left
from orchestrator.app.status.outlook import look
from orchestrator.model import record as r
from orchestrator.model.amount import Amount
from orchestrator.model.plan import Failures, Limits, Wave

TARGETS = targets_of(12)
LIMITS = Limits(in_flight=Amount(4), ramp=False, per_instance=4)
PLAN = plan_of(TARGETS, waves=(Wave(name="all"),), limits=LIMITS, failures=Failures(mode="soft"))
OPEN = r.WaveOpened(at=START, wave="all")


def left(under_way: int) -> str:
    sent = [
        r.Intent(
            at=START, target=each.proxy_id, attempt=1, wave="all", token="t", source_version="1", target_version="2"
        )
        for each in TARGETS[:under_way]
    ]
    return time_left(look(PLAN, fold_all(PLAN, (OPEN, *sent)), (), START, working=True).rollout)


def test_the_time_left_does_not_jump_with_what_is_under_way() -> None:
    assert {left(under_way) for under_way in range(5)} == {"30 min"}
