"""The fuzzer: as many hostile trials as fit into the time. `PYTHONPATH=tests python -m fuzz --seconds 60 --seed 7`.

With `--index N` one trial is played again. Exit 1 when a promise was broken.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from functools import partial
from itertools import count, islice
from os import cpu_count

from fuzz import inputs
from fuzz.runner import Found, smallest, story, try_one

#: Trials that are handed to a worker at once; one in so many batches is of inputs.
_BATCH = 4
_INPUTS_EVERY = 4


def main() -> int:
    """The exit code: 0, or 1 when a promise was broken."""
    options = _options()
    if options.index is not None:
        return _again(options.seed, options.index, inputs_only=options.inputs)
    tried, broken = 0, 0
    for number, lines in _results(options.seed, options.seconds, options.jobs):
        tried += number
        broken += len(lines)
        for line in lines:
            _say(f"\n{line}")
    _say(f"trials: {tried} in {options.seconds:g} s, seed {options.seed}; broken promises: {broken or 'none'}")
    return 1 if broken else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long (default 60)")
    parser.add_argument("--seed", type=int, default=1, help="all chance follows from this (default 1)")
    parser.add_argument("--index", type=int, help="play this trial again")
    parser.add_argument("--inputs", action="store_true", help="with --index: a trial of inputs")
    parser.add_argument("--jobs", type=int, default=cpu_count() or 1, help="processes (default: all cores)")
    return parser.parse_args()


def _results(seed: int, seconds: float, jobs: int) -> Iterator[tuple[int, list[str]]]:
    """How many trials were played, and what each that failed has to tell."""
    ends, batches = time.monotonic() + seconds, count()
    with ProcessPoolExecutor(jobs) as pool:
        running: set[Future[list[str]]] = set()
        while time.monotonic() < ends or running:
            while len(running) < 2 * jobs and time.monotonic() < ends:
                running.update(pool.submit(_batch, seed, number) for number in islice(batches, 1))
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield _BATCH, future.result()


def _batch(seed: int, number: int) -> list[str]:
    """The trials of one batch, told if they fail."""
    trying = inputs.try_one if number % _INPUTS_EVERY == _INPUTS_EVERY - 1 else partial(_told, shrink=True)
    told = (trying(seed, number * _BATCH + place) for place in range(_BATCH))
    return [words for words in told if words is not None]


def _told(seed: int, index: int, *, shrink: bool) -> str | None:
    found = try_one(seed, index)
    return None if found is None else _words(smallest(found) if shrink else found)


def _words(found: Found) -> str:
    return "\n".join(story(found))


def _again(seed: int, index: int, *, inputs_only: bool) -> int:
    told = inputs.try_one(seed, index) if inputs_only else _told(seed, index, shrink=False)
    _say(told or "no promise was broken")
    return 1 if told else 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
