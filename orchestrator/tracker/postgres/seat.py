"""From where a process looks at the tables: its host, its database, and the fleets that it holds."""

import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from threading import Event

import msgspec

from orchestrator.clock import SystemClock
from orchestrator.tracker.fleet_name import SIMULATED
from orchestrator.tracker.postgres.database import Database
from orchestrator.tracker.postgres.lease import look


class Seat(msgspec.Struct, frozen=True):
    """What all parts of a state in a database need.

    Attributes:
        reports: the folder of this host for reports.
        simulated: whether it is for simulated runs, which never mix with real ones.
        host: the name of this host.
        pid: of this process.
        wall: what the clock of this host shows.
        epochs: of the fleets that this process holds, by their names in the tables.
    """

    database: Database
    reports: Path
    simulated: bool
    host: str
    pid: int
    monotonic: Callable[[], float] = SystemClock().monotonic
    wall: Callable[[], datetime] = SystemClock().wall
    pause: Callable[[float], object] = msgspec.field(default_factory=lambda: Event().wait)
    new_token: Callable[[], str] = lambda: uuid.uuid4().hex
    epochs: dict[str, int] = {}

    def key_of(self, fleet: str) -> str:
        """The name of a fleet in the tables."""
        return f"{SIMULATED}/{fleet}" if self.simulated else fleet

    def epoch(self, key: str) -> int:
        """That of this process, when it holds the fleet; else the one in force, as for one who repairs a run.

        Raises:
            StateError: the database cannot be used.
        """
        if key in self.epochs:
            return self.epochs[key]
        held = look(self.database, key)
        return -1 if held is None else held.epoch
