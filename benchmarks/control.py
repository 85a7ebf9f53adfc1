"""How well a gate that compares tells a slower kernel from a spike of the whole region, over fleets on virtual time.

Usage: control.py [FLEETS], so many of each (200 without a number).
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # for the fakes: clouds and clocks of virtual time

from fakes.compared import compared

#: The goals: found before this share of the fleet is upgraded, in so many fleets; closed by a spike in so many.
FOUND_BEFORE, FOUND_IN, CLOSED_IN = 0.10, 0.95, 0.05


def main(fleets: int) -> bool:
    slower = [compared(seed, slower=1.2) for seed in range(fleets)]
    found = sum(each.failed and each.share < FOUND_BEFORE for each in slower) / fleets
    print(f"+20 % response, {fleets} fleets: found before 10 % was upgraded in {found:.1%} (goal 95 %)", flush=True)
    closed = sum(compared(seed, spike=True).failed for seed in range(fleets)) / fleets
    print(f"a spike of the region, {fleets} fleets: closed in {closed:.1%} (goal at most 5 %)")
    return found >= FOUND_IN and closed <= CLOSED_IN


if __name__ == "__main__":
    sys.exit(not main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
