"""Random plans and troubles on virtual time, each journal judged.

`PYTHONPATH=tests python -m properties --plans 1000`; every fourth session dies at some record. Exit 1 when a rule was
broken, with the command that plays that plan again.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from os import cpu_count

from properties.playing import try_seed


def main() -> int:
    """The exit code: 0, or 1 when a rule was broken."""
    options = _options()
    began = time.monotonic()
    met: Counter[str] = Counter()
    broken: list[str] = []
    with ProcessPoolExecutor(options.jobs) as pool:
        for seed, (found, problem) in zip(_seeds(options), pool.map(_try, _seeds(options)), strict=True):
            met += found
            broken += [problem] if problem else []
            _say(f"{time.monotonic() - began:5.0f} s  seed {seed}: {problem or 'kept every rule'}")
    for line in _summary(met, time.monotonic() - began):
        _say(line)
    for problem in broken:
        _say(problem)
    _say(f"rules broken: {len(broken) or 'none'}")
    return 1 if broken else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m properties", description=__doc__)
    parser.add_argument("--plans", type=int, default=1000, help="how many (default 1000)")
    parser.add_argument("--seed0", type=int, default=0, help="the first seed (default 0)")
    parser.add_argument("--jobs", type=int, default=cpu_count() or 1, help="processes (default: all cores)")
    return parser.parse_args()


def _seeds(options: argparse.Namespace) -> range:
    return range(options.seed0, options.seed0 + options.plans)


def _try(seed: int) -> tuple[Counter[str], str | None]:
    try:
        return try_seed(seed, cut=seed % 4 == 3), None
    except Exception as error:  # noqa: BLE001  # whatever it is, it is told, and the others are played
        replay = f"PYTHONPATH=tests python -m properties --plans 1 --seed0 {seed}"
        return Counter(), f"\n{replay}\n  {type(error).__name__}: {error}"


def _summary(met: Counter[str], seconds: float) -> Iterator[str]:
    plans = ", ".join(f"{name.partition(': ')[2]} {met[name]}" for name in sorted(met) if name.startswith("plan: "))
    counts = ", ".join(f"{name} {met[name]:,}" for name in ("targets", "sessions", "starts", "starts that fit"))
    yield f"plans: {met['plans']:,} in {seconds:.0f} s ({plans})"
    yield f"met: {counts}"
    for title in ("held", "outcome", "waves", "at"):
        named = [name for name in sorted(met) if name.startswith((f"{title}: ", f"{title} "))]
        yield f"{title}: " + ", ".join(f"{name[len(title) :].lstrip(': ')} {met[name]:,}" for name in named)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
