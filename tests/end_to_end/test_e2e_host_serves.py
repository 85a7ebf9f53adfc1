"""A host that serves scopes beside the one that works, as processes that share a database: what it says itself."""

import resource
from typing import TYPE_CHECKING, Any

import pytest
from fakes.e2e import IMPATIENT, NewCloud
from fakes.hosts_desk import HostsDesk

if TYPE_CHECKING:
    from fakes.postgres_server import Server

LOCKED = 4


@pytest.fixture
def desk_kind() -> type[HostsDesk]:
    return HostsDesk


def few_files() -> None:
    """As `ulimit -n 100`."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))


def test_a_host_that_serves_says_that_it_makes_fewer_calls_at_once(new_cloud: NewCloud, postgres: "Server") -> None:
    desk = new_cloud(4)
    assert isinstance(desk, HostsDesk)
    desk.share(postgres)
    where = {key: desk.content()[key] for key in ("region", "project_id", "endpoint", "iam_endpoint")}
    scopes: dict[str, Any] = {
        name: {**where, "auth": {"token_env": name.upper()}, "hosts": [name]} for name in ("here", "there")
    }
    proxies = [{**proxy, "scope": ("here", "there")[n % 2]} for n, proxy in enumerate(desk.content()["proxies"])]
    limits = {"concurrency": 200, "in_flight": 4}
    desk.write(**IMPATIENT, **dict.fromkeys(where), scopes=scopes, proxies=proxies, limits=limits)
    works = desk.host("here", environ={"HERE": desk.token})
    desk.until_in_log("session_started")
    environ = {**desk.place("there"), "THERE": desk.token}
    serves = desk.start("run", "PLAN", "--no-progress", environ=environ, preexec_fn=few_files)
    ended, served = works.end(), serves.end()
    assert (ended.code, served.code) == (0, LOCKED), (ended.stderr, served.stderr)
    assert "open_files.few" not in {line["event"] for line in ended.logs}
    warned = [line["why"] for line in served.logs if line["event"] == "open_files.few"]
    assert warned
    assert "in place of 200; raise the hard limit" in warned[0]
