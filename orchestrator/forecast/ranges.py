"""What several rehearsals say of one number: the range that all but one run of twenty at either end lie in."""

from collections.abc import Iterable, Sequence
from math import hypot, sqrt

from orchestrator.planner.preview.forecast_values import Range

_P5, _P95 = 0.05, 0.95

#: How many standard deviations the range of 5 to 95 % reaches to each side; `statistics` takes 2 ms to import.
_REACH = 1.6448536269514715

#: From so many values on it is seen how they bend.
_BEND = 3


def range_of(values: Iterable[float]) -> Range:
    """Of many values the twentieth from both ends; of a few, the ends. Between them stands that of the typical run.

    Args:
        values: of the rehearsals, from the fastest to the slowest: the typical one is in the middle.
    """
    played = list(values)
    typical, ordered = played[len(played) // 2], sorted(played)
    p5, p95 = _quantile(ordered, _P5), _quantile(ordered, _P95)
    return Range(p5=min(p5, typical), p50=typical, p95=max(p95, typical))


def by_chance(values: Sequence[float]) -> Range:
    """The range of a number in which single durations play a part, as they do in how often is looked.

    From level to level it would go smoothly but for them, so what bends its course is their part. It is as large in
    runs of any level; the ends of the range alone show a run or two of it.

    Args:
        values: of the rehearsals, from the fastest to the slowest.
    """
    told = range_of(values)
    if len(values) < _BEND:
        return told
    bends = (after - 2 * here + before for before, here, after in zip(values, values[1:], values[2:], strict=False))
    chance = _REACH * sqrt(sum(bend**2 for bend in bends) / (len(values) - 2) / 6)
    below, above = hypot(told.p50 - told.p5, chance), hypot(told.p95 - told.p50, chance)
    return Range(p5=max(0.0, told.p50 - below), p50=told.p50, p95=told.p50 + above)


def _quantile(ordered: Sequence[float], share: float) -> float:
    place = min(max(share * len(ordered) - 0.5, 0.0), len(ordered) - 1.0)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
