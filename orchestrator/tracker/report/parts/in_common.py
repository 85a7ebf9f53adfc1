"""What targets that were refused have in common and the others have not: an exact test.

Of `total` targets, `marked` have a trait and `refused` were refused. If the trait meant nothing, the refused would be
drawn from all at random, and the number of marked ones among them would have a hypergeometric distribution.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from math import exp, lgamma
from typing import Literal, TypeAlias

import msgspec

from orchestrator.model.plan.target import Facts, Target

#: What every refusal is counted by.
Place: TypeAlias = Literal["scope", "source_version", "subnet", "nodes"]
#: Chance would have to do this less often, all traits that are looked at together.
ODDS = 0.001
#: So many traits are told.
_TOLD = 3


class Traits(msgspec.Struct):
    """How many targets there are, and how many of them have each trait."""

    targets: int = 0
    marked: Counter[str] = msgspec.field(default_factory=Counter)

    def add(self, traits: Iterable[str]) -> None:
        """Count one target."""
        self.targets += 1
        self.marked.update(traits)


def in_common(refused: Traits, asked: Traits, *, looks: int = 1) -> list[str]:
    """What stands out, in words, the least likely first.

    Args:
        refused: the targets that were refused for one reason.
        asked: all targets that were asked for, the refused among them.
        looks: how many reasons are looked at, each with these traits.
    """
    tries = len(asked.marked) * looks
    found = sorted(
        (odds(hit, refused.targets, asked.marked[trait], asked.targets) * tries, trait)
        for trait, hit in refused.marked.items()
    )
    return [
        f"{trait}: {refused.marked[trait]:,} of the {refused.targets:,} refused, "
        f"{asked.marked[trait] - refused.marked[trait]:,} of the {asked.targets - refused.targets:,} others"
        for chance, trait in found[:_TOLD]
        if chance < ODDS
    ]


def odds(hit: int, refused: int, marked: int, total: int) -> float:
    """How likely chance alone puts so many marked ones, or more, among the refused."""
    if hit * total <= refused * marked:
        return 1.0
    term = exp(_log_choose(marked, hit) + _log_choose(total - marked, refused - hit) - _log_choose(total, refused))
    chance = 0.0
    for more in range(hit, min(marked, refused) + 1):
        chance += term
        if term <= chance * 1e-12:
            break
        term *= (marked - more) * (refused - more) / ((more + 1) * (total - marked - refused + more + 1))
    return min(1.0, chance)


def places_of(target: Target, source_version: str | None) -> Iterator[tuple[Place, str]]:
    """Where a target is, as far as it is known: every target has one value of each, and refusals are counted by it."""
    facts = target.facts or Facts()
    yield "scope", target.scope
    if source_version is not None:
        yield "source_version", source_version
    if facts.subnet is not None:
        yield "subnet", facts.subnet
    if facts.nodes is not None:
        yield "nodes", str(facts.nodes)


def traits_of(target: Target, source_version: str | None) -> Iterator[str]:
    """Everything about a target that a cause may lie in."""
    yield from (f"{place} {value}" for place, value in places_of(target, source_version))
    for key, value in target.labels.items():
        yield f"label {key}={value}"
    if target.facts is not None:
        for key, value in (target.facts.tags or {}).items():
            yield f"tag {key}={value}"
        if target.facts.maintenance_window:
            yield f"window {target.facts.maintenance_window}"


def _log_choose(all_of: int, some: int) -> float:
    return lgamma(all_of + 1) - lgamma(some + 1) - lgamma(all_of - some + 1)
