"""What a call costs: the program beside plain references that make the same calls, on the same server."""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from benchmarks.cloud import built, cloud
from benchmarks.fleets import write_plan
from benchmarks.measured import TOOL, Cost, cost_of, interleaved
from benchmarks.table import Row

REFERENCES = Path(__file__).parent / "references"
TARGETS, CONCURRENCY, ROUNDS = 5000, 50, 5
LOOP = ("uvloop",) if find_spec("uvloop") else ()


def run_of(plan: Path, *options: str) -> Callable[[], Cost]:
    """One run with a state of its own."""

    def run() -> Cost:
        with tempfile.TemporaryDirectory(dir=plan.parent) as state:
            return cost_of([*TOOL, "run", str(plan), "--state", state, "--log-file", "/dev/null", *options])

    return run


def bare(port: int, targets: int, concurrency: int, *words: str) -> Callable[[], Cost]:
    """The bare aiohttp loop."""
    command = [sys.executable, str(REFERENCES / "bare.py"), *map(str, (port, targets, concurrency)), *words, *LOOP]
    return lambda: cost_of(command)


def calls(folder: Path) -> Iterator[Row]:
    """Full speed against the bare loop, by wall and by CPU."""
    with cloud() as (port, _):
        ceiling = subprocess.run(
            [built("references/ceiling.c"), str(port), "200000", "50"], check=True, capture_output=True, text=True
        )
        yield Row("ceiling of the reference server", float(ceiling.stdout), "calls/s", detail="compiled C, keep-alive")
        plan, empty = write_plan(folder, port, TARGETS), write_plan(_in(folder, "one"), port, 1)
        costs = interleaved(
            ROUNDS,
            {
                "run": run_of(plan),
                "start": run_of(empty),
                "bare": bare(port, TARGETS, CONCURRENCY),
                "own": bare(port, TARGETS, CONCURRENCY, "own"),
            },
        )
    yield from _against("the bare aiohttp loop", costs["run"], costs["bare"], (0.80, 0.75))
    yield from _against("the bare loop with a connection per upgrade", costs["run"], costs["own"], (None, None))
    added = (costs["run"].cpu_s - costs["start"].cpu_s) / costs["bare"].cpu_s - 1
    yield Row("CPU added to a bare call", added, "of bare", 0.5, "<=", _micro(costs["bare"]), "start-up not counted")


def _against(name: str, ours: Cost, theirs: Cost, goals: tuple[float | None, float | None]) -> Iterator[Row]:
    reference = f"{2 * TARGETS / theirs.wall_s:,.0f} calls/s"
    speed = f"{2 * TARGETS / ours.wall_s:,.0f} calls/s"
    yield Row(f"run against {name}", theirs.wall_s / ours.wall_s, "x", goals[0], ">=", reference, speed)
    yield Row(
        f"run against {name}, by CPU", theirs.cpu_s / ours.cpu_s, "x", goals[1], ">=", _micro(theirs), _micro(ours)
    )


def _micro(cost: Cost) -> str:
    return f"{cost.cpu_s / (2 * TARGETS) * 1e6:,.0f} us a call"


def others(folder: Path) -> Iterator[Row]:
    """What people use today: the official SDK with threads, and a shell loop with one curl per call."""
    with cloud() as (port, _):
        ours = run_of(write_plan(folder, port, TARGETS))
        makers: dict[str, Callable[[], Cost]] = {"run": ours}
        sizes = {"run": TARGETS, "official SDK, 50 threads": 1000, "one curl per call": 100}
        sdk = [sys.executable, str(REFERENCES / "official_sdk.py"), str(port), "1000", "50"]
        makers["official SDK, 50 threads"] = lambda: cost_of(sdk)
        makers["one curl per call"] = lambda: cost_of(["sh", str(REFERENCES / "curl.sh"), str(port), "100"])
        costs = interleaved(ROUNDS, makers)
    speed = {name: sizes[name] * 2 / cost.wall_s for name, cost in costs.items()}
    for name, goal in (("official SDK, 50 threads", 5), ("one curl per call", 30)):
        yield Row(f"run against {name}", speed["run"] / speed[name], "x", goal, ">=", f"{speed[name]:,.0f} calls/s")


def slow_cloud(folder: Path) -> Iterator[Row]:
    """Answers after 50 ms: how much of what the bare loop attains there."""
    for concurrency, targets in ((20, 1000), (200, 5000)):
        with cloud(0.05) as (port, _):
            plan = write_plan(folder, port, targets, concurrency=concurrency)
            costs = interleaved(ROUNDS, {"run": run_of(plan), "bare": bare(port, targets, concurrency)})
        ratio = costs["bare"].wall_s / costs["run"].wall_s
        yield Row(
            f"50 ms latency, concurrency {concurrency}, against the bare loop", ratio, "x", 0.90, ">=",
            f"{costs['bare'].wall_s:.2f} s", f"{costs['run'].wall_s:.2f} s",
        )  # fmt: skip


def rates(folder: Path) -> Iterator[Row]:
    """What of a rate is attained, and the worst one-second window as the server sees it."""
    for rate in (10, 100, 1000):
        with cloud() as (port, saw):
            run_of(write_plan(folder, port, rate * 5, rate=rate))()
        attained = (saw["calls"] - 1) / saw["seconds"] / rate
        yield Row(f"rate {rate}/s attained", attained, "of it", 0.99, ">=")
        yield Row(f"rate {rate}/s, worst second at the server", saw["worst_second"], "calls", rate * 1.01 + 1)


def _in(folder: Path, name: str) -> Path:
    (folder / name).mkdir(exist_ok=True)
    return folder / name


GROUPS: Sequence[Callable[[Path], Iterator[Row]]] = (calls, others, slow_cloud, rates)
