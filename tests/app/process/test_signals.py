"""What a stop does outside the event loops."""

import subprocess
import sys

import pytest

PROGRAM = """
import os, signal
from orchestrator.app.process.signals import ignore_stops, leave_on_stop
{first}
for turn in range(3):
    print(turn, flush=True)
    os.kill(os.getpid(), signal.SIG{name})
"""


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP"])
@pytest.mark.parametrize(
    ("first", "turns", "code"),
    [
        ("leave_on_stop(5)", 1, 5),
        ("leave_on_stop(5, ignored=1)", 2, 5),  # the session ends, and its report is being written
        ("leave_on_stop(5); ignore_stops()", 3, 0),
    ],
)
def test_how_many_stops_it_takes(name: str, first: str, turns: int, code: int) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(first=first, name=name)], capture_output=True, check=False
    )
    assert (len(ended.stdout.split()), ended.returncode) == (turns, code)
