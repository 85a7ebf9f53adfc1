"""What samples of a metric say to a gate: whether its bounds are kept, by themselves or beside a control group. Pure.

With a control group it is a difference in differences of medians: how much a proxy changed with its upgrade, less how
much those changed in the same minutes that were not upgraded. What the whole region does takes no part in it. How far
single proxies of the control group scatter says what may be chance.
"""

from collections.abc import Collection, Mapping, Sequence
from math import exp, log, sqrt
from typing import NamedTuple

from orchestrator.model.learned.median import median
from orchestrator.model.plan.health_gate import EyeQuestion, GateFinding, MetricBound
from orchestrator.model.plan.metric import Minute, Minutes
from orchestrator.spoken import counted

#: So few minutes after an upgrade, before it, and proxies to compare with, say nothing.
FEWEST_AFTER, FEWEST_BEFORE, FEWEST_CONTROL = 3, 5, 3

#: How much more a metric may grow than elsewhere when a plan says nothing.
_DEFAULT_BOUND = MetricBound(10.0, percent=True)

#: A difference counts when it is so many times as large as what chance makes of a median.
_CERTAIN = 3.0
#: The standard deviation of a median by that of a mean, and by the median of absolute deviations.
_OF_MEDIAN, _OF_DEVIATIONS = 1.2533, 1.4826


class Treated(NamedTuple):
    """A proxy that was upgraded: the minutes that count as before and after, and its metric."""

    proxy_id: str
    before: range
    after: range
    values: Minutes


class _Change(NamedTuple):
    by: float
    control: Sequence[float]


class _Medians:
    """A metric of one proxy over ranges of minutes: upgrades of the same minute ask for the same."""

    def __init__(self, values: Minutes) -> None:
        self._values = values
        self._known: dict[range, float | None] = {}

    def over(self, minutes: range, fewest: int) -> float | None:
        """The median; None with too few samples."""
        if minutes not in self._known:
            found = _in(self._values, minutes)
            self._known[minutes] = median(found) if len(found) >= fewest else None
        return self._known[minutes]


def judge_bounds(question: EyeQuestion, upgraded: Sequence[Treated]) -> GateFinding:
    """Whether the median of each proxy in the last minutes keeps the bounds."""
    medians = {
        each.proxy_id: median(found) for each in upgraded if len(found := _in(each.values, each.after)) >= FEWEST_AFTER
    }
    if not medians:
        return no_data("no data of the proxies that were upgraded")
    low, high = min(medians, key=medians.__getitem__), max(medians, key=medians.__getitem__)
    said = f"{counted(len(medians), 'proxy', 'proxies')}, {medians[low]:g} to {medians[high]:g}"
    if question.max is not None and medians[high] > question.max.value:
        return _fails(medians[high], f"{said}, the highest of {high}; max {question.max}")
    if question.min is not None and medians[low] < question.min.value:
        return _fails(medians[low], f"{said}, the lowest of {low}; min {question.min}")
    kept = _passes(medians[high] if question.max is not None else medians[low], said)
    return _of_enough(kept, len(medians), upgraded)


def judge_control(question: EyeQuestion, upgraded: Sequence[Treated], control: Mapping[str, Minutes]) -> GateFinding:
    """Whether upgraded proxies changed no further than others did in the same minutes."""
    bounds = [bound for bound in (question.max, question.min) if bound is not None] or [_DEFAULT_BOUND]
    percent = bounds[0].percent
    others = [_Medians(values) for values in control.values()]
    changes = [change for each in upgraded if (change := _change(each, others, percent=percent)) is not None]
    if not changes:
        return no_data("too few samples to compare with")
    by = median(change.by for change in changes)
    chance = _chance(changes)
    shown = (exp(by) - 1) * 100 if percent else by
    said = f"{_signed(shown, percent=percent)} by {counted(len(changes), 'upgrade')}, beside {_beside(changes)}"
    upper = question.max if question.min is not None else question.max or _DEFAULT_BOUND
    if upper is not None and shown > upper.value and by > _CERTAIN * chance:
        return _fails(shown, f"{said}; max {upper}")
    if question.min is not None and shown < question.min.value and by < -_CERTAIN * chance:
        return _fails(shown, f"{said}; min {question.min}")
    return _of_enough(_passes(shown, said), len(changes), upgraded)


def _of_enough(passes: GateFinding, known: int, upgraded: Sequence[Treated]) -> GateFinding:
    """The same; no data where fewer than half of those are known that were upgraded long enough ago to have samples."""
    due = sum(len(each.after) >= FEWEST_AFTER for each in upgraded)
    return no_data(f"samples of only {known} of {counted(due, 'proxy', 'proxies')}") if 2 * known < due else passes


def no_data(why: str) -> GateFinding:
    """The finding when nothing can be said."""
    return GateFinding(answer="error", evidence=why)


def _change(each: Treated, control: Sequence[_Medians], *, percent: bool) -> _Change | None:
    """How much one proxy changed beside the control group; None with too few samples."""
    own = _difference(_Medians(each.values), each, percent=percent)
    others = [change for other in control if (change := _difference(other, each, percent=percent)) is not None]
    if own is None or len(others) < FEWEST_CONTROL:
        return None
    return _Change(own - median(others), others)


def _difference(medians: _Medians, each: Treated, *, percent: bool) -> float | None:
    was, now = medians.over(each.before, FEWEST_BEFORE), medians.over(each.after, FEWEST_AFTER)
    if was is None or now is None:
        return None
    if not percent:
        return now - was
    return log(now / was) if was > 0 and now > 0 else None


def _chance(changes: Sequence[_Change]) -> float:
    """How far the median of the changes may be off by chance, as the control group scatters."""
    scatter = median(_scatter(change.control) for change in changes)
    alone = 1.0 if len(changes) == 1 else _OF_MEDIAN
    fewest = min(len(change.control) for change in changes)
    return scatter * sqrt(alone**2 / len(changes) + _OF_MEDIAN**2 / fewest)


def _scatter(values: Sequence[float]) -> float:
    middle = median(values)
    return _OF_DEVIATIONS * median(abs(value - middle) for value in values)


def _in(values: Minutes, minutes: Collection[Minute]) -> list[float]:
    return [values[minute] for minute in minutes if minute in values]


def _beside(changes: Sequence[_Change]) -> str:
    return counted(max(len(change.control) for change in changes), "proxy", "proxies")


def _signed(value: float, *, percent: bool) -> str:
    return f"{value:+.3g}{' %' if percent else ''}"


def _fails(value: float, evidence: str) -> GateFinding:
    return GateFinding(answer="fails", value=value, evidence=evidence)


def _passes(value: float, evidence: str) -> GateFinding:
    return GateFinding(answer="passes", value=value, evidence=evidence)
