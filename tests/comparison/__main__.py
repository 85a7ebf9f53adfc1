"""How well a gate with `compare: control` tells a slower kernel from a spike of the whole region.

`PYTHONPATH=tests python -m comparison --fleets 200`, so many of each, on virtual time. Exit 1 when a goal was missed;
the command that plays a fleet again stands beside each one in which the gate was wrong.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from os import cpu_count

from comparison.fleet import SLOWER, Compared, compared

#: The goals: found before this share of the fleet is upgraded, in so many fleets; closed by a spike in so many.
FOUND_BEFORE, FOUND_IN, CLOSED_IN = 0.10, 0.95, 0.05


def main() -> int:
    """The exit code: 0, or 1 when a goal was missed."""
    options = _options()
    seeds = range(options.seed0, options.seed0 + options.fleets)
    with ProcessPoolExecutor(options.jobs) as pool:
        missed = _misses(pool, seeds, partial(compared, slower=SLOWER), _late)
        found = 1 - len(missed) / len(seeds)
        late = f"+{SLOWER - 1:.0%} response: found before {FOUND_BEFORE:.0%} was upgraded"
        _say(f"{late} in {found:.1%}, goal {FOUND_IN:.0%}")
        closed_by = _misses(pool, seeds, partial(compared, spike=True), _closed)
        closed = len(closed_by) / len(seeds)
        _say(f"a spike of the region: closed in {closed:.1%}, goal at most {CLOSED_IN:.0%}")
    return 0 if found >= FOUND_IN and closed <= CLOSED_IN else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m comparison", description=__doc__)
    parser.add_argument("--fleets", type=int, default=200, help="how many of each (default 200)")
    parser.add_argument("--seed0", type=int, default=0, help="the first seed (default 0)")
    parser.add_argument("--jobs", type=int, default=cpu_count() or 1, help="processes (default: all cores)")
    return parser.parse_args()


def _misses(
    pool: ProcessPoolExecutor, seeds: Sequence[int], play: Callable[[int], Compared], wrong: Callable[[Compared], bool]
) -> list[int]:
    """The seeds of the fleets in which the gate was wrong."""
    began = time.monotonic()
    missed = []
    for seed, each in zip(seeds, pool.map(play, seeds), strict=True):
        said = f"failed at {each.share:.1%} of the fleet" if each.failed else "never failed"
        replay = f": PYTHONPATH=tests python -m comparison --fleets 1 --seed0 {seed}" if wrong(each) else ""
        _say(f"{time.monotonic() - began:5.0f} s  seed {seed}: {said}{replay}")
        missed += [seed] if wrong(each) else []
    return missed


def _late(found: Compared) -> bool:
    return not found.failed or found.share >= FOUND_BEFORE


def _closed(found: Compared) -> bool:
    return found.failed


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
