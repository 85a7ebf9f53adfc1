"""What a run does on the loop and on the disk: commits per call, blocking calls on the loop, its longest block."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.cloud import HERE, cloud
from benchmarks.fleets import write_plan
from benchmarks.measured import ENVIRON
from benchmarks.table import Row

TARGETS = 10_000


def commits(folder: Path) -> Iterator[Row]:
    """Counted within the process: see watched.py."""
    with cloud() as (port, _), tempfile.TemporaryDirectory() as state:
        plan = write_plan(folder, port, TARGETS)
        command = [sys.executable, str(HERE / "watched.py"), "run", str(plan), "--state", state]
        ended = subprocess.run(
            [*command, "--log-file", "/dev/null", "--quiet"], check=True, capture_output=True, text=True, env=ENVIRON
        )
    seen = json.loads(ended.stderr.splitlines()[-1])
    yield Row("fsyncs per 1,000 calls at full speed", seen["fsyncs"] / (2 * TARGETS) * 1000, "fsyncs", 60)
    yield Row("fsyncs on the loop", seen["fsyncs_on_loop"], "fsyncs", 0)
    yield Row(f"longest block of the loop, {TARGETS:,} targets", seen["longest_block_s"] * 1000, "ms", 50)


GROUPS = (commits,)
