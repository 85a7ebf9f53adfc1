"""A database with the tables, for each test its own."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.databases import state_in

from orchestrator.tracker.postgres.database import Database

if TYPE_CHECKING:
    from fakes.postgres_server import Server


@pytest.fixture
def database(postgres: "Server", tmp_path: Path) -> Iterator[Database]:
    found = state_in(postgres.new_database(), tmp_path).seat.database
    with closing(found):
        yield found
