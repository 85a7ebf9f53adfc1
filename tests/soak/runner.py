"""Run trials seed by seed, and keep what they met and what was found."""

import gc
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from soak.fleet import Size, random_fleet
from soak.hits import hits
from soak.oracle import judge
from soak.trial import run_trial

#: Trials leave no cycles worth looking for more often.
_GC_THRESHOLD = 100_000


@dataclass
class Verdict:
    """What became of one seed."""

    seed: int
    targets: int
    hits: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)


def try_seed(seed: int, size: Size = "full") -> Verdict:
    """One trial, judged. An exception of the program is a violation like any other."""
    fleet = random_fleet(seed, size)
    verdict = Verdict(seed, len(fleet.plan.proxies))
    try:
        evidence = run_trial(fleet)
    except Exception as error:  # noqa: BLE001  # whatever it is, it has its seed
        verdict.violations.append(f"BUG: {error!r}")
        return verdict
    verdict.hits = hits(evidence)
    verdict.violations = [str(violation) for violation in judge(evidence)]
    return verdict


def replay(seed: int, size: Size = "full") -> str:
    """The command that tells the whole trial."""
    small = " --small" if size == "small" else ""
    return f"PYTHONPATH=tests python -m soak --seed {seed}{small}"


def settle_down() -> None:
    """What was imported stays: the collector need not look at it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD, 20, 20)


def seeds(first: int) -> Iterator[int]:
    """For ever."""
    while True:
        yield first
        first += 1
