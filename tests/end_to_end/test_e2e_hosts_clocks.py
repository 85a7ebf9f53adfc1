"""Hosts that share a database go by its clock in all that they write and tell, whatever their own clocks show."""

import json
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.databases import state_in
from fakes.documents import ROOT
from fakes.e2e import IMPATIENT, NewCloud
from fakes.hosts_desk import HostsDesk
from fakes.stepping_clock import SteppingClock

if TYPE_CHECKING:
    from fakes.postgres_server import Server

HOUR_S = 3600.0


@pytest.fixture
def desk_kind() -> type[HostsDesk]:
    return HostsDesk


@pytest.fixture
def desk(new_cloud: NewCloud, postgres: "Server") -> HostsDesk:
    desk = new_cloud(1)
    assert isinstance(desk, HostsDesk)
    desk.share(postgres)
    desk.write(**IMPATIENT)
    return desk


@pytest.fixture
def off(tmp_path: Path) -> Callable[[float], dict[str, str]]:
    """The environment of a host whose clock is so many seconds ahead."""
    folder = tmp_path / "clock"
    folder.mkdir()
    clock = SteppingClock(folder, ROOT)

    def by(seconds: float) -> dict[str, str]:
        clock.step(seconds)
        return {**clock.environ}

    return by


def told(desk: HostsDesk) -> datetime:
    """What the database's clock shows."""
    with closing(state_in(desk.address, desk.folder).seat.database) as database:
        [(at,)] = database.rows("select clock_timestamp()")
    assert isinstance(at, datetime)
    return at


def commands(desk: HostsDesk) -> list[datetime]:
    with closing(state_in(desk.address, desk.folder).seat.database) as database:
        rows = database.rows("select body from orchestrator.command order by number")
    return [datetime.fromisoformat(json.loads(body)["at"]) for (body,) in rows]


@pytest.mark.parametrize("seconds", [HOUR_S, -HOUR_S])
def test_what_a_person_asks_for_is_timed_by_the_database(
    desk: HostsDesk, off: Callable[[float], dict[str, str]], seconds: float
) -> None:
    there, before = off(seconds), told(desk)
    for verb, *words in (("hold",), ("limit", "rate=1/s"), ("release",)):
        given = desk.cli(verb, "PLAN", *words, "--note", "x", environ=there)
        assert given.code == 0, given.stderr
    given_at = commands(desk)
    assert len(given_at) == 3
    assert all(abs(at - before) < timedelta(seconds=HOUR_S / 2) for at in given_at)
    assert given_at == sorted(given_at)


def test_a_run_begins_by_the_clock_of_the_database_where_its_hosts_own_is_behind(
    desk: HostsDesk, off: Callable[[float], dict[str, str]]
) -> None:
    before = told(desk)
    ended = desk.host("h1", environ=off(-4.0)).end()
    assert ended.code == 0, ended.stderr
    desk.export()
    at = [datetime.fromisoformat(record["at"]) for record in desk.records()]
    assert min(at) >= before


@pytest.mark.parametrize("seconds", [HOUR_S, -HOUR_S])
def test_status_tells_how_long_ago_by_the_database(
    desk: HostsDesk, off: Callable[[float], dict[str, str]], seconds: float
) -> None:
    assert desk.host("h1").end().code == 0
    seen = desk.cli("status", "PLAN", "--format", "json", environ=off(seconds))
    assert seen.code == 0, seen.stderr
    document = json.loads(seen.stdout)
    assert abs(datetime.fromisoformat(document["at"]) - told(desk)) < timedelta(seconds=HOUR_S / 2)
