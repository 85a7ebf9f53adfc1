"""A command as a whole process: wall time, processor time, peak memory; and medians over interleaved rounds."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

TOOL = (sys.executable, "-m", "orchestrator")
ENVIRON = {**os.environ, "BENCH_TOKEN": "t"}


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took: seconds of wall and of processor time, peak resident bytes."""

    wall_s: float
    cpu_s: float
    peak_bytes: int


def cost_of(command: Sequence[str], *, codes: Sequence[int] = (0,)) -> Cost:
    """Run a command to its end. Raises when it ends with another code than these."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=ENVIRON)
    assert process.stderr
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    wall_s, code = time.monotonic() - began, os.waitstatus_to_exitcode(status)
    process.returncode = code
    if code not in codes:
        raise RuntimeError(f"{' '.join(command)} ended with {code}: {said[-2000:].decode(errors='replace')}")
    return Cost(wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)


def interleaved(rounds: int, makers: Mapping[str, Callable[[], Cost]]) -> dict[str, Cost]:
    """The median of each over so many rounds; every round runs all of them, so that a busy minute hits all alike."""
    seen: dict[str, list[Cost]] = {name: [] for name in makers}
    for _ in range(rounds):
        for name, make in makers.items():
            seen[name].append(make())
    return {name: middle(costs) for name, costs in seen.items()}


def middle(costs: Sequence[Cost]) -> Cost:
    """The median of each figure on its own."""
    return Cost(
        statistics.median(each.wall_s for each in costs),
        statistics.median(each.cpu_s for each in costs),
        int(statistics.median(each.peak_bytes for each in costs)),
    )
