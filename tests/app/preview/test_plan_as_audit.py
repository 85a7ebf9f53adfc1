"""`plan` after a run, as cron starts it: silent while all is well, and else what has changed, proxy by proxy."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fakes.e2e import NEW, OLD, SPEED, TIMING, TOKEN, Desk, sim_targets
from fakes.here import DeskHere

from orchestrator.simulator.config import SimulatorConfig
from orchestrator.simulator.embedded import Address, embedded_cloud
from orchestrator.simulator.profile import Profile, ScriptedFault
from orchestrator.simulator.world.world import Proxy
from orchestrator.tracker.folder.paths import claim_fleet

REJECTED = f"{3:032x}po01"


@dataclass
class Upgraded:
    """A fleet after its first run: one proxy that was there already, two that were upgraded, one that was refused."""

    desk: Desk
    address: Address

    def proxy(self, number: int) -> Proxy:
        found = self.address.cloud.world.proxy(f"{number:032x}po01")
        assert found is not None
        return found

    def audit(self, *options: str) -> tuple[int, list[str]]:
        """Exit code and lines of the audit."""
        ended = self.desk.cli("plan", "PLAN", *options)
        lines = ended.stdout.splitlines()
        start = next((at for at, line in enumerate(lines) if line.startswith("audit since run ")), len(lines))
        return ended.code, lines[start:]


@contextmanager
def upgraded(folder: Path, *, reject: bool) -> Iterator[Upgraded]:
    targets = sim_targets(6, already=1)
    faults = (ScriptedFault(call="upgrade", fault="rejected", proxy_id=REJECTED),) if reject else ()
    profile = Profile(timing=TIMING, faults=faults)
    config = SimulatorConfig(speed=SPEED, targets=targets, token=TOKEN, faults=profile)
    with embedded_cloud(config) as address:
        desk = DeskHere(folder, url=address.url, targets=targets[:4])
        desk.write()
        assert desk.run().code == (1 if reject else 0)
        yield Upgraded(desk, address)


def test_all_is_well_and_cron_hears_nothing(tmp_path: Path) -> None:
    with upgraded(tmp_path, reject=False) as fleet:
        run_id = fleet.desk.run_folder.name
        before = sorted(path for path in fleet.desk.state.rglob("*"))
        quiet = fleet.desk.cli("plan", "PLAN", "--quiet")
        assert (quiet.code, quiet.stdout, quiet.stderr) == (0, "", "")
        code, lines = fleet.audit()
        assert code == 0
        assert lines == [
            f"audit since run {run_id}, target version {NEW}: all is well",
            f"  done by others, runs {NEW}; already in run {run_id}: 1 proxy",
            f"  done by us, runs {NEW}, upgraded in run {run_id}: 3 proxies",
        ]
        assert sorted(path for path in fleet.desk.state.rglob("*")) == before, "an audit writes nothing"
        assert "schedule_exist" not in fleet.desk.books()["calls"], "nothing is left that could be scheduled"


def test_what_has_changed_is_told_proxy_by_proxy(tmp_path: Path) -> None:
    with upgraded(tmp_path, reject=True) as fleet:
        run_id = fleet.desk.run_folder.name
        back, gone = fleet.proxy(1), fleet.proxy(2)
        back.flips.clear()
        back.version = OLD
        back.scheduled = True
        del gone.instance.project.proxies[gone.proxy_id]
        gone.instance.proxies.clear()
        fleet.desk.write(proxies=[_entry(number) for number in (0, 1, 2, 4)])
        code, lines = fleet.audit("--quiet")
        assert code == 1
        assert lines[0] == f"audit since run {run_id}, target version {NEW}: not as it should be"
        told = {line.partition(",")[0].strip(): line for line in lines if line.endswith(" proxy")}
        assert told["gone back"].endswith(f"runs {OLD}, and has run {NEW}: 1 proxy")
        assert told["new"].endswith(f"runs {OLD}, and no run knows it: 1 proxy")
        missing = [line for line in lines if line.startswith("  missing")]
        assert missing == [
            f"  missing, in run {run_id}, and no target of the plan now: 1 proxy",
            "  missing, the cloud knows no such proxy: 1 proxy",
        ]
        assert [line.split()[2] for line in lines if line.startswith("    ")] == [
            back.proxy_id,
            REJECTED,
            gone.proxy_id,
            f"{4:032x}po01",
            back.proxy_id,
        ]
        assert lines[-2] == "  scheduled in the console: 1 proxy"
        assert lines[-1].endswith("WAITING")
        assert fleet.desk.books()["calls"]["schedule_exist"] == 2, "of those that do not run the version"


def test_what_others_did_after_our_refusal_is_not_claimed(tmp_path: Path) -> None:
    with upgraded(tmp_path, reject=True) as fleet:
        run_id = fleet.desk.run_folder.name
        code, lines = fleet.audit()
        assert code == 0, "its run has told that"
        assert lines[0].endswith("nothing new; what is not as it should be, its run has told")
        assert f"  not done, runs {OLD}; rejected in run {run_id}: 1 proxy" in lines
        fleet.proxy(3).version = NEW
        code, lines = fleet.audit()
        assert code == 0
        assert f"  done by others, runs {NEW}; rejected in run {run_id}: 1 proxy" in lines


def test_the_audit_is_in_the_json_too_but_not_of_a_new_version_or_offline(tmp_path: Path) -> None:
    with upgraded(tmp_path, reject=True) as fleet:
        audited = _json(fleet.desk)
        assert audited["well"] is False
        assert {finding["what"]: len(finding["targets"]) for finding in audited["findings"]} == {
            "not_done": 1,
            "done_by_others": 1,
            "done_by_us": 2,
        }
        assert _json(fleet.desk, "--offline") is None
        fleet.desk.write(target_version="2.24.06.000")
        assert fleet.audit() == (1, []), "no audit; the new version is not on offer"


def test_the_name_of_another_plan_is_refused(tmp_path: Path) -> None:
    desk = DeskHere(tmp_path, targets=sim_targets(1))
    desk.write()
    claim_fleet(desk.fleet, desk.plan)
    other = tmp_path / "other.yaml"
    other.write_text(desk.plan.read_text().replace('"version": 1', '"version": 1, "name": "prod"'))
    ended = desk.cli("plan", other)
    assert ended.code == 2
    assert "belongs to" in ended.stderr


def _json(desk: Desk, *options: str) -> Any:
    return json.loads(desk.cli("plan", "PLAN", "--format", "json", *options).stdout)["audit"]


def _entry(number: int) -> dict[str, str]:
    return {"instance_id": f"{number:032x}in07", "proxy_id": f"{number:032x}po01"}
