"""How good the forecast is: its intervals against runs of the executor on virtual time, its bounds, and what it costs.

Usage: forecast.py [PLANS], so many random plans (200 without a number).
"""

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # for the fakes: clouds and clocks of virtual time

from fakes.acts import ACCEPT, Fate
from fakes.clouds import FakeCloud
from fakes.rehearsals import SOFT, Unknown
from fakes.stage import Stage, plan_of, targets_of

from orchestrator.app.process.collector import spare_the_collector
from orchestrator.forecast.environment import Setting
from orchestrator.forecast.forecast import rehearse
from orchestrator.forecast.result import Rehearsal
from orchestrator.forecast.simulate import play
from orchestrator.forecast.uncertain_durations import Knowledge
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Follow, Limits, Plan, Wave, Window
from orchestrator.planner.waves import assign_waves

START = datetime(2026, 3, 7, 10, 0, tzinfo=UTC)
READ_S, SEND_S = 0.05, 2.0


def intervals(plans: int) -> None:
    tried = [Unknown(seed).tried() for seed in range(plans)]
    widths = sorted(each.width for each in tried)
    holds = sum(each.holds for each in tried)
    both = sum(each.holds and each.width <= 0.4 for each in tried)
    print(f"intervals of {plans} random plans: {holds / plans:.1%} hold the run's duration; ", end="")
    print(f"width {widths[plans // 2]:.0%} of the median, p95 {widths[int(0.95 * plans)]:.0%}; ", end="")
    print(f"no wider than 40 % and right: {both / plans:.1%}")
    print(f"calls of the same plans: {sum(each.counts for each in tried) / plans:.1%} hold those of the run")


def regimes() -> Iterator[tuple[str, int, Plan]]:
    """One wave, no ramp, at least 100 times more targets than slots."""
    all_in_one, targets = (Wave(name="all"),), targets_of(1200)
    free = {"waves": all_in_one, "failures": SOFT}
    slots = Limits(in_flight=Amount(10), concurrency=50, rate=50.0, ramp=False)
    yield "targets x duration / in_flight", 1200, plan_of(targets, limits=slots, **free)
    slow = Limits(in_flight=Amount(10), concurrency=50, rate=0.1, ramp=False)
    yield "calls / rate", 1200, plan_of(targets, limits=slow, **free)
    few = Limits(concurrency=2, rate=50.0, ramp=False)
    yield "attempts x latency / concurrency", 1200, plan_of(targets, limits=few, follow=Follow(to="accepted"), **free)


def makespans() -> None:
    for name, count, plan in regimes():
        told = rehearsed(plan)
        ended = Stage(plan=plan, cloud_of=prepared, wait_s=1e9, disk_s=0.0).play()
        calls = sum(len(cloud.calls) for cloud in ended.clouds.values())
        for who, seconds, made in (("rehearsal", told.ends_s, told.calls), ("executor", ended.seconds, calls)):
            bound_s = bound(plan, count, made)
            print(
                f"makespan, {name}: {who} {seconds:,.0f} s, the largest bound {bound_s:,.0f} s: {seconds / bound_s:.3f}"
            )


def bound(plan: Plan, targets: int, calls: int) -> float:
    limits, accepted = plan.limits, plan.follow.to == "accepted"
    assert isinstance(limits.rate, float)
    in_flight_s = 0.0 if accepted else targets * plan.follow.expected_s / limits.in_flight.cap(targets)
    return max(calls / limits.rate, targets * SEND_S / limits.concurrency, in_flight_s)


def rehearsed(plan: Plan) -> Rehearsal:
    setting = Setting(
        plan=plan,
        targets=plan.proxies,
        staging=assign_waves(plan, plan.proxies),
        left_out=frozenset(),
        start=START,
        typical_s=plan.follow.expected_s,
        latency_s=READ_S,
        send_s=SEND_S,
    )
    return play(setting, Knowledge(plan.follow.expected_s, plan.follow.timeout_s).sampler(0.5, 1))


def prepared(cloud: FakeCloud) -> None:
    sampler = Knowledge(600.0, 3600.0).sampler(0.5, 2)
    cloud.latency_s, cloud.default_act, cloud.most_calls = READ_S, replace(ACCEPT, latency_s=SEND_S), 10**9
    for proxy_id in cloud.proxies:
        cloud.fates[proxy_id] = Fate(duration_s=sampler(), visible_after_s=0.0)


def cost() -> None:
    spare_the_collector()  # as `plan --forecast` does
    night = (Window(opens=22 * 60, closes=5 * 60, timezone="Asia/Shanghai"),)
    limits = Limits(in_flight=Amount(100), rate=10.0)
    for count in (100, 1000, 5000):
        targets = targets_of(count)
        plan = plan_of(targets, limits=limits, windows=night, failures=Failures(max=Amount(10, percent=True)))
        began = time.process_time()
        told = rehearse(plan, targets, start=START)
        print(f"forecast of {count:,} targets: {time.process_time() - began:.2f} s CPU, {told.samples} rehearsals")


if __name__ == "__main__":
    cost()
    makespans()
    intervals(int(sys.argv[1]) if sys.argv[1:] else 200)
