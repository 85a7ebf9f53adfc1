"""Expected duration and calls of a run, by simple arithmetic: the largest of what rate, slots and latency allow.

It is a bound of what is possible when nothing fails, not a simulation: queueing, retries and windows are not in it.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from orchestrator.model.plan.plan import Follow, Limits, Plan
from orchestrator.model.plan.target import Target
from orchestrator.planner.waves import Staging, WaveShare

#: How long a call is taken to last when nothing was measured, seconds.
LATENCY_S = 0.2
#: The lists of the cloud's own events are so many, and serve a scope for so long, seconds.
EVENT_LISTS, _EVENTS_S = 2, 300.0
#: A listing of running jobs serves a scope for so long, seconds.
_LISTING_S = 60.0
#: The rate that is assumed while `auto` has not found one, per second.
AUTO_RATE = 2.0
#: What a wave waits for that is under way as a whole.
ONE_UPGRADE = "the length of one upgrade"


class AssumedRate(Struct, frozen=True, kw_only=True):
    """What `rate: auto` is taken to be.

    Attributes:
        scopes: that share it.
        rate: calls per second.
        found_at: when a run found it; None when none has, and it is a guess.
    """

    scopes: tuple[str, ...]
    rate: float
    found_at: datetime | None


class WaveForecast(Struct, frozen=True, kw_only=True):
    """How long a wave should take, without its soak, and what it waits for most of that time."""

    name: str
    duration_s: float
    limited_by: str
    soak_s: float


class Forecast(Struct, frozen=True, kw_only=True):
    """What a run should cost.

    Attributes:
        upgrade_calls: upgrade-version calls, one for each target that is sent.
        calls: an estimate of all calls.
        duration_s: all waves and the soaks between them.
        limited_by: what binds for the largest part of that.
    """

    upgrade_calls: int
    calls: int
    duration_s: float
    limited_by: str
    waves: tuple[WaveForecast, ...]


def forecast(
    plan: Plan, targets: Sequence[Target], staging: Staging, left_out: frozenset[str], looked_at: int = 0
) -> Forecast:
    """The forecast of a staged plan.

    Args:
        plan: whose limits hold.
        targets: all of the plan, as the staging indexes them.
        staging: the waves.
        left_out: proxy ids that are not sent.
        looked_at: how many of these the run reads before it leaves them out.
    """
    sends = [_sends(wave, targets, left_out) for wave in staging.waves]
    level = 1
    found: list[WaveForecast] = []
    for number, (wave, sent) in enumerate(zip(staging.waves, sends, strict=True)):
        ramping = plan.limits.ramp and number > 0
        rounds, level = _rounds(len(sent), wave.in_flight, level if ramping else wave.in_flight)
        level = level if ramping else 1
        soak_s = wave.soak_s if sent and any(sends[number + 1 :]) else 0.0
        found.append(_wave(plan, wave, sent, rounds, soak_s))
    total_s = sum(wave.duration_s + wave.soak_s for wave in found)
    upgrades = sum(map(len, sends))
    first = len(plan.scopes) if upgrades or looked_at else 0
    lists = EVENT_LISTS if first and plan.cloud_events == "wait" else 0
    events = len(plan.scopes) * lists * (1 + int(total_s // _EVENTS_S))
    listings = len(plan.scopes) * math.ceil(total_s / _LISTING_S) if upgrades else 0
    return Forecast(
        upgrade_calls=upgrades,
        calls=math.ceil(upgrades * calls_per_target(plan.follow)) + listings + events + first + looked_at,
        duration_s=total_s,
        limited_by=_largest(found),
        waves=tuple(found),
    )


def calls_per_target(follow: Follow) -> float:
    """Calls for one target when all goes well: preflight, upgrade, looks at the job, version and health."""
    if follow.to == "accepted":
        return 2
    return 2 + looks(follow) + (2 if follow.to == "verified" else 0)


def looks(follow: Follow) -> int:
    """How often a job is looked at if it takes as long as expected: sparsely at first, by `poll` near the end."""
    first_s = max(follow.poll_s, min(follow.expected_s / 2, 60.0))
    near_s = 0.8 * follow.expected_s
    gap_s = max(follow.poll_s, follow.expected_s / 5)
    sparse = math.ceil(max(0.0, near_s - first_s) / gap_s)
    last_s = max(0.0, follow.expected_s - max(near_s, first_s))
    return 1 + sparse + math.ceil(last_s / follow.poll_s)


def _sends(wave: WaveShare, targets: Sequence[Target], left_out: frozenset[str]) -> list[Target]:
    drawn = [targets[index] for index in wave.targets]
    return [target for target in drawn if target.proxy_id not in left_out] if left_out else drawn


def _rounds(count: int, cap: int, level: int) -> tuple[int, int]:
    """Rounds of upgrades side by side, doubling from `level` to the cap; and the level reached."""
    rounds = 0
    while count > 0 and level < cap:
        count -= level
        level = min(cap, level * 2)
        rounds += 1
    return rounds + math.ceil(max(0, count) / cap), level


def _wave(plan: Plan, wave: WaveShare, sent: list[Target], rounds: int, soak_s: float) -> WaveForecast:
    if not sent:
        return WaveForecast(name=wave.name, duration_s=0.0, limited_by="nothing to do", soak_s=0.0)
    followed_s = 0.0 if plan.follow.to == "accepted" else plan.follow.expected_s
    bounds = {
        ONE_UPGRADE: followed_s,
        _slots(wave, len(sent)): rounds * followed_s,
        "per_instance": _on_one_instance(sent, plan.limits) * followed_s,
        "per_label": _with_one_label(sent, plan.limits) * followed_s,
        "rate": _rate_s(plan, sent),
        "concurrency": len(sent) * LATENCY_S / plan.limits.concurrency,
    }
    # The first of equals: a wave of one round is as long as one upgrade, whatever the slots.
    limited_by = max(bounds, key=bounds.__getitem__)
    return WaveForecast(name=wave.name, duration_s=bounds[limited_by], limited_by=limited_by, soak_s=soak_s)


def _slots(wave: WaveShare, count: int) -> str:
    """What makes the rounds of a wave: its slots, and the ramp alone when there is one for each of its targets."""
    return "ramp" if count <= wave.in_flight else f"in_flight {wave.in_flight}"


def _on_one_instance(sent: list[Target], limits: Limits) -> int:
    most = max(Counter(target.instance_id for target in sent).values())
    return math.ceil(most / limits.per_instance)


def most_at_once(limits: Limits, targets: Sequence[Target]) -> int:
    """How many of these may be in flight together, as far as slots of their instances and labels go."""
    most = _slots_of(Counter(target.instance_id for target in targets), limits.per_instance)
    for label, each in limits.per_label.items():
        values = Counter(target.labels.get(label) for target in targets)
        most = min(most, values.pop(None, 0) + _slots_of(values, each))
    return most


def _slots_of(counts: Mapping[str | None, int], each: int) -> int:
    return sum(min(count, each) for count in counts.values())


def _with_one_label(sent: list[Target], limits: Limits) -> int:
    """How many have to follow each other, of the value of a label that most have."""
    rounds = [
        math.ceil(max(Counter(filter(None, (target.labels.get(label) for target in sent))).values(), default=0) / each)
        for label, each in limits.per_label.items()
    ]
    return max(rounds, default=0)


def _rate_s(plan: Plan, sent: list[Target]) -> float:
    """Seconds that the slowest rate takes."""
    counts = Counter(target.scope for target in sent)
    each = calls_per_target(plan.follow)
    return max(sum(counts[name] for name in names) * each / rate for names, rate in rate_groups(plan))


def rate_groups(plan: Plan) -> list[tuple[list[str], float]]:
    """The scopes that share a rate, as they have endpoint and credentials in common, and the rate: the lowest."""
    groups: dict[object, list[str]] = {}
    rates: dict[object, float] = {}
    for scope in plan.scopes:
        shared = (scope.endpoint or scope.region, scope.auth)
        wanted = plan.limits.rate if scope.rate is None else scope.rate
        rate = AUTO_RATE if wanted == "auto" else wanted
        groups.setdefault(shared, []).append(scope.name)
        rates[shared] = min(rate, rates.get(shared, rate))
    return [(names, rates[shared]) for shared, names in groups.items()]


def _largest(waves: list[WaveForecast]) -> str:
    shares: Counter[str] = Counter()
    for wave in waves:
        shares[wave.limited_by] += round(wave.duration_s * 1000)
        shares["soak"] += round(wave.soak_s * 1000)
    return shares.most_common(1)[0][0] if shares.total() else "nothing to do"
