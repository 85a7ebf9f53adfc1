"""One rate for all processes of a state folder: real processes, killed at any instant, and fleets of one account."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import pytest
from executor.rate.test_fixed_rate import busiest_second
from fakes.documents import ROOT
from fakes.e2e import NewCloud
from fakes.processes import PATIENCE_S

pytestmark = pytest.mark.slow

RATE = 40
CALLS = 200
#: Claims as fast as it may, and says when each call left: by the clock that all processes of a machine share.
CALLER = f"""
import sys, time
from pathlib import Path
from orchestrator.executor.rate.shared_pacer import SharedPacer
from orchestrator.tracker.folder.rate_file import RateFile
file = RateFile(Path(sys.argv[1]), creates=True, monotonic=time.monotonic, warn=sys.exit)
pacer = SharedPacer(file, sys.argv[2], {RATE}.0)
while True:
    now_s = time.monotonic()
    delay_s = pacer.claim(now_s, waited=True)
    if delay_s:
        time.sleep(delay_s)
    else:
        print(now_s, flush=True)
"""


class Callers:
    """Processes that share a rate."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.alive: list[subprocess.Popen[bytes]] = []
        self.begun = 0

    def begin(self) -> None:
        name = f"caller-{self.begun}"
        with (self.folder / name).open("wb") as told:
            words = [sys.executable, "-c", CALLER, str(self.folder / ".rate-1"), name]
            environ = {**os.environ, "PYTHONPATH": str(ROOT)}
            self.alive.append(subprocess.Popen(words, stdout=told, env=environ))
        self.begun += 1

    def kill(self, number: int) -> None:
        process = self.alive.pop(number)
        assert process.poll() is None
        process.kill()
        process.wait()

    def told(self) -> list[float]:
        """When calls left. A process that was killed as it said so has said a part."""
        lines = [line for path in self.folder.glob("caller-*") for line in path.read_bytes().split(b"\n")[:-1]]
        return sorted(float(line) for line in lines)


@pytest.mark.parametrize("deaths", [0, 6])
def test_processes_that_are_killed_at_any_instant_stay_together_below_the_rate(tmp_path: Path, deaths: int) -> None:
    random, callers = Random(deaths), Callers(tmp_path)
    for _ in range(3):
        callers.begin()
    deadline_s = time.monotonic() + PATIENCE_S
    marks = [CALLS * (death + 1) // (deaths + 1) for death in range(deaths)]
    while (count := len(callers.told())) < CALLS and time.monotonic() < deadline_s:
        if marks and count >= marks[0]:
            marks.pop(0)
            callers.kill(random.randrange(3))
            callers.begin()
        time.sleep(0.02)
    while callers.alive:
        callers.kill(0)
    sent = callers.told()
    assert len(sent) >= CALLS
    assert busiest_second(sent) <= RATE


@dataclass
class Arrivals:
    """When calls arrived in the cloud, before it notes them down."""

    note: Callable[[str, str, float], None]
    at_s: list[float] = field(default_factory=list)

    def __call__(self, kind: str, scope: str, t: float) -> None:
        self.at_s.append(time.monotonic())
        self.note(kind, scope, t)


def test_two_fleets_of_one_account_share_its_rate(new_cloud: NewCloud) -> None:
    desk = new_cloud(12)
    assert desk.cloud is not None
    arrived = Arrivals(desk.cloud.books.note_call)
    setattr(desk.cloud.books, "note_call", arrived)
    fleets = [
        replace(desk, name=name, targets=desk.targets[part]) for name, part in (("a", slice(6)), ("b", slice(6, 12)))
    ]
    for fleet in fleets:
        fleet.write(limits={"rate": "10/s"})
    ended = [running.end() for running in [fleet.start("run", "PLAN") for fleet in fleets]]
    assert [each.code for each in ended] == [0, 0], [each.stderr for each in ended]
    for fleet in fleets:
        assert fleet.report["scopes"][0]["rate_limit"] == 10.0
    (file,) = desk.state.glob(".rate-*")
    assert b"token" not in file.read_bytes()
    assert len(arrived.at_s) - 1 <= 10 * (arrived.at_s[-1] - arrived.at_s[0]) + 2


def test_a_rate_that_cannot_be_shared_stops_nothing_and_is_said_once(new_cloud: NewCloud) -> None:
    desk = new_cloud(2)
    assert desk.run().code == 0
    (file,) = desk.state.glob(".rate-*")
    file.unlink()
    file.mkdir()
    ended = desk.run("--new")
    assert ended.code == 0
    (unshared,) = [line for line in ended.logs if line["event"] == "rates.unshared"]
    assert file.name in unshared["why"]
