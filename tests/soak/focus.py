"""Worlds in which one kind of trouble is everywhere: where a protection that is missing shows within a few trials."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import TypeAlias

from msgspec.structs import replace as other
from soak.fleet import Fleet, Ordeal, random_fleet
from soak.life import Death

from orchestrator.executor.crash_points import Point
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Limits, Plan, Wave
from orchestrator.simulator.profile import Fault, Group, JobShares, Lists, Profile

Rates: TypeAlias = dict[Group, dict[Fault, float]]

_ANY = Amount(100, percent=True)

#: Nobody is held up: many are in doubt at once, beside each other.
_FREE = Limits(concurrency=10, rate=30.0, in_flight=Amount(30), per_instance=4, ramp=False)
_PATIENT = Failures(max=_ANY, max_rejected=_ANY, mode="soft")


def crowded(seed: int) -> Fleet:
    """Neighbours on one instance, all in doubt at once; their jobs fail, and no list says whose they are."""
    doubts: Rates = {"upgrade": {"lost_answer": 0.35, "error_before": 0.3}}
    return world(seed, Profile(rates=doubts, jobs=JobShares(end={"failed": 0.7})))


def behind(seed: int) -> Fleet:
    """The cloud's clock is far behind, and processes die between the call and its answer."""
    doubts: Rates = {"upgrade": {"lost_answer": 0.4}}
    fleet = world(seed, Profile(rates=doubts, jobs=JobShares(end={"failed": 0.7}), clock_skew_s=-800.0))
    chance = Random(seed)
    deaths = (Ordeal(death=Death(Point.ANSWER_RECEIVED, chance.randint(1, 6)), down_s=60.0) for _ in range(3))
    return replace(fleet, ordeals=tuple(deaths))


def unseen(seed: int) -> Fleet:
    """Answers get lost, upgrades fail, and no list shows any of them."""
    doubts: Rates = {"upgrade": {"lost_answer": 0.5}}
    return world(seed, Profile(rates=doubts, jobs=JobShares(end={"failed": 0.7}), lists=Lists(jobs_hidden=1.0)))


def confused(seed: int) -> Fleet:
    """Others upgrade what we wanted to, answers are twisted, jobs are late, proxies are ill, lists name everybody."""
    twisted: Rates = {
        "upgrade": {"foreign_instead": 0.15, "unknown_state": 0.15, "empty_result": 0.15, "two_accepted": 0.15}
    }
    jobs = JobShares(
        end={"failed": 0.3, "unauthorized_then_runs": 0.2},
        flip={"early": 0.3, "late": 0.3},
        seen={"late": 0.3, "not_by_id": 0.3},
        health={"abnormal": 0.3},
    )
    return world(seed, Profile(rates=twisted, jobs=jobs, lists=Lists(jobs_name_proxy=1.0)))


def wary(seed: int) -> Fleet:
    """Budgets of one failure, a slow disk, and much that fails at once."""
    fleet = world(seed, Profile(jobs=JobShares(end={"failed": 0.3}), rates={"upgrade": {"rejected": 0.2}}))
    failures = Failures(max=Amount(1), max_rejected=Amount(1), mode="strict" if seed % 2 else "soft", new_reject="hold")
    return replace(fleet, plan=other(fleet.plan, failures=failures), disk_delay_s=0.5)


FOCI: dict[str, Callable[[int], Fleet]] = {each.__name__: each for each in (crowded, behind, unseen, confused, wary)}


def world(seed: int, faults: Profile) -> Fleet:
    """A random small fleet in a world with just these faults, its times, and a plan that lets it run."""
    fleet = random_fleet(seed, "small")
    random = fleet.config.faults
    timing = random.timing if isinstance(random, Profile) else faults.timing
    waves = (Wave(name="first", size=Amount(1)), Wave(name="rest"))
    plan: Plan = other(fleet.plan, limits=_FREE, failures=_PATIENT, waves=waves, windows=())
    plan = other(plan, follow=other(plan.follow, to="verified"), scopes=plan.scopes)
    return replace(
        fleet, plan=plan, config=other(fleet.config, faults=other(faults, timing=timing)), outages=(), careless=0.0
    )
