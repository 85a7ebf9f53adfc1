"""The smallest change of one key with which a run would need one night only. What arithmetic allows is tried out."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import islice
from math import ceil
from typing import NamedTuple

from msgspec import structs

from orchestrator.executor.decide.opening.calendar import opening
from orchestrator.forecast.environment import Setting
from orchestrator.forecast.result import Rehearsal
from orchestrator.forecast.simulate import play
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Plan
from orchestrator.planner.preview.estimate import forecast
from orchestrator.planner.preview.forecast_values import Change
from orchestrator.planner.waves import assign_waves

#: By how much a limit may be raised, the smallest first.
_FACTORS = (1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 16.0)

#: No more is tried out than this, and less of a large fleet: each trial takes as long as a rehearsal.
_MOST_TRIALS, _TARGETS_IN_ALL = 6, 10_000

#: Arithmetic may be off by so much; what it holds for much too slow is not tried out.
_SLACK = 0.95

#: The length of a night when each instance has a window of its own, seconds.
_ANY_NIGHT_S = 86400.0


_RAMP = "limits.ramp"


class _Turned(NamedTuple):
    key: str
    value: str
    plan: Plan


def one_night(setting: Setting, base: Rehearsal, sampler: Callable[[], Callable[[], float]]) -> Change | None:
    """The smallest change after which nothing starts in a second night; None when no single one was found.

    Args:
        setting: what was rehearsed.
        base: how it went, over more nights than one.
        sampler: begins the same durations again, so that trials differ in nothing else.
    """
    trials = min(_MOST_TRIALS, max(1, _TARGETS_IN_ALL // len(setting.targets)))
    for turned, changed in islice(_promising(setting, base), trials):
        found = play(changed, sampler(), most_nights=1)
        if found.unfinished is None:
            return Change(key=turned.key, value=turned.value, duration_s=found.ends_s)
    return None


def _promising(setting: Setting, base: Rehearsal) -> Iterator[tuple[_Turned, Setting]]:
    """Changes for which one night might do, by arithmetic, and which arithmetic thinks better than none."""
    night_s, unchanged_s = _night_s(setting, base), _least_s(setting)
    for turned in _candidates(setting.plan, setting):
        changed = _with_plan(setting, turned.plan)
        least_s = _least_s(changed)
        gains = least_s < unchanged_s or turned.key == _RAMP  # of which arithmetic knows nothing
        if gains and _SLACK * least_s <= night_s:
            yield turned, changed


def _night_s(setting: Setting, base: Rehearsal) -> float:
    """How long the first night is, from its first start on."""
    plan = setting.plan
    first_s = min(span.starts_s for span in base.waves.values() if span.starts_s is not None)
    if plan.windows == "instance":
        return _ANY_NIGHT_S
    starts = setting.begins + timedelta(seconds=first_s)
    closes = opening(plan.windows, plan.freezes, starts).until or starts + timedelta(seconds=_ANY_NIGHT_S)
    return (closes - starts).total_seconds() + (0.0 if plan.fit else setting.typical_s)


def _least_s(setting: Setting) -> float:
    """What the run takes at least, by arithmetic."""
    follow = structs.replace(setting.plan.follow, expected_s=setting.typical_s)
    plan = structs.replace(setting.plan, follow=follow)
    return forecast(plan, setting.targets, setting.staging, frozenset(setting.left_out)).duration_s


def _with_plan(setting: Setting, plan: Plan) -> Setting:
    staging = assign_waves(plan, setting.targets, setting.left_out)
    return structs.replace(setting, plan=plan, staging=staging)


def _candidates(plan: Plan, setting: Setting) -> Iterator[_Turned]:
    if plan.limits.ramp:
        yield _Turned(_RAMP, "false", _limited(plan, ramp=False))
    for factor in _FACTORS:
        yield from _raised(plan, setting, factor)


def _raised(plan: Plan, setting: Setting, factor: float) -> Iterator[_Turned]:
    """Every limit raised by a factor, one at a time."""
    limits = plan.limits
    in_flight = ceil(setting.staging.in_flight * factor)
    yield _Turned("limits.in_flight", str(in_flight), _limited(plan, in_flight=Amount(in_flight)))
    concurrency = ceil(limits.concurrency * factor)
    yield _Turned("limits.concurrency", str(concurrency), _limited(plan, concurrency=concurrency))
    if isinstance(limits.rate, float) and all(scope.rate is None for scope in plan.scopes):
        yield _Turned("limits.rate", f"{limits.rate * factor:g}/s", _limited(plan, rate=limits.rate * factor))
    if plan.failures.mode == "strict":
        budget = ceil((setting.staging.max_failures + 1) * factor) - 1
        failures = structs.replace(plan.failures, max=Amount(budget))
        yield _Turned("failures.max", str(budget), structs.replace(plan, failures=failures))


def _limited(plan: Plan, **limits: object) -> Plan:
    return structs.replace(plan, limits=structs.replace(plan.limits, **limits))
