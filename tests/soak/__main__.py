"""The soak: as many random fleets as fit into the time, each judged. `PYTHONPATH=tests python -m soak --seconds 60`.

With `--seed N` one trial is told in full. Exit 1 when a promise was broken, with the command that replays it.
"""

import argparse
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice
from os import cpu_count
from statistics import median

from soak.fleet import Fleet, Size
from soak.hits import expected
from soak.oracle import judge
from soak.runner import Verdict, fleet_of, play_fleet, replay, seeds, settle_down, try_seed
from soak.tell import tell

#: Each fault and each crash point is to be hit this often in a full soak.
_OFTEN = 20

#: Trials that are handed to a worker at once.
_BATCH = 4

_PROXY = re.compile(r"[0-9a-f]{32}po01")


def main() -> int:
    """The exit code: 0, or 1 when a promise was broken."""
    options = _options()
    size: Size = "small" if options.small else "full"
    if options.seed is not None:
        return _tell(fleet_of(options.seed, size, options.raises, options.hosts), options.hosts, options.proxy)
    verdicts = list(_verdicts(options, size))
    for line in _summary(verdicts, options.seconds):
        _say(line)
    broken = [verdict for verdict in verdicts if verdict.violations]
    for verdict in broken:
        _say(f"\nseed {verdict.seed}, replay: {replay(verdict.seed, size, hosts=options.hosts)}")
        for violation in verdict.violations[:5]:
            _say(f"  {violation}")
    return 1 if broken else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long (default 60)")
    parser.add_argument("--seed0", type=int, default=0, help="the first seed (default 0)")
    parser.add_argument("--jobs", type=int, default=cpu_count() or 1, help="processes (default: all cores)")
    parser.add_argument("--seed", type=int, help="tell this one trial")
    parser.add_argument("--proxy", help="with --seed: tell the story of this proxy, by the beginning of its id")
    parser.add_argument("--raises", metavar="PLACE", help="with --seed: with an exception there in the first process")
    parser.add_argument("--hosts", type=int, default=1, help="hosts that stand by for each other (default 1)")
    parser.add_argument("--small", action="store_true", help="small fleets, as in the test suite")
    return parser.parse_args()


def _verdicts(options: argparse.Namespace, size: Size) -> Iterator[Verdict]:
    """Trials until the time is over."""
    ends = time.monotonic() + options.seconds
    numbers = seeds(options.seed0)
    with ProcessPoolExecutor(options.jobs, initializer=settle_down) as pool:
        running: set[Future[list[Verdict]]] = set()
        while time.monotonic() < ends or running:
            while len(running) < 2 * options.jobs and time.monotonic() < ends:
                running.add(pool.submit(_try_all, list(islice(numbers, _BATCH)), size, options.hosts))
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield from future.result()


def _try_all(batch: list[int], size: Size, hosts: int) -> list[Verdict]:
    return [try_seed(seed, size, hosts=hosts) for seed in batch]


def _summary(verdicts: list[Verdict], seconds: float) -> Iterator[str]:
    met: Counter[str] = sum((verdict.hits for verdict in verdicts), Counter())
    targets = [verdict.targets for verdict in verdicts]
    yield f"fleets: {len(verdicts)} in {seconds:g} s; targets: {sum(targets)}, median {median(targets):g} a fleet"
    for kind in dict.fromkeys(name.partition(":")[0] for name in (*expected(), *sorted(met))):
        names = {name: met[name] for name in (*expected(), *sorted(met)) if name.partition(":")[0] == kind}
        counts = ", ".join(f"{name.partition(': ')[2] or name} {number}" for name, number in names.items())
        yield f"{kind}: {counts}"
    rare = [f"{name} {met[name]}" for name in expected() if met[name] < _OFTEN]
    yield f"hit fewer than {_OFTEN} times: {', '.join(rare) or 'nothing'}"
    broken = sum(bool(verdict.violations) for verdict in verdicts)
    yield f"broken promises: {'none' if not broken else f'in {broken} fleets'}"


def _tell(fleet: Fleet, hosts: int, proxy: str | None) -> int:
    evidence = play_fleet(fleet, hosts)
    violations = judge(evidence)
    told = {proxy_id for violation in violations for proxy_id in _PROXY.findall(violation.what)}
    if proxy is not None:
        told = {target.proxy_id for target in evidence.fleet.plan.proxies if target.proxy_id.startswith(proxy)}
    for line in tell(evidence, told):
        _say(line)
    for violation in violations:
        _say(str(violation))
    _say(f"broken promises: {len(violations)}")
    return 1 if violations else 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
