"""One night of several hosts: a fleet in a database of its own, a simulated cloud, and what became of it in the end."""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from fakes.databases import state_in
from fakes.e2e import IMPATIENT, cloud_desk, expect_truth
from fakes.hosts_desk import HostsDesk
from fakes.postgres_server import Server
from fakes.processes import Running, start
from judge.journal import expect_kept
from msgspec import structs

from orchestrator.model.record.record import Record
from orchestrator.simulator.profile import Latency
from orchestrator.tracker.runs.recovery import recover

#: 0.15 s at the speed of the desk: so long a call may be under way when its host dies.
_LATENCY = Latency(median_s=150.0, sigma=0.0)
IN_FLIGHT, HELD, LOCKED = 6, 3, 4


@dataclass
class Case:
    """A night.

    Attributes:
        random: all chance of it.
        figures: what was measured, by name.
        met: how often the judge met what in the log.
    """

    desk: HostsDesk
    random: Random
    figures: dict[str, float] = field(default_factory=dict)
    met: Counter[str] = field(default_factory=Counter)

    def log(self) -> list[dict[str, Any]]:
        """The records of the latest run."""
        wanted = "select body from orchestrator.journal order by run, seq"
        with closing(state_in(self.desk.address, self.desk.folder).seat.database) as database:
            return [json.loads(body) for (body,) in database.rows(wanted)]

    def of_kind(self, name: str) -> list[dict[str, Any]]:
        """The records of one name, in order."""
        return [record for record in self.log() if record["record"] == name]

    def signal(self, number: int) -> datetime:
        """Send a signal to the process that works; returns when that was."""
        os.kill(self.of_kind("session_started")[-1]["pid"], number)
        return now()

    def taken_over(self, sessions: int, gone: datetime) -> None:
        """Wait until so many sessions have begun, and note how long it took since the host of the last one was gone."""
        self.desk.until_in_log("session_started", sessions)
        began = datetime.fromisoformat(self.of_kind("session_started")[sessions - 1]["at"])
        self.note("takeover s", (began - gone).total_seconds())

    def note(self, name: str, figure: float) -> None:
        """Keep the highest of a figure."""
        self.figures[name] = max(self.figures.get(name, 0.0), round(figure, 1))

    def end(self, *hosts: Running, codes: tuple[int, ...] = (0,)) -> None:
        """Wait for the hosts, and hold all that was written against the cloud's books."""
        ended = [host.end() for host in hosts]
        assert all(each.code in (*codes, LOCKED) for each in ended), [each.code for each in ended]
        self.expect_true()

    def expect_true(self, outcomes: AbstractSet[str] = frozenset({"succeeded"})) -> None:
        """Nothing started twice, no id lost, every target came to its end, and the log keeps every rule of the plan."""
        self.desk.export()
        expect_truth(self.desk)
        assert set(self.desk.outcomes().values()) == outcomes, self.desk.outcomes()
        assert set(self.desk.effective_starts().values()) == {1}
        self.met = self._judged()

    def _judged(self) -> Counter[str]:
        """Whoever wrote what: caps, budgets, holds and waves held at each attempt, in the order of the log."""
        records = list[Record]()
        state = state_in(self.desk.address, self.desk.folder)
        with closing(state.seat.database):
            recovered = recover(state.fleet(self.desk.name).runs()[-1], records.append)
        plan = structs.replace(recovered.in_force, proxies=tuple(recovered.run.targets.values()))
        return expect_kept(plan, records)


def noting_slots(desk: HostsDesk, plan: str, host: str) -> Running:
    """`run` on a host; it notes when it takes slots of the rate."""
    environ = {**desk.base_environ(), **desk.place(host), "PYTHONPATH": os.pathsep.join(sys.path)}
    words = ["hosts.slot_log", f"{host}.slots", "run", plan, "--no-progress"]
    quiet = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    return start(words, environ=environ, folder=desk.folder, wrapper=("env",), **quiet)


def now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


@contextmanager
def new_case(server: Server, seed: int, *, count: int = 30, **profile: Any) -> Iterator[Case]:
    """A night before it begins."""
    with (
        tempfile.TemporaryDirectory() as folder,
        cloud_desk(Path(folder), count, kind=HostsDesk, seed=seed, **{"latency": _LATENCY, **profile}) as desk,
    ):
        assert isinstance(desk, HostsDesk)
        desk.share(server)
        desk.write(**{**IMPATIENT, "limits": {"in_flight": IN_FLIGHT}})
        yield Case(desk, Random(seed))
