"""How much harm a run does before it holds itself, at any speed; and that no scope takes the slots of the others."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from fakes.acts import Fate, throttling
from fakes.clock import START
from fakes.clouds import FakeCloud
from fakes.stage import Played, Stage, plan_of, targets_of
from judge.journal import expect_kept

from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Limits, Wave
from orchestrator.model.record.record import Intent, Record, Settled
from orchestrator.model.reply.reply import Exchange, NotSent

FAILS = Fate(status="Failed", flips=None, duration_s=60.0)
SOFT = Failures(max=Amount(100, percent=True), max_rejected=Amount(100, percent=True), mode="soft")
ALL = (Wave(name="all"),)


# --- strict -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("budget", "seed"), [(0, 1), (3, 2), (3, 3), (9, 4)])
def test_the_same_plan_is_held_after_the_same_failures_at_any_concurrency(budget: int, seed: int) -> None:
    """50 failures are to come among 120 targets; one more than the budget happens, at 1, 10 and 100 calls at once."""
    failed = [at_concurrency(number, budget, seed) for number in (1, 10, 100)]
    assert failed == [budget + 1] * 3


def at_concurrency(number: int, budget: int, seed: int) -> int:
    """How many fail before the fleet is held. The seed says which of them would, and how long each takes."""

    def setup(cloud: FakeCloud) -> None:
        random = Random(seed)
        fail = set(random.sample(sorted(cloud.proxies), 50))
        for proxy_id in cloud.proxies:
            duration_s = random.uniform(60.0, 600.0)
            good = Fate(duration_s=duration_s)
            cloud.fates[proxy_id] = replace(FAILS, duration_s=duration_s) if proxy_id in fail else good

    limits = Limits(concurrency=number, in_flight=Amount(100), rate=50.0, ramp=False)
    plan = plan_of(targets_of(120), limits=limits, waves=ALL, failures=Failures(max=Amount(budget)))
    played = Stage(plan=plan, cloud_of=setup).play()
    expect_kept(plan, played.records)
    assert played.code == 3
    assert played.run.hold is not None
    assert len(played.run.hold.proxy_ids) == budget + 1
    assert played.outcomes()["waiting"] > 0
    return played.outcomes()["failed"]


# --- fairness ---------------------------------------------------------------------------------------------------------


def play(setup: Any = lambda _cloud: None, *, number: int = 90, **changes: Any) -> Played:
    """Three scopes that share 12 slots from the same instant on; `bad` is the one that something is wrong with."""
    targets = targets_of(number, scopes=("bad", "b", "c"))
    limits = Limits(concurrency=10, in_flight=Amount(12), rate=10.0, ramp=False)
    values = {"failures": SOFT, "waves": ALL, "limits": limits, "cloud_events": "off", **changes}
    stage = Stage(plan=plan_of(targets, **values), cloud_of=lambda cloud: setup(cloud) if _is_bad(cloud) else None)
    return stage.play()


def _is_bad(cloud: FakeCloud) -> bool:
    return cloud.prefix == "wf-bad"


def open_at(played: Played, at_s: float) -> dict[str, int]:
    """How many targets of each scope were in flight at an instant."""
    counts: dict[str, int] = dict.fromkeys(("bad", "b", "c"), 0)
    for record in played.records:
        if record.at > START + timedelta(seconds=at_s):
            break
        counts[scope_of(played, record)] += isinstance(record, Intent) - isinstance(record, Settled)
    return counts


def scope_of(played: Played, record: Record) -> str:
    return played.run.targets[record.target].scope if record.target else "b"


def last_start(played: Played, scope: str) -> float:
    """When the last upgrade of a scope started, in seconds."""
    found: list[datetime] = [record.at for record in played.of(Intent) if scope_of(played, record) == scope]
    return (max(found) - START).total_seconds()


def test_scopes_share_the_slots() -> None:
    played = play()
    assert played.outcomes() == {"succeeded": 90}
    for at_s in range(60, 1500, 120):
        found = open_at(played, at_s)
        assert max(found.values()) - min(found.values()) <= 2, (at_s, found)


def test_a_scope_whose_upgrades_take_long_keeps_its_share_and_no_more() -> None:
    def slow(cloud: FakeCloud) -> None:
        cloud.default_fate = Fate(duration_s=3000.0)

    played = play(slow)
    assert played.outcomes() == {"succeeded": 90}
    for at_s in range(60, 1500, 120):
        assert open_at(played, at_s)["bad"] <= 4
    assert max(last_start(played, "b"), last_start(played, "c")) < 30 * 330 / 4 + 300


def test_a_paused_scope_takes_no_slots_from_the_others() -> None:
    def away(cloud: FakeCloud) -> None:
        failure = NotSent("connection refused", Exchange())
        cloud.down = lambda now: (
            failure if START + timedelta(seconds=200) <= now < START + timedelta(seconds=900) else None
        )

    played = play(away)
    assert played.outcomes() == {"succeeded": 90}
    found = open_at(played, 890)
    assert found["bad"] <= 4
    assert found["b"] + found["c"] >= 8
    starts = sorted(record.at for record in played.of(Intent) if scope_of(played, record) != "bad")
    assert max(later - earlier for earlier, later in pairwise(starts)) < timedelta(seconds=330)


def test_a_throttled_scope_takes_no_slots_from_the_others() -> None:
    def throttled(cloud: FakeCloud) -> None:
        cloud.acts = {proxy_id: [throttling(60.0)] * 3 for proxy_id in cloud.proxies}

    played = play(throttled, number=45)
    assert played.outcomes() == {"succeeded": 45}
    assert max(last_start(played, "b"), last_start(played, "c")) < 15 * 330 / 4 + 60
    assert last_start(played, "bad") > 15 * 180
