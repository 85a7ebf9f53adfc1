"""A random plan: waves, limits, budgets, windows, how far to follow, how patiently; small durations, legal values."""

from hashlib import blake2b
from random import Random
from typing import Any

from msgspec.structs import replace

from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.auth import Auth
from orchestrator.model.plan.plan import Failures, Follow, Http, Limits, Plan, Retry, Scope, Wave, Window
from orchestrator.model.plan.selection import Selector
from orchestrator.model.plan.target import Target
from orchestrator.simulator.config import made_project_id

NEW = "2.24.03.000"
REGIONS = {"bj4": "cn-north-4", "gz": "cn-south-1", "sh": "cn-east-3"}

#: Of so many plans one has its rates found out.
_AUTO_RATE = 8

#: Every window opens at this hour.
OPENS_H = 19

_AUTHS = (
    Auth(token_env="TOKEN"),
    Auth(user="robot", domain="domain", password_env="PASSWORD"),
    Auth(access_key_env="AK", secret_key_env="SK"),
)


def doubt_period_s(plan: Plan) -> float:
    """How long a doubtful attempt is reconciled before it may be sent again."""
    return max(plan.retry.resend_after_s, 2 * plan.http.timeout_s)


def random_plan(chance: Random, seed: int, number: int) -> Plan:
    """A plan for so many targets."""
    targets = _targets(chance, seed, number, list(REGIONS)[: chance.choice((1, 1, 1, 2, 3))])
    scopes = tuple(_scope(chance, seed, name) for name in dict.fromkeys(target.scope for target in targets))
    plan = Plan(
        name=f"fleet-{seed}",
        path="/plans/fleet.yaml",
        sha256="0" * 64,
        target_version=NEW,
        source_versions=chance.choice(((), (), ("2.23.12.000", "2.23.09.002"))),
        scopes=scopes,
        proxies=tuple(targets),
        waves=_waves(chance, number),
        limits=replace(_limits(chance), rate="auto") if seed % _AUTO_RATE == 0 else _limits(chance),
        failures=_failures(chance),
        windows=_windows(chance),
        fit=False,
        follow=_follow(chance),
        retry=_retry(chance),
        http=Http(timeout_s=chance.uniform(4, 12)),
    )
    return _without_following(plan) if plan.follow.to == "accepted" else plan


def changed(plan: Plan, chance: Random) -> Plan:
    """The same plan with other limits, as somebody may edit it between two nights."""
    fresh = _limits(chance)
    if plan.follow.to == "accepted":
        fresh = replace(plan.limits, concurrency=fresh.concurrency)
    return replace(plan, limits=replace(fresh, rate=plan.limits.rate))


def _scope(chance: Random, seed: int, name: str) -> Scope:
    region = REGIONS[name]
    auth = chance.choices(_AUTHS, weights=(6, 3, 1))[0]
    budget = Amount(chance.randint(0, 6)) if chance.random() < 0.1 else None
    return Scope(
        name=name, region=region, project_id=made_project_id(seed, region), auth=auth, max_failures=budget, rate=None
    )


def _targets(chance: Random, seed: int, number: int, names: list[str]) -> list[Target]:
    targets: list[Target] = []
    crowds = chance.choice(((1, 1, 2, 4), (2, 3, 4, 4)))
    while len(targets) < number:
        scope, instance = chance.choice(names), _identity(seed, "instance", len(targets)) + "in07"
        for _ in range(min(chance.choice(crowds), number - len(targets))):
            targets.append(
                Target(
                    scope=scope,
                    instance_id=instance,
                    proxy_id=_identity(seed, "proxy", len(targets)) + "po01",
                    labels={"app": f"a{chance.randrange(8)}", "tier": chance.choice(("gold", "silver"))},
                )
            )
    return targets


def _identity(seed: int, *parts: object) -> str:
    return blake2b(f"{seed} {parts}".encode(), digest_size=16).hexdigest()


def _waves(chance: Random, number: int) -> tuple[Wave, ...]:
    waves = [_wave(chance, f"w{at}", number) for at in range(chance.choice((0, 1, 1, 2, 3)))]
    return (*waves, Wave(name="rest", soak_s=chance.choice((0.0, 60.0))))


def _wave(chance: Random, name: str, number: int) -> Wave:
    size = (
        Amount(chance.choice((1, 5, 20, 40)), percent=True) if chance.random() < 0.5 else Amount(_some(chance, number))
    )
    return Wave(
        name=name,
        size=size,
        select=Selector(labels={"tier": "silver"}) if chance.random() < 0.2 else None,
        soak_s=chance.choice((0.0, 0.0, 90.0, 600.0)),
        max_failures=Amount(chance.randint(0, 3)) if chance.random() < 0.1 else None,
        max_rejected=Amount(chance.randint(0, 3)) if chance.random() < 0.05 else None,
        approve=chance.random() < 0.06,
    )


def _some(chance: Random, number: int) -> int:
    return chance.choice((1, 2, max(1, number // 4)))


def _limits(chance: Random) -> Limits:
    in_flight = chance.choice((Amount(1), Amount(4), Amount(10), Amount(30), Amount(30), Amount(50, percent=True)))
    return Limits(
        concurrency=chance.choice((1, 3, 10)),
        rate=chance.choice((0.5, 2.0, 5.0, 10.0, 30.0)),
        in_flight=in_flight,
        per_instance=chance.choice((1, 1, 2, 4)),
        per_label={"app": chance.randint(1, 4)} if chance.random() < 0.3 else {},
        ramp=chance.random() < 0.5,
    )


def _failures(chance: Random) -> Failures:
    budget = chance.choices(
        (Amount(1, percent=True), Amount(2), Amount(20, percent=True), Amount(70, percent=True)), weights=(1, 2, 3, 6)
    )[0]
    counts: Any = chance.choice((Failures().counts, ("failed", "timed_out", "mismatch", "in_doubt", "deferred")))
    return Failures(
        max=budget,
        counts=counts,
        mode=chance.choice(("strict", "soft")),
        max_rejected=chance.choice(
            (Amount(10, percent=True), Amount(1), Amount(70, percent=True), Amount(70, percent=True))
        ),
        new_reject="hold" if chance.random() < 0.08 else "continue",
    )


def _windows(chance: Random) -> tuple[Window, ...]:
    """Mostly always; else a window that is open at the beginning, and every day."""
    if chance.random() < 0.85:
        return ()
    return (Window(opens=OPENS_H * 60, closes=chance.choice((20 * 60 + 3, 20 * 60 + 10, 22 * 60)), timezone="UTC"),)


def _follow(chance: Random) -> Follow:
    return Follow(
        to=chance.choices(("verified", "completed", "accepted"), weights=(6, 1.5, 2.5))[0],
        poll_s=chance.choice((30.0, 60.0)),
        timeout_s=chance.choice((120.0, 180.0, 400.0)),
        expected_s=chance.choice((40.0, 80.0, 120.0)),
        verify_for_s=chance.choice((20.0, 60.0)),
    )


def _retry(chance: Random) -> Retry:
    return Retry(
        attempts=chance.choice((2, 3, 5)),
        backoff_s=chance.choice((0.5, 2.0)),
        max_backoff_s=20.0,
        busy_s=chance.choice((10.0, 40.0)),
        busy_for_s=chance.choice((60.0, 300.0, 900.0)),
        resend_after_s=chance.choice((40.0, 90.0, 150.0)),
    )


def _without_following(plan: Plan) -> Plan:
    """What a plan may not ask for when nothing is followed."""
    limits = replace(plan.limits, in_flight=Limits().in_flight, per_label={})
    waves = tuple(replace(wave, soak_s=0.0) for wave in plan.waves)
    return replace(plan, limits=limits, waves=waves, failures=replace(plan.failures, mode="soft"))
