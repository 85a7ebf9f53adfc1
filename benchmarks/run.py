"""Everything that is measured, side by side in one run. Ratios hold on one machine; absolute figures vary with it.

Usage: run.py [NAME ...] with the names below; all of them without a name.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
TOOL = [sys.executable, "-m", "orchestrator"]
PLAN = """\
version: 1
name: bench
region: cn-north-4
project_id: {project}
endpoint: http://127.0.0.1:{port}
auth: {{token_env: BENCH_TOKEN}}
target_version: 2.24.03.000
waves: [{{name: all}}]
limits: {{rate: {rate}/s, concurrency: {concurrency}}}
failures: {{max: 50%, max_rejected: 100%}}
follow: {{to: accepted}}
inventory: [targets.ndjson]
"""


@contextmanager
def server(latency_s: float = 0.0) -> Iterator[tuple[int, dict[str, float]]]:
    """A fixed-answer cloud in a process of its own; afterwards what it saw."""
    process = subprocess.Popen(
        [sys.executable, str(HERE / "server.py"), str(latency_s)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    saw: dict[str, float] = {}
    try:
        yield int(process.stdout.readline()), saw
    finally:
        process.terminate()
        saw.update(json.loads(process.stdout.readline()))
        process.wait()


def write_plan(folder: Path, port: int, targets: int, *, rate: float = 1_000_000, concurrency: int = 50) -> Path:
    """A plan with so many targets, each on an instance of its own."""
    with (folder / "targets.ndjson").open("w") as file:
        for number in range(targets):
            file.write(f'{{"instance_id":"{number:032x}in07","proxy_id":"{number:032x}po01"}}\n')
    path = folder / "bench.yaml"
    path.write_text(PLAN.format(project="a" * 32, port=port, rate=rate, concurrency=concurrency))
    return path


def run(plan: Path, *more: str) -> tuple[float, float]:
    """Wall and CPU seconds of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    state = tempfile.mkdtemp(dir=plan.parent)
    command = [*TOOL, "run", str(plan), "--state", state, "--log-file", os.devnull, *more]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "BENCH_TOKEN": "t"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - began, cpu


def throughput(folder: Path) -> None:
    targets = 5000
    with server() as (port, _):
        bare = [sys.executable, str(HERE / "bare.py"), str(port), str(targets), "50"]
        reference = float(subprocess.run(bare, check=True, capture_output=True, text=True).stdout)
        wall, cpu = run(write_plan(folder, port, targets))
    ours = 2 * targets / wall
    print(f"throughput: {ours:,.0f} calls/s, bare aiohttp loop {reference:,.0f}: ratio {ours / reference:.2f}")
    print(f"            {cpu / (2 * targets) * 1e6:,.0f} us CPU per call, start-up and report included")


def latency(folder: Path) -> None:
    targets, concurrency, seconds = 4000, 200, 0.05
    with server(seconds) as (port, _):
        wall, _ = run(write_plan(folder, port, targets, concurrency=concurrency))
    ideal = targets * seconds / concurrency
    print(f"latency 50 ms, concurrency {concurrency}: {ideal / wall:.2f} of the ideal for the upgrade calls alone")


def rates(folder: Path) -> None:
    for rate in (10, 100, 1000):
        with server() as (port, saw):
            run(write_plan(folder, port, rate * 3, rate=rate))
        attained = (saw["calls"] - 1) / saw["seconds"] / rate
        print(f"rate {rate}/s: attained {attained:.3f}, worst one-second window {saw['worst_second']:.0f}")


def start_up(folder: Path) -> None:
    plan = write_plan(folder, 1, 10)
    bare = statistics.median(timed([sys.executable, "-c", "pass"]) for _ in range(20))
    helped = statistics.median(timed([*TOOL, "--help"]) for _ in range(20))
    planned = statistics.median(timed([*TOOL, "plan", str(plan), "--offline"]) for _ in range(10))
    print(f"--help: {helped / bare:.2f} x `python -c pass`; plan --offline of 10: {planned / bare:.2f} x")


def offline(folder: Path) -> None:
    for targets in (10_000, 100_000):
        plan = write_plan(folder, 1, targets)
        print(f"plan --offline of {targets:,} NDJSON targets: {timed([*TOOL, 'plan', str(plan), '--offline']):.2f} s")


def timed(command: list[str]) -> float:
    """Wall seconds of a command."""
    began = time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    return time.monotonic() - began


BENCHMARKS: dict[str, Callable[[Path], None]] = {
    "throughput": throughput,
    "latency": latency,
    "rates": rates,
    "start_up": start_up,
    "offline": offline,
}


def main() -> None:
    for name in sys.argv[1:] or BENCHMARKS:
        with tempfile.TemporaryDirectory() as folder:
            BENCHMARKS[name](Path(folder))


if __name__ == "__main__":
    main()
