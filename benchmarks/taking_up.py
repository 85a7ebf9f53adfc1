"""Big runs: memory and disk per target, and how soon a half-done run is taken up, looked at and reported."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.cloud import cloud
from benchmarks.fleets import write_plan
from benchmarks.measured import ENVIRON, TOOL, cost_of
from benchmarks.table import Row


def memory(folder: Path) -> Iterator[Row]:
    """Peak memory per target above the base, of the preview and of a run, and bytes of journal per target."""
    peaks: dict[tuple[str, int], int] = {}
    sizes = (2_000, 42_000)
    for targets in sizes:
        with cloud() as (port, _):
            plan, state = write_plan(folder, port, targets), folder / f"state-{targets}"
            peaks["plan", targets] = cost_of([*TOOL, "plan", str(plan), "--offline"]).peak_bytes
            peaks["run", targets] = cost_of(_run(plan, state)).peak_bytes
    span = sizes[1] - sizes[0]
    for verb, goal in (("plan", 500), ("run", 800)):
        each = (peaks[verb, sizes[1]] - peaks[verb, sizes[0]]) / span
        yield Row(f"{verb}: peak memory per target above the base", each, "bytes", goal)
    yield Row("journal per target", _journal(folder / f"state-{sizes[1]}") / sizes[1], "bytes on disk", 1000)


def half_done(folder: Path) -> Iterator[Row]:
    """A half-done run of 100,000."""
    yield from _half_done(folder, 100_000, (2, 1, 3), None)


def half_done_million(folder: Path) -> Iterator[Row]:
    """A half-done run of a million."""
    yield from _half_done(folder, 1_000_000, (10, 3, 20), 900)


def _half_done(folder: Path, targets: int, goals: tuple[float, float, float], most_mb: float | None) -> Iterator[Row]:
    state = folder / f"half-{targets}"
    with cloud() as (port, _):
        plan = write_plan(folder, port, targets)
        cpu_s, peak = _run_half(plan, state, targets)
    yield Row(f"run of {targets:,}: peak memory", peak / 1e6, "MB", most_mb, detail=f"{cpu_s:.0f} s CPU for one half")
    looked = cost_of([*TOOL, "status", str(plan), "--state", str(state)])
    yield Row(f"status of {targets:,}", looked.wall_s, "s", goals[1], detail=f"{looked.peak_bytes / 1e6:.0f} MB")
    one = cost_of([*TOOL, "status", str(plan), f"{7:032x}po01", "--state", str(state)])
    yield Row(f"status PROXY of {targets:,}", one.wall_s, "s", 1, detail=f"{one.peak_bytes / 1e6:.0f} MB")
    told = cost_of([*TOOL, "report", str(plan), "--state", str(state), "--format", "json"])
    yield Row(f"report of {targets:,}", told.wall_s, "s", goals[2], detail=f"{told.peak_bytes / 1e6:.0f} MB")
    yield Row(f"resume of {targets:,}, to the first call", _resumed(plan, state, port), "s", goals[0])


def _run(plan: Path, state: Path) -> list[str]:
    return [*TOOL, "run", str(plan), "--state", str(state), "--log-file", "/dev/null", "--quiet"]


def _run_half(plan: Path, state: Path, targets: int) -> tuple[float, int]:
    """Run until about half of the fleet is done, then stop in good order: CPU seconds and peak bytes.

    A target takes some 1,500 bytes of journal.
    """
    process = subprocess.Popen(_run(plan, state), env=ENVIRON, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while _journal(state) < targets * 750 and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, _, used = os.wait4(process.pid, 0)
    return used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


def _resumed(plan: Path, state: Path, port: int) -> float:
    """Seconds from the start of the process to the first request."""
    with cloud(port=port) as (_, saw):
        began = time.monotonic()
        process = subprocess.Popen(_run(plan, state), env=ENVIRON, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        before = _journal(state)
        while _journal(state) < before + 200_000 and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        process.wait()
    first: float = saw["first"]
    return first - began


def _journal(state: Path) -> int:
    return sum(path.stat().st_size for path in state.rglob("journal.ndjson"))


GROUPS, LONG = (memory, half_done), (half_done_million,)
