"""Run trials seed by seed, and keep what they met and what was found."""

import gc
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from soak.evidence import Evidence
from soak.fleet import Fleet, Size, random_fleet, troubled
from soak.hits import hits
from soak.hosts import run_hosts_trial
from soak.hosts_fleet import hosts_fleet
from soak.life import Death
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


def try_seed(seed: int, size: Size = "full", raises: str | None = None, hosts: int = 1) -> Verdict:
    """One trial, judged; with an exception at a place of a person's choice, if there is one."""
    return try_fleet(fleet_of(seed, size, raises, hosts), hosts)


def fleet_of(seed: int, size: Size, raises: str | None, hosts: int = 1) -> Fleet:
    """The fleet of a trial."""
    fleet = random_fleet(seed, size) if hosts == 1 else hosts_fleet(seed, size)
    return fleet if raises is None else troubled(fleet, Death(raises, 1))


def play_fleet(fleet: Fleet, hosts: int) -> Evidence:
    """What one host, or several, make of a fleet."""
    return run_trial(fleet) if hosts == 1 else run_hosts_trial(fleet, hosts)


def try_fleet(fleet: Fleet, hosts: int) -> Verdict:
    """An exception of the program is a violation like any other."""
    verdict = Verdict(fleet.seed, len(fleet.plan.proxies))
    try:
        evidence = play_fleet(fleet, hosts)
    except Exception as error:  # noqa: BLE001  # whatever it is, it has its seed
        verdict.violations.append(f"BUG: {error!r}")
        return verdict
    verdict.hits = hits(evidence)
    verdict.violations = [str(violation) for violation in judge(evidence)]
    return verdict


def replay(seed: int, size: Size = "full", raises: str | None = None, hosts: int = 1) -> str:
    """The command that tells the whole trial."""
    small = " --small" if size == "small" else ""
    several = f" --hosts {hosts}" if hosts > 1 else ""
    return f"PYTHONPATH=tests python -m soak --seed {seed}{small}{several}" + (f" --raises {raises}" if raises else "")


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
