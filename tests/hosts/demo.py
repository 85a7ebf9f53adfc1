"""A takeover to look at: PostgreSQL, the simulated cloud, a run and two workers on this machine: `make demo-hosts`."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fakes.postgres_server import new_server

_TOKEN = "a-token-of-the-simulated-cloud"  # of nothing real
_PATIENCE_S = 120.0
#: So that it is over in a minute; the hosts that go on keep to it too.
_SETTINGS = ("limits.in_flight=4", "limits.ramp=false", "failures.mode=soft", "failures.max=50%")


class Stage:
    """A folder with a plan, and the environment in which hosts work."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.environ = {**os.environ, "ORCHESTRATOR_STATE": address, "HW_AUTH_TOKEN": _TOKEN}

    def say(self, words: str) -> None:
        sys.stdout.write(f"\n== {words}\n")
        sys.stdout.flush()

    def start(self, *words: str, host: str = "desk", quiet: bool = False) -> "subprocess.Popen[str]":
        """Start a command line on a host."""
        environ = {**self.environ, "ORCHESTRATOR_HOST": host, "TMPDIR": str(self._home(host))}
        out = subprocess.DEVNULL if quiet else None
        command = [sys.executable, "-m", "orchestrator", *words]
        return subprocess.Popen(command, cwd=self._home(host), env=environ, text=True, stdout=out, stderr=out)

    def show(self, *words: str) -> str:
        """Run a command line to its end, and show what it says."""
        told = self.ask(*words)
        sys.stdout.write(told)
        sys.stdout.flush()
        return told

    def ask(self, *words: str) -> str:
        """The same, for ourselves."""
        command = [sys.executable, "-m", "orchestrator", *words]
        done = subprocess.run(command, cwd=self.folder, env=self.environ, text=True, check=False, capture_output=True)
        return done.stdout

    def _home(self, host: str) -> Path:
        home = self.folder / host
        home.mkdir(exist_ok=True)
        return home


def until(happened: Callable[[], bool]) -> None:
    """Wait until something has happened."""
    deadline = time.monotonic() + _PATIENCE_S
    while not happened():
        if time.monotonic() > deadline:
            sys.exit("it did not happen; this machine may be too busy")
        time.sleep(0.3)


@contextmanager
def simulated_cloud(stage: Stage, plan: Path) -> Iterator[None]:
    """The simulated cloud as a process, with a plan for its fleet."""
    words = ("simulate", "--instances", "10", "--speed", "120", "--token", _TOKEN, "--write-plan", str(plan))
    cloud = stage.start(*words, host="cloud", quiet=True)
    try:
        until(plan.exists)
        yield
    finally:
        cloud.terminate()
        cloud.wait()


def play(stage: Stage, plan: Path) -> None:
    """The demonstration."""
    stage.say("1. The tables, in a PostgreSQL of this demonstration's own")
    stage.show("state", "init")
    stage.say("2. host-1 runs the fleet; host-2 and host-3 have no plan file, and stand by")
    settings = [word for each in _SETTINGS for word in ("--set", each)]
    working = stage.start("run", str(plan), "--no-progress", *settings, host="host-1", quiet=True)
    until(lambda: "process " in stage.ask("status", str(plan)))
    workers = [stage.start("worker", "--once", "--log-level", "error", host=f"host-{n}", quiet=True) for n in (2, 3)]
    until(lambda: stage.ask("status", str(plan)).count("stands by since") == len(workers))
    stage.show("status", str(plan))
    stage.say("3. host-1 dies: kill -9. After ten seconds of silence another host goes on")
    working.send_signal(signal.SIGKILL)
    working.wait()
    until(lambda: " was lost" in stage.ask("status", str(plan)))
    stage.show("status", str(plan))
    stage.say("4. The report: nothing was sent twice, no workflow_id is lost, and each host has its part")
    for worker in workers:
        worker.wait()
    stage.show("report", str(plan), "--format", "text")


def main() -> None:
    """Play it, and leave nothing behind."""
    server = new_server()
    with tempfile.TemporaryDirectory() as folder:
        try:
            server.start()
            stage, plan = Stage(Path(folder), server.new_database()), Path(folder) / "fleet.yaml"
            with simulated_cloud(stage, plan):
                play(stage, plan)
        finally:
            server.remove()


if __name__ == "__main__":
    main()
