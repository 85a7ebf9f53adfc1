"""Whole sessions with `rate: auto`: they find the rate, wait as a scope, and never lose or repeat an upgrade for it."""

from collections import deque
from datetime import datetime, timedelta

import pytest
from fakes.clouds import FakeCloud
from fakes.stage import Played, Stage, plan_of, targets_of

from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Follow, Limits, Wave
from orchestrator.model.record.record import ScopeThrottled, ScopeUsed
from orchestrator.model.reply.reply import Exchange, Failure, Quota, Throttled

SOFT = Failures(max=Amount(100, percent=True), max_rejected=Amount(100, percent=True), mode="soft")


class Gateway:
    """So many calls in a second; refusals say how long to wait, or name the limit, or nothing."""

    def __init__(self, calls: int) -> None:
        self.calls = calls
        self.passed: deque[datetime] = deque(maxlen=calls)
        self.refused = 0

    def __call__(self, now: datetime) -> Failure | None:
        if len(self.passed) == self.calls and (now - self.passed[0]).total_seconds() < 1:
            self.refused += 1
            return self._refusal()
        self.passed.append(now)
        return None

    def _refusal(self) -> Throttled:
        exchange = Exchange(http_status=429, error_msg="too many")
        match self.refused % 3:
            case 0:
                return Throttled(1.0, exchange)
            case 1:
                return Throttled(1.0, exchange, Quota(self.calls, 1.0))
            case _:
                return Throttled(None, exchange)


def play(calls: int, targets: int = 150) -> tuple[Played, Gateway]:
    gateway = Gateway(calls)

    def setup(cloud: FakeCloud) -> None:
        cloud.down = gateway

    plan = plan_of(
        targets_of(targets),
        waves=(Wave(name="all"),),
        failures=SOFT,
        follow=Follow(to="completed", poll_s=15.0, expected_s=60.0),
        limits=Limits(rate="auto", ramp=False, in_flight=Amount(200), concurrency=20),
    )
    return Stage(plan=plan, cloud_of=setup).play(), gateway


@pytest.mark.parametrize("calls", [2, 8, 30])
def test_a_run_finds_the_rate_that_its_scope_bears(calls: int) -> None:
    played, gateway = play(calls)
    assert played.code == 0
    assert set(played.cloud.books.values()) == {1}, "each was upgraded, and once"
    made = len(played.cloud.calls)
    assert gateway.refused <= max(4, 0.02 * made)
    assert len(played.of(ScopeThrottled)) == gateway.refused
    used = played.of(ScopeUsed)
    assert 0.5 * calls <= max(record.rate_limit for record in used) <= 1.5 * calls


def test_the_whole_scope_waits_for_what_the_cloud_asked_for() -> None:
    played, _ = play(4, targets=40)
    sent = [call.at for call in played.cloud.calls]
    for record in played.of(ScopeThrottled):
        assert not [at for at in sent if record.at < at < record.until - timedelta(milliseconds=1)]
