"""A fleet that nobody has written down: found, frozen with its run, upgraded; and what happens when it is not found."""

import signal
from pathlib import Path
from typing import Any

from fakes.e2e import PROJECT, SPEED, TIMING, TOKEN, Desk, NewCloud, expect_truth, sim_targets

from orchestrator.simulator.config import SimulatorConfig
from orchestrator.simulator.embedded import embedded_cloud
from orchestrator.simulator.profile import Latency, Profile, ScriptedFault

PROD: dict[str, Any] = {"proxies": None, "discover": [{"instances": {"tags": {"env": "prod"}}}]}


def test_a_discovered_fleet_is_upgraded_and_every_call_is_counted(new_cloud: NewCloud) -> None:
    desk = new_cloud(12, per_instance=2)
    desk.write(proxies=None, discover=[{}], exclude=[{"tags": {"env": "test"}}])
    preview = desk.cli("plan", "PLAN")
    assert preview.code == 0
    assert "-prod-" in preview.stdout
    assert "excluded by the plan" in preview.stdout
    spent = sum(desk.books()["calls"].values())
    assert f"{spent} made for this preview" in preview.stdout
    ended = desk.run("--quiet")
    assert ended.code == 0, ended
    report = expect_truth(desk)
    assert 0 < report["totals"]["targets"] < 12
    assert report["totals"]["calls"] == sum(desk.books()["calls"].values()) - spent


def test_a_run_keeps_what_it_found_and_the_next_one_looks_again(tmp_path: Path) -> None:
    config = SimulatorConfig(speed=SPEED, targets=sim_targets(3), token=TOKEN, faults=Profile(timing=TIMING))
    with embedded_cloud(config) as address:
        desk = Desk(tmp_path, url=address.url)
        desk.write(proxies=None, discover=[{}], waves=[{"name": "first", "size": 1}, {"name": "rest", "approve": True}])
        assert desk.run().code == 3
        project = address.cloud.world.projects[PROJECT]
        waiting = next(key for key, outcome in desk.outcomes().items() if outcome == "waiting")
        late = project.proxies.pop(waiting)
        late.instance.proxies.remove(late)
        del project.instances[late.instance.instance_id]
        desk.cli("release", "PLAN", "rest", "--note", "go on")
        ended = desk.run()
        assert ended.code == 1, "the run was frozen with three proxies, and one of them is gone"
        assert sorted(desk.outcomes().values()) == ["skipped", "succeeded", "succeeded"]
        assert desk.run().code == 0
        assert len(desk.report["targets"]) == 2, "the next run is about what is there"


def test_an_incomplete_discovery_begins_no_run(new_cloud: NewCloud) -> None:
    fault = ScriptedFault(call="details", fault="error_before", times=99)
    desk = new_cloud(3, faults=(fault,))
    desk.write(**PROD)
    for verb in ("plan", "run"):
        ended = desk.cli(verb, "PLAN")
        assert ended.code == 7
        assert ended.messages[0] == "orchestrator: discovery is incomplete, so nothing starts"
        assert ended.messages[1].startswith("scope default: the details of ")
    assert not (desk.fleet / "runs").exists()
    assert desk.books()["upgrade_calls"] == []


def test_nothing_found_is_not_nothing_to_do(new_cloud: NewCloud) -> None:
    desk = new_cloud(3)
    desk.write(proxies=None, discover=[{"instances": {"name": "nobody"}}])
    ended = desk.run()
    assert ended.code == 7
    assert "expect" in ended.stderr


def test_a_stop_while_looking_begins_nothing(tmp_path: Path) -> None:
    profile = Profile(timing=TIMING, latency=Latency(median_s=0.4, sigma=0.0))
    with embedded_cloud(SimulatorConfig(targets=sim_targets(3), token=TOKEN, faults=profile)) as address:
        desk = Desk(tmp_path, url=address.url)
        desk.write(proxies=None, discover=[{}])
        running = desk.start("run", "PLAN")
        desk.until(lambda: bool(address.cloud.books.calls["immediate_jobs"]))
        running.signal(signal.SIGTERM)
        ended = running.end()
        assert ended.code == 5, ended
        assert not (desk.fleet / "runs").exists()


def test_offline_says_that_finding_needs_the_network(desk: Desk) -> None:
    desk.write(discover=[{}])
    ended = desk.cli("plan", "PLAN", "--offline")
    assert ended.code == 0
    assert "3 targets written out, and those that discover finds -> " in ended.stdout
    assert "expected duration: not known before discover has looked" in ended.stdout
    assert "discover: finding proxies needs the network" in ended.stdout


def test_the_simulated_cloud_is_given_a_fleet_to_find(desk: Desk) -> None:
    filters = {"name": "*orders", "tags": {"env": "prod"}, "vpc_id": "v-1", "enterprise_project_id": "e-1"}
    desk.write(discover=[{"instances": filters}, {"instances": {"ids": [f"{7:032x}in07"]}}], expect={"min": 60})
    ended = desk.cli("plan", "PLAN", "--simulate", "--faults", "none", "--set", "limits.rate=500/s")
    assert ended.code == 0, ended
    # 3 are written out, 2 are on the instance that is named, and the rest comes in pairs.
    assert "fleet prod: 61 targets" in ended.stdout
    assert "simulated-0013orders" in ended.stdout
