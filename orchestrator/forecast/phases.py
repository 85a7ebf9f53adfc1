"""From what held a run up at each instant to a few phases that a person can read. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

from orchestrator.forecast.binding import CLOSED, END_OF
from orchestrator.planner.preview.estimate import ONE_UPGRADE

#: Stretches between two closings are shown in so many equal parts, each by what held it up longest.
_PARTS = 24

#: What lasts for less than this share of its stretch is left out of the story.
_SHORT = 0.06


class Spell(NamedTuple):
    """From when to when, in seconds, and held up by what."""

    starts_s: float
    ends_s: float
    by: str


def phases(spans: Sequence[tuple[float, str]], ends_s: float) -> list[Spell]:
    """The phases of a run, in order, without gaps.

    Args:
        spans: what held the run up, and from when on.
        ends_s: when the run ended.
    """
    stops = [*spans, (ends_s, "")]
    spells = [Spell(start_s, end_s, by) for (start_s, by), (end_s, _) in pairwise(stops) if end_s > start_s]
    shown: list[Spell] = []
    for closed, group in groupby(spells, key=lambda spell: spell.by in CLOSED):
        stretch = list(group)
        shown += stretch if closed else _simplified(stretch)
    return list(_joined(shown))


def longest(spans: Sequence[tuple[float, str]], starts_s: float, ends_s: float) -> str | None:
    """What held a stretch of a run up for the largest part of it; None when nothing did.

    That all of a wave is sent, and ends in its time, is the length of one upgrade.

    Args:
        spans: what held the run up, and from when on.
        starts_s: when the stretch begins.
        ends_s: when it ends.
    """
    shares: Counter[str] = Counter()
    for (begins_s, by), (stops_s, _) in pairwise([*spans, (ends_s, "")]):
        inside_s = min(stops_s, ends_s) - max(begins_s, starts_s)
        shares[ONE_UPGRADE if by.startswith(END_OF) else by] += round(1e6 * max(0.0, inside_s))
    return shares.most_common(1)[0][0] if shares.total() else None


def _simplified(spells: list[Spell]) -> list[Spell]:
    starts_s, ends_s = spells[0].starts_s, spells[-1].ends_s
    lasting = [spell for spell in spells if spell.ends_s - spell.starts_s >= _SHORT * (ends_s - starts_s)]
    if sum(spell.ends_s - spell.starts_s for spell in lasting) < (1 - 2 * _SHORT) * (ends_s - starts_s):
        lasting = _in_parts(spells)
    return list(_without_gaps(list(_joined(lasting)), starts_s, ends_s))


def _in_parts(spells: list[Spell]) -> list[Spell]:
    starts_s, ends_s = spells[0].starts_s, spells[-1].ends_s
    width_s = (ends_s - starts_s) / _PARTS
    shares: list[Counter[str]] = [Counter() for _ in range(_PARTS)]
    for spell in spells:
        first = int((spell.starts_s - starts_s) / width_s)
        for part in range(first, min(_PARTS, int((spell.ends_s - starts_s) / width_s) + 1)):
            begins_s = starts_s + part * width_s
            inside_s = min(spell.ends_s, begins_s + width_s) - max(spell.starts_s, begins_s)
            shares[part][spell.by] += round(1e6 * max(0.0, inside_s))
    return [
        Spell(starts_s + part * width_s, starts_s + (part + 1) * width_s, share.most_common(1)[0][0])
        for part, share in enumerate(shares)
    ]


def _joined(spells: Sequence[Spell]) -> Iterator[Spell]:
    for by, group in groupby(spells, key=lambda spell: spell.by):
        same = list(group)
        yield Spell(same[0].starts_s, same[-1].ends_s, by)


def _without_gaps(spells: list[Spell], starts_s: float, ends_s: float) -> Iterator[Spell]:
    edges = [starts_s, *(spell.starts_s for spell in spells[1:]), ends_s]
    for spell, (begins_s, stops_s) in zip(spells, pairwise(edges), strict=True):
        yield Spell(begins_s, stops_s, spell.by)
