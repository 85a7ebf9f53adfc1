"""A whole session brings records, settings and reports to disk, and nothing on the thread of its event loop."""

import json
import subprocess
import sys
from pathlib import Path

from fakes.documents import ROOT

WATCHED = ROOT / "benchmarks" / "watched.py"
PLAN = ROOT / "plans" / "quickstart.yaml"


def test_no_file_is_brought_to_disk_on_the_loop(tmp_path: Path) -> None:
    words = ("run", str(PLAN), "--simulate", "--faults", "none", "--speed", "6000", "--quiet", "--state", str(tmp_path))
    ended = subprocess.run([sys.executable, WATCHED, *words], check=True, capture_output=True, text=True)
    seen = json.loads(ended.stderr.splitlines()[-1])
    assert seen["fsyncs"] > 10
    assert seen["fsyncs_on_loop"] == 0
