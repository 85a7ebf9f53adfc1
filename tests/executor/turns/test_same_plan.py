"""The same plan comes to the same on one host, and where its scopes are spread over one that decides and others."""

from collections import defaultdict
from dataclasses import replace
from itertools import count
from random import Random
from typing import NamedTuple

import pytest
from fakes import acts
from fakes.acts import Fate
from fakes.clouds import NEW, FakeCloud
from fakes.fleets import Scenario
from fakes.shared_log import SharedLog
from fakes.shared_stage import SharedStage
from fakes.stage import Played, Stage
from msgspec import structs
from trio._core import _run as scheduler

from orchestrator.model.plan.plan import Plan
from orchestrator.model.record.record import Intent, ScopeServed, TurnGiven, WaveDone, WaveOpened

LEAD = "lead"


class Told(NamedTuple):
    """Waves as they opened and ended, the order of attempts in each scope, and what became of each target."""

    waves: list[tuple[str, str]]
    order: dict[str, list[str]]
    standing: dict[str, str]


def told(played: Played) -> Told:
    waves = [(type(each).__name__, each.wave) for each in played.records if isinstance(each, WaveOpened | WaveDone)]
    order = defaultdict(list)
    for intent in played.of(Intent):
        order[played.run.targets[intent.target].scope].append(intent.target)
    return Told(waves, dict(order), {key: played.run.standing(key) for key in played.run.targets})


def steady(seed: int) -> Stage:
    """A random plan whose cloud does to each proxy what it does, whenever and in whatever order it is asked."""
    scenario = Scenario(seed)

    latency = count()

    def cloud_of(cloud: FakeCloud) -> None:
        cloud.latency_s = 0.05 + 0.0137 * next(latency)  # nothing happens in two scopes at the same instant
        for key in cloud.proxies:
            chance = Random(f"{seed} {key}")
            cloud.acts[key] = [acts.rejecting()] if chance.random() < 0.1 else []
            fails, duration_s = chance.random() < 0.05, chance.uniform(200.0, 600.0)  # no two end at the same instant
            fate = Fate(duration_s=duration_s)
            cloud.fates[key] = replace(fate, status="Failed", flips=None) if fails else fate
            if chance.random() < 0.1:
                cloud.versions[key] = NEW

    limits = structs.replace(scenario.plan.limits, rate=50.0, concurrency=100)  # no call waits for another
    waves = tuple(structs.replace(wave, approve=False) for wave in scenario.plan.waves)
    plan = structs.replace(scenario.plan, gates=(), cloud_events="off", limits=limits, waves=waves)
    new_cloud = scenario.stage().new_cloud
    return Stage(
        plan=plan, new_cloud=new_cloud, cloud_of=cloud_of, seed=seed, start=scenario.start, wait_s=600.0, host=LEAD
    )


def play(stage: Stage, *hosts: str) -> Played:
    return SharedStage(lead=stage, hosts=hosts, together=True, log=SharedLog(looks_every_s=None)).play()


def spread(plan: Plan, seed: int) -> tuple[Plan, tuple[str, ...]]:
    """The plan with its scopes given to hosts, one of which decides; and who the others are."""
    chance, names = Random(f"spread {seed}"), (LEAD, "server-1", "server-2")
    scopes = [structs.replace(scope, hosts=(chance.choice(names),)) for scope in plan.scopes]
    if all(scope.hosts == (LEAD,) for scope in scopes):
        scopes[-1] = structs.replace(scopes[-1], hosts=("server-1",))
    others = sorted({scope.hosts[0] for scope in scopes} - {LEAD})
    return structs.replace(plan, scopes=tuple(scopes)), tuple(others)


class InLine:
    """No chance: of tasks that could run at the same instant, the one that has waited longest comes first."""

    def seed(self, _seed: int) -> None:
        setattr(scheduler, "_ALLOW_DETERMINISTIC_SCHEDULING", False)  # else the one that was made first

    def random(self) -> float:
        return 0.0  # the last of those that wait is taken first, and now they are turned round

    def uniform(self, low: float, _high: float) -> float:
        return low


@pytest.fixture(autouse=True)
def in_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "_r", InLine())


@pytest.mark.parametrize("seed", range(6))
def test_a_plan_comes_to_the_same_whether_its_scopes_are_served_by_one_host_or_by_several(seed: int) -> None:
    stage = steady(seed)
    alone = play(stage)
    plan, others = spread(stage.plan, seed)
    shared = play(replace(steady(seed), plan=plan), *others)
    assert told(shared) == told(alone)
    assert {each.host for each in shared.of(ScopeServed)} == set(others)
    own = {scope.name for scope in plan.scopes if scope.served_by(LEAD)}
    turns = {each.target for each in shared.of(TurnGiven)}
    begun = {each.target for each in shared.of(Intent)}
    assert turns >= {each.proxy_id for each in plan.proxies if each.proxy_id in begun and each.scope not in own}
