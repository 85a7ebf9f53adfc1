"""Every byte that the program writes is searched for every secret that it was given or got: none of them is there."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from string import ascii_letters, digits
from typing import Any
from urllib.parse import quote

import pytest
from fakes.e2e import SPEED, TIMING, Desk, sim_targets
from fakes.echo import echo_server
from fakes.here import DeskHere
from fakes.quoting import WORKFLOW, quoting_cloud
from msgspec.structs import replace

from orchestrator.simulator.config import SimulatorConfig
from orchestrator.simulator.embedded import embedded_cloud
from orchestrator.simulator.profile import Profile, ScriptedFault

TOKEN = "gAAAA" + "".join(Random(1).choices(ascii_letters + digits + "-_", k=3000))
ACCESS_KEY, SECRET_KEY = ("".join(Random(2).choices(ascii_letters + digits, k=size)) for size in (20, 40))
SECURITY_TOKEN = "ggpj" + "".join(Random(3).choices(ascii_letters + digits + "+/", k=400)) + "=="
PASSWORD = 'p4ss "phrase" \\ with everything'
SECRETS = {
    "TOKEN": TOKEN,
    "ACCESS_KEY": ACCESS_KEY,
    "SECRET_KEY": SECRET_KEY,
    "SECURITY_TOKEN": SECURITY_TOKEN,
    "PASSWORD": PASSWORD,
}
WAYS: dict[str, Any] = {
    "token": {"token_env": "TOKEN"},
    "token_file": {"token_file": "../secrets/token"},
    "token_command": {"token_command": ["cat", "../secrets/token"]},
    "keys": {"access_key_env": "ACCESS_KEY", "secret_key_env": "SECRET_KEY", "security_token_env": "SECURITY_TOKEN"},
    "profile": {"profile": "basic"},
    "password": {"user": "fleet-bot", "domain": "example", "password_env": "PASSWORD"},
    "password_file": {"user": "fleet-bot", "domain": "example", "password_file": "../secrets/password"},
}
LOUD = ("--log-level", "debug", "--log-format", "json", "--log-file", "all.log")


def _desk(tmp_path: Path, url: str, way: str) -> Desk:
    """Secrets lie in a folder of their own, so that everything else can be searched."""
    folder, secrets = tmp_path / "desk", tmp_path / "secrets"
    folder.mkdir()
    secrets.mkdir()
    (secrets / "token").write_text(TOKEN)
    (secrets / "password").write_text(PASSWORD)
    profile = f"[basic]\nak = {ACCESS_KEY}\nsk = {SECRET_KEY}\nsecurity_token = {SECURITY_TOKEN}\n"
    (secrets / "profile").write_text(profile)
    environ = {**SECRETS, "HUAWEICLOUD_SDK_CREDENTIALS_FILE": str(secrets / "profile")}
    desk = DeskHere(folder, url=url, targets=sim_targets(3), environ=environ)
    desk.write(auth=WAYS[way])
    return desk


def _session(desk: Desk, *commands: tuple[str, ...]) -> Iterator[bytes]:
    """Everything that comes of some command lines: both streams, and every file."""
    for command in commands:
        ended = desk.cli(*command, *LOUD)
        yield ended.stdout.encode()
        yield ended.stderr.encode()
    for path in desk.folder.rglob("*"):
        if path.is_file():
            yield path.read_bytes()


def _expect_none(written: list[bytes], secrets: Mapping[str, str]) -> None:
    everything = b"\n".join(written)
    for name, secret in secrets.items():
        for form in {secret, json.dumps(secret)[1:-1], quote(secret), quote(secret, safe="")}:
            found = [at for at in range(len(form) - 11) if form[at : at + 12].encode() in everything]
            assert not found, f"{len(found)} pieces of {name} were written"
    assert not re.search(rb"Signature=[0-9a-f]", everything)


def _guarded(targets: int, faults: Profile | None = None) -> SimulatorConfig:
    """A cloud that takes every kind of credentials."""
    config = SimulatorConfig(
        speed=SPEED,
        targets=sim_targets(targets),
        token=TOKEN,
        user="fleet-bot",
        password=PASSWORD,
        domain="example",
        access_key=ACCESS_KEY,
        secret_key=SECRET_KEY,
        security_token=SECURITY_TOKEN,
    )
    return config if faults is None else replace(config, faults=faults)


@pytest.mark.parametrize("way", ["token", "keys", "profile", "password"])
def test_no_secret_is_in_anything_that_a_whole_run_writes(tmp_path: Path, way: str) -> None:
    faults = (
        ScriptedFault(call="proxies", fault="token_refused"),
        ScriptedFault(call="upgrade", fault="rejected", nth=2),
    )
    config = _guarded(3, Profile(timing=TIMING, faults=faults))
    with embedded_cloud(config) as address:
        desk = _desk(tmp_path, address.url, way)
        written = list(_session(desk, ("run", "PLAN"), ("plan", "PLAN"), ("report", "PLAN")))
        assert desk.books()["upgrade_calls"], "the credentials were good"
        issued = {f"issued {number}": token for number, token in enumerate(address.cloud.keyring.tokens)}
    _expect_none(written, {**SECRETS, **issued})
    assert any(b"orchestrator.report/1" in each for each in written)


def _quoting_gate(*files: str) -> dict[str, Any]:
    """A program that says what it must not know."""
    return {"name": "talkative", "command": ["/bin/sh", "-c", f"cat {' '.join(files)}; exit 1"]}


@pytest.mark.parametrize("way", ["token", "token_file", "token_command", "profile", "password"])
def test_no_secret_is_shown_by_a_verb_that_asks_a_gate_which_quotes_it(tmp_path: Path, way: str) -> None:
    config = _guarded(2)
    secret = {"profile": "profile", "password": "password"}.get(way, "token")
    with embedded_cloud(config) as address:
        desk = _desk(tmp_path, address.url, way)
        desk.write(auth=WAYS[way], gates=[_quoting_gate(str(tmp_path / "secrets" / secret))])
        looks = [("plan", "PLAN", "--format", form) for form in ("table", "json", "html")]
        saved = ("plan", "PLAN", "--out", "saved.json")
        written = list(_session(desk, *looks, saved, ("doctor", "PLAN")))
    _expect_none(written, SECRETS)
    assert b"talkative" in b"".join(written)
    assert sum(b"***" in each for each in written) >= len([*looks, saved]) + 1


@pytest.mark.parametrize(("way", "page"), [*((way, False) for way in WAYS), ("token", True), ("password", True)])
def test_no_secret_is_told_when_the_cloud_quotes_it(tmp_path: Path, way: str, page: Any) -> None:
    with echo_server(502 if page else 401, page=page) as url:
        desk = _desk(tmp_path, url, way)
        desk.write(auth=WAYS[way], retry={"attempts": 1}, discover=[{}])
        written = list(_session(desk, ("plan", "PLAN")))
        desk.write(auth=WAYS[way], retry={"attempts": 1})
        written += _session(desk, ("run", "PLAN"), ("report", "PLAN"))
    _expect_none(written, SECRETS)
    assert any(b"cannot be used: " in each for each in written)


@pytest.mark.parametrize("way", ["token", "keys", "password"])
def test_no_secret_is_written_by_a_run_whose_cloud_quotes_it_in_every_field(tmp_path: Path, way: str) -> None:
    with quoting_cloud(TOKEN) as url:
        desk = _desk(tmp_path, url, way)
        desk.targets = sim_targets(5)
        desk.write(auth=WAYS[way], waves=[{"name": "all", "max_failures": "100%"}])
        upgraded = desk.targets[3].proxy_id
        commands = [("run", "PLAN"), ("report", "PLAN"), ("status", "PLAN"), ("status", "PLAN", upgraded)]
        written = list(_session(desk, *commands, ("plan", "PLAN", "--format", "json"), ("plan", "PLAN")))
        outcomes = list(desk.outcomes().values())
        workflows = [target["workflow_ids"] for target in desk.report["targets"]]
        desk.name = "found"
        desk.write(auth=WAYS[way], proxies=None, discover=[{}])
        written += _session(desk, ("plan", "PLAN"), ("run", "PLAN"), ("status", "PLAN"))
    _expect_none(written, SECRETS)
    assert outcomes == ["rejected", "rejected", "failed", "succeeded", "skipped"]
    assert workflows == [[], [], [WORKFLOW.format(2)], [WORKFLOW.format(3)], []], "no id is lost to what is hidden"
    assert b"".join(written).count(b"***") > 50
