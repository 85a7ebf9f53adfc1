"""States in databases, for tests."""

import os
from pathlib import Path

from orchestrator.clock import SystemClock
from orchestrator.tracker.postgres.database import Database
from orchestrator.tracker.postgres.database_state import DatabaseState
from orchestrator.tracker.postgres.seat import Seat
from orchestrator.tracker.postgres.tables import make_tables


def state_in(address: str, home: Path, *, host: str = "here") -> DatabaseState:
    """A state as one host sees it; its tables are made."""
    database = Database(address, monotonic=SystemClock().monotonic)
    database.run(make_tables)
    return DatabaseState(Seat(database, home, simulated=False, host=host, pid=os.getpid()), ("--state", address))
