"""Start-up, in an ordinary install: an editable one slows the bare interpreter as well and flatters ratios."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.cloud import BUILT, HERE
from benchmarks.fleets import write_plan, write_yaml_plan
from benchmarks.measured import cost_of, interleaved
from benchmarks.table import Row


def installed() -> str:
    """The interpreter of a virtual environment in which the program of this checkout is installed."""
    python = BUILT / "venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(BUILT / "venv")], check=True)
    command = [str(python), "-m", "pip", "install", "--quiet", "--upgrade", f"{HERE.parent}[fast]"]
    subprocess.run([*command, "--force-reinstall", "--no-deps"] if _has_parts(python) else command, check=True)
    return str(python)


def _has_parts(python: Path) -> bool:
    return not subprocess.run([str(python), "-c", "import aiohttp, msgspec, rich, yaml"], check=False).returncode


def start_up(folder: Path) -> Iterator[Row]:
    """`--help`, a mistake in the command line and a small plan, against the bare interpreter."""
    python = installed()
    tool, plan = [python, "-m", "orchestrator"], write_plan(folder, 1, 10)
    costs = interleaved(
        20,
        {
            "bare": lambda: cost_of([python, "-c", "pass"]),
            "help": lambda: cost_of([*tool, "--help"]),
            "mistake": lambda: cost_of([*tool, "run", "--ofline"], codes=(2,)),
            "plan": lambda: cost_of([*tool, "plan", str(plan), "--offline"]),
        },
    )
    bare = costs["bare"].wall_s
    for name, what, goal in (
        ("help", "--help", 2),
        ("mistake", "a mistake in the command line", 2),
        ("plan", "plan --offline of 10", 7),
    ):
        yield Row(
            f"{what} against `python -c pass`", costs[name].wall_s / bare, "x", goal, "<=", f"{bare * 1e3:.0f} ms"
        )


def offline(folder: Path) -> Iterator[Row]:
    """Reading big plans; the goal is for an interpreter that starts in 20 ms and is scaled to this machine's."""
    python = installed()
    tool = [python, "-m", "orchestrator", "plan"]
    for targets, goal in ((10_000, 0.6), (100_000, 4.0)):
        plan = write_yaml_plan(folder, targets)
        yield _read(python, [*tool, str(plan), "--offline"], f"plan --offline of {targets:,} (YAML)", goal)


def offline_million(folder: Path) -> Iterator[Row]:
    """The same for a million targets in NDJSON."""
    python, plan = installed(), write_plan(folder, 1, 1_000_000)
    command = [python, "-m", "orchestrator", "plan", str(plan), "--offline"]
    yield _read(python, command, "plan --offline of 1,000,000 (NDJSON)", 15.0)


def _read(python: str, command: list[str], what: str, goal: float) -> Row:
    makers = {"bare": lambda: cost_of([python, "-c", "pass"]), "plan": lambda: cost_of(command)}
    costs = interleaved(3, makers)
    scale = costs["bare"].wall_s / 0.020
    return Row(
        what, costs["plan"].wall_s / scale, "s per bare 20 ms", goal, "<=", detail=f"{costs['plan'].wall_s:.2f} s"
    )


GROUPS, LONG = (start_up, offline), (offline_million,)
