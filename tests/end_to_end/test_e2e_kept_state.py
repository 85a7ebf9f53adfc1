"""A state folder of an earlier version, kept as data: it is read, reported and gone on with as when it was written.

`tests/data/kept_state` was made by version 0.1.0: one run that ended, and one whose process was killed with two
upgrades under way, a third to come, and a hold and its release among the commands. Only its days were moved.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.e2e import NEW, SPEED, TIMING, TOKEN, Desk, sim_targets
from fakes.processes import Ended

from orchestrator.errors import ExitCode
from orchestrator.simulator.config import SimulatorConfig
from orchestrator.simulator.embedded import embedded_cloud
from orchestrator.simulator.profile import Profile

KEPT = Path(__file__).parent.parent / "data" / "kept_state"
ENDED, UNFINISHED = "20251127T023644374Z-e7615b", "20251127T023658946Z-f2d069"
REJECTED, DONE_MEANWHILE, WAITED, UNSEEN = (f"{number:032x}po01" for number in (2, 3, 4, 5))


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Desk]:
    """The folder and its plan, before a cloud in which one of the two upgrades has ended well meanwhile."""
    shutil.copytree(KEPT, tmp_path, dirs_exist_ok=True, symlinks=True)
    for path in (tmp_path, *tmp_path.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o700 if path.is_dir() else 0o600)
    targets = sim_targets(6, already=4)
    with embedded_cloud(
        SimulatorConfig(seed=1, speed=SPEED, targets=targets, token=TOKEN, faults=Profile(timing=TIMING))
    ) as address:
        places = ("HUAWEICLOUD_SDK_REGION_GAUSSDB_CN_NORTH_4", "HUAWEICLOUD_SDK_IAM_ENDPOINT")
        environ = dict.fromkeys(places, address.url)
        yield Desk(tmp_path, url=address.url, targets=targets, cloud=address.cloud, environ=environ)


def test_the_runs_of_an_earlier_version_are_reported_the_same(kept: Desk) -> None:
    before = files_of(kept.state)
    for run_id, name in ((ENDED, "ended.json"), (UNFINISHED, "unfinished.json")):
        ended = kept.cli("report", "PLAN", "--run", run_id, "--format", "json")
        assert_says_all_of(json.loads(ended.stdout), json.loads((KEPT / "expected" / name).read_text()), name)
    *lines, waits = kept.cli("status", "PLAN").stdout.splitlines()
    *before_then, _ = (KEPT / "expected" / "status.txt").read_text().splitlines()
    assert (lines, waits.partition(":")[0]) == (before_then, "waits for")
    assert files_of(kept.state) == before


def test_the_story_of_a_proxy_begins_in_the_run_of_an_earlier_version(kept: Desk) -> None:
    story = kept.cli("status", "PLAN", REJECTED).stdout
    assert f"run {ENDED}" in story
    assert "insufficient subnet ip" in story
    assert "skipped: failed_before" in story


def test_the_unfinished_run_of_an_earlier_version_goes_on_to_its_end(kept: Desk) -> None:
    journal = (kept.run_folder / "journal.ndjson").read_bytes()
    assert kept.run().code == ExitCode.PERSON_NEEDED
    assert kept.outcomes()[DONE_MEANWHILE] == kept.outcomes()[WAITED] == "succeeded"
    assert kept.outcomes()[UNSEEN] == "timed_out"  # this cloud knows nothing of that job, and the proxy is as it was
    assert settled(kept, UNSEEN).code == ExitCode.DONE
    assert kept.run().code == ExitCode.OTHER_OUTCOMES
    assert kept.run_folder.name == UNFINISHED
    assert kept.report["run"]["state"] == "completed"
    assert (kept.run_folder / "journal.ndjson").read_bytes().startswith(journal)
    assert kept.effective_starts() == {WAITED: 1}
    assert {target["target_version"] for target in kept.report["targets"]} == {NEW}


def settled(desk: Desk, proxy_id: str) -> Ended:
    return desk.cli("settle", "PLAN", proxy_id, "--outcome", "failed", "--note", "looked at the console")


def files_of(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def assert_says_all_of(now: Any, before: Any, where: str) -> None:
    """All that was said is said; what is said besides, the earlier version did not know."""
    if isinstance(before, dict):
        assert now.keys() >= before.keys(), where
        for key, value in before.items():
            assert_says_all_of(now[key], value, f"{where}.{key}")
    elif isinstance(before, list):
        assert len(now) == len(before), where
        for number, (one, other) in enumerate(zip(now, before, strict=True)):
            assert_says_all_of(one, other, f"{where}[{number}]")
    else:
        assert now == before, where
