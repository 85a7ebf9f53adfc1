"""Random small plans: every limit, every budget, every kind of wave, windows anywhere in the world."""

from datetime import datetime
from random import Random

from fakes.nights import some_freezes, some_windows
from fakes.stage import plan_of, targets_of
from msgspec.structs import replace

from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Follow, Limits, Plan, Retry, Scope, Wave
from orchestrator.model.plan.selection import Selector
from orchestrator.model.plan.target import Facts, Target

_OWN_WINDOWS = ("18:00-22:00", "22:00-02:00", "02:00-06:00", "00:00-24:00")


def some_plan(random: Random, start: datetime) -> Plan:
    """A plan for up to 24 targets, often for fewer."""
    choice = random.choice
    scopes = choice((["default"], ["default"], ["a", "b"], ["a", "b", "c"]))
    targets = targets_of(random.randint(1, 24), per_instance=choice((1, 2, 3)), scopes=scopes)
    plan = plan_of(
        targets,
        scopes=tuple(_scope(random, name) for name in dict.fromkeys(target.scope for target in targets)),
        waves=_waves(random),
        limits=_limits(random),
        failures=_failures(random),
        follow=Follow(
            to=choice(("verified", "verified", "verified", "completed", "accepted")),
            expected_s=choice((300.0, 600.0)),
            timeout_s=2400.0,
        ),
        fit=choice((True, False)),
        retry=Retry(busy_for_s=choice((600.0, 7200.0))),
    )
    return _timed(_legal(plan), random, start)


def _scope(random: Random, name: str) -> Scope:
    budget = random.choice((None, None, None, Amount(1), Amount(30, percent=True)))
    rejected = random.choice((None, None, None, Amount(1), Amount(40, percent=True)))
    return Scope(name=name, project_id=f"p-{name}", max_failures=budget, max_rejected=rejected)


def _waves(random: Random) -> tuple[Wave, ...]:
    choice = random.choice
    canary = Wave(
        name="canary",
        size=Amount(1),
        soak_s=choice((0.0, 600.0)),
        max_failures=choice((None, Amount(0))),
    )
    early = Wave(
        name="early",
        size=choice((Amount(3), Amount(30, percent=True), Amount(60, percent=True))),
        select=choice((None, None, Selector(labels={"app": "a1"}))),
        soak_s=choice((0.0, 0.0, 3600.0)),
        approve=choice((False, False, True)),
        max_failures=choice((None, None, Amount(1), Amount(20, percent=True), Amount(50, percent=True))),
        max_rejected=choice((None, None, Amount(1), Amount(34, percent=True))),
    )
    budget = choice((None, None, Amount(2), Amount(20, percent=True)))
    rest = Wave(name="rest", approve=choice((False, False, False, True)), max_failures=budget)
    return choice(((Wave(name="all"),), (canary, rest), (early, rest), (canary, early, rest)))


def _limits(random: Random) -> Limits:
    choice = random.choice
    return Limits(
        concurrency=choice((1, 2, 10)),
        rate=choice((0.5, 2.0, 10.0)),
        in_flight=choice((Amount(1), Amount(3), Amount(10), Amount(50, percent=True))),
        per_instance=choice((1, 1, 2)),
        per_label=choice(({}, {}, {"app": 1}, {"app": 2})),
        ramp=choice((True, False)),
    )


def _failures(random: Random) -> Failures:
    choice = random.choice
    return Failures(
        max=choice((Amount(1, percent=True), Amount(2), Amount(20, percent=True), Amount(50, percent=True))),
        mode=choice(("strict", "strict", "soft")),
        max_rejected=choice((Amount(10, percent=True), Amount(60, percent=True), Amount(60, percent=True))),
        new_reject=choice(("continue", "continue", "continue", "hold")),
    )


def _legal(plan: Plan) -> Plan:
    """Without what a plan may not ask for when nothing is followed."""
    if plan.follow.to != "accepted":
        return plan
    waves = tuple(replace(wave, soak_s=0.0) for wave in plan.waves)
    limits = replace(plan.limits, in_flight=Limits().in_flight, per_label={})
    return replace(plan, waves=waves, limits=limits, failures=replace(plan.failures, mode="soft"))


def _timed(plan: Plan, random: Random, start: datetime) -> Plan:
    """Half of all plans have windows, some of these each instance's own."""
    freezes = some_freezes(random, start)
    kind = random.choice(("always", "always", "windows", "windows", "windows", "instance"))
    if kind == "instance":
        proxies = tuple(_with_window(target, random.choice(_OWN_WINDOWS)) for target in plan.proxies)
        return replace(plan, proxies=proxies, windows="instance", freezes=freezes)
    return replace(plan, windows=some_windows(random), freezes=freezes) if kind == "windows" else plan


def _with_window(target: Target, window: str) -> Target:
    return replace(target, facts=Facts(maintenance_window=window))
