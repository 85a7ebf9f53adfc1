"""Wrong credentials, with every verb that calls the cloud: at most two refused calls per scope, and no locked key."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes.e2e import SPEED, TIMING, TOKEN, Desk
from fakes.processes import Ended

from orchestrator.simulator.config import SimulatorConfig
from orchestrator.simulator.embedded import Address, embedded_cloud
from orchestrator.simulator.profile import Profile

ACCESS_KEY, SECRET_KEY = "HPUAEXAMPLEACCESSKEY", "exampleSecretKey00000000000000000000000A"
REGIONS = ("cn-north-4", "cn-east-3", "cn-south-1", "cn-southwest-2", "ap-southeast-3", "tr-west-1")
WAYS: dict[str, Any] = {
    "token": {"token_env": "TOKEN"},
    "keys": {"access_key_env": "ACCESS_KEY", "secret_key_env": "SECRET_KEY"},
    "password": {"user": "fleet-bot", "domain": "example", "password_env": "PASSWORD"},
}
WRONG = {"TOKEN": "wrong-token", "ACCESS_KEY": ACCESS_KEY, "SECRET_KEY": "wrong", "PASSWORD": "wrong-password"}
GOOD = {"TOKEN": TOKEN, "ACCESS_KEY": ACCESS_KEY, "SECRET_KEY": SECRET_KEY, "PASSWORD": "a good password"}


class Site:
    """Some regions with two instances each, and a plan for all of them."""

    def __init__(self, folder: Path, address: Address, way: str) -> None:
        self.address = address
        self.projects = address.cloud.config.project_ids()
        self.desk = Desk(folder, url=address.url)
        self._auth = WAYS[way]

    def write(self, *, discover: bool = False, looked_up: bool = False) -> None:
        scopes = {region: self._scope(region, looked_up=looked_up) for region in self.projects}
        proxies = [
            {"scope": project.region, "instance_id": proxy.instance.instance_id, "proxy_id": proxy.proxy_id}
            for project in self.address.cloud.world.projects.values()
            for proxy in project.proxies.values()
        ]
        found: dict[str, Any] = {"discover": [{"scope": region} for region in scopes], "proxies": None}
        top = dict.fromkeys(("region", "project_id", "endpoint", "iam_endpoint"))
        self.desk.write(**top, scopes=scopes, **(found if discover else {"proxies": proxies}))

    def _scope(self, region: str, *, looked_up: bool) -> dict[str, Any]:
        url = self.address.url
        scope = {"region": region, "endpoint": url, "iam_endpoint": url, "auth": self._auth}
        return scope if looked_up else {**scope, "project_id": self.projects[region]}

    def refused(self) -> tuple[int, int]:
        """Refused calls in all so far, logins among them; with wrong credentials there are no others."""
        books = self.address.cloud.books
        return books.calls.total(), max((calls.total() for calls in books.calls_by_scope.values()), default=0)

    def spent_by(self, *arguments: str, environ: dict[str, str]) -> tuple[Ended, int]:
        before = self.refused()[0]
        ended = self.desk.cli(*arguments, environ=environ)
        return ended, self.refused()[0] - before


@contextmanager
def site(folder: Path, way: str, regions: int) -> Iterator[Site]:
    config = SimulatorConfig(
        speed=SPEED,
        regions=REGIONS[:regions],
        instances=2,
        proxies=1,
        token=TOKEN,
        user="fleet-bot",
        password=GOOD["PASSWORD"],
        domain="example",
        access_key=ACCESS_KEY,
        secret_key=SECRET_KEY,
        faults=Profile(timing=TIMING),
    )
    with embedded_cloud(config) as address:
        yield Site(folder, address, way)


@pytest.mark.parametrize("way", WAYS)
def test_one_scope_costs_two_refused_calls_whoever_asks_and_starts_again(tmp_path: Path, way: str) -> None:
    with site(tmp_path, way, 1) as cloud:
        for verb, discover in (("plan", False), ("plan", True), ("run", True), ("run", False), ("run", False)):
            cloud.write(discover=discover)
            ended, refused = cloud.spent_by(verb, "PLAN", environ=WRONG)
            assert ended.code == 7, ended
            assert 1 <= refused <= 2
        assert cloud.desk.run(environ=GOOD).code == 0


@pytest.mark.parametrize("way", ["keys", "password"])
def test_credentials_that_six_scopes_share_are_refused_twice_in_all(tmp_path: Path, way: str) -> None:
    with site(tmp_path, way, 6) as cloud:
        for verb, discover, looked_up in (("plan", True, False), ("run", False, True)):
            cloud.write(discover=discover, looked_up=looked_up)
            ended, refused = cloud.spent_by(verb, "PLAN", environ=WRONG)
            assert ended.code == 7
            assert "not tried, another scope was refused with the same" in ended.stderr
            assert 1 <= refused <= 2
        assert cloud.desk.run("--new", environ=GOOD).code == 0, "the key is not locked"


def test_a_token_that_is_wrong_in_one_scope_says_nothing_of_the_others(tmp_path: Path) -> None:
    with site(tmp_path, "token", 3) as cloud:
        cloud.write()
        ended = cloud.desk.cli("plan", "PLAN", environ=WRONG)
        assert ended.code == 7
        assert cloud.refused() == (6, 2)
        assert "not tried" not in ended.stderr


def test_a_clock_that_is_an_hour_off_is_made_up_for(tmp_path: Path) -> None:
    config = SimulatorConfig(
        instances=2,
        access_key=ACCESS_KEY,
        secret_key=SECRET_KEY,
        faults=Profile(clock_skew_s=timedelta(hours=1).total_seconds()),
    )
    with embedded_cloud(config) as address:
        cloud = Site(tmp_path, address, "keys")
        cloud.write(discover=True)
        ended = cloud.desk.cli("plan", "PLAN", environ=GOOD)
    assert ended.code == 0, ended.stderr
    assert address.cloud.books.refused_credentials <= 2  # from then on it signs by the cloud's time
