"""`plan --out FILE` and `run FILE`: what was approved is what runs, or every difference is named and nothing starts."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from fakes.e2e import NEW, OLD, Desk, cloud_desk, sim_targets
from fakes.here import DeskHere

FILE = "approved.json"
OTHER = "2.23.11.000"
ALL = [{"name": "all"}]


def _proxy(number: int) -> str:
    return f"{number:032x}po01"


@contextmanager
def _saved(folder: Path, *options: str, count: int = 3, **changes: Any) -> Iterator[Desk]:
    """A fleet whose preview is saved."""
    with cloud_desk(folder, count, kind=DeskHere) as desk:
        desk.write(**changes)
        ended = desk.cli("plan", "PLAN", "--out", FILE, *options)
        assert ended.code == 0, ended.stderr
        yield desk


def _version(desk: Desk, number: int, version: str) -> None:
    assert desk.cloud is not None
    proxy = desk.cloud.world.proxy(_proxy(number))
    assert proxy is not None
    proxy.version = version


def _begun(desk: Desk) -> list[str | None]:
    """The versions from which the targets of the latest run may be upgraded."""
    targets = (desk.run_folder / "targets.ndjson").read_text(encoding="utf-8").splitlines()
    return [json.loads(line).get("source_version") for line in targets]


def test_the_file_is_named_by_its_hash_and_holds_plan_targets_and_versions(tmp_path: Path) -> None:
    with cloud_desk(tmp_path, 2, kind=DeskHere) as desk:
        _version(desk, 1, NEW)
        said = desk.cli("plan", "PLAN", "--out", FILE).stderr
        data = (tmp_path / FILE).read_bytes()
        assert f"saved: {FILE}, sha256 {sha256(data).hexdigest()}" in said
        assert f"run exactly this: orchestrator run {FILE} --state {desk.state}" in said
        saved = json.loads(data)
    assert saved["plan"]["text"] == desk.plan.read_text(encoding="utf-8")
    assert saved["plan"]["sha256"] == sha256(desk.plan.read_bytes()).hexdigest()
    first, second = saved["targets"]
    assert (first["target"]["proxy_id"], first["wave"], first["version"]) == (_proxy(0), "canary", OLD)
    assert second["left_out"] == ["already", "current", f"runs {NEW}"]


@pytest.mark.slow
def test_what_was_approved_runs_and_goes_on_and_is_done_once(tmp_path: Path) -> None:
    waves = [{"name": "canary", "size": 1}, {"name": "rest", "approve": True}]
    with _saved(tmp_path, waves=waves) as desk:
        assert desk.cli("run", FILE).code == 3
        assert desk.effective_starts().total() == 1
        assert _begun(desk) == [OLD] * 3
        desk.cli("release", "PLAN", "rest", "--note", "fine")
        ended = desk.cli("run", FILE)
        assert ended.code == 0, ended.stderr
        assert desk.effective_starts().total() == 3
        again = desk.cli("run", FILE)
        assert again.code == 2
        assert again.stderr.count(f"is already: runs {NEW}") == 3
        sha = sha256((tmp_path / FILE).read_bytes()).hexdigest()
        assert [each["approved"] for each in desk.records() if "approved" in each] == [sha] * 3


def _another_version(desk: Desk) -> None:
    _version(desk, 1, OTHER)


def _done_by_others(desk: Desk) -> None:
    _version(desk, 0, NEW)


def _gone(desk: Desk) -> None:
    assert desk.cloud is not None
    proxy = desk.cloud.world.proxy(_proxy(2))
    assert proxy is not None
    del proxy.instance.project.proxies[proxy.proxy_id]


def _new(desk: Desk) -> None:
    desk.targets = sim_targets(4)
    desk.write()


def _fewer(desk: Desk) -> None:
    desk.targets = sim_targets(2)
    desk.write()


def _other_limit(desk: Desk) -> None:
    desk.write(limits={"in_flight": 2})


def _comment(desk: Desk) -> None:
    desk.plan.write_text(desk.plan.read_text(encoding="utf-8") + "# so\n", encoding="utf-8")


def _no_plan(desk: Desk) -> None:
    desk.plan.unlink()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_another_version, f"proxy {_proxy(1)}: ran {OLD}, runs {OTHER}"),
        (_done_by_others, f"proxy {_proxy(0)}: was to be upgraded in wave all, is already: runs {NEW}"),
        (_gone, f"proxy {_proxy(2)}: was to be upgraded in wave all, is skipped: gone, the cloud knows no such proxy"),
        (_new, f"the plan: proxies: {_proxy(3)} added"),
        (_fewer, f"the plan: proxies: {_proxy(2)} removed"),
        (_other_limit, "the plan: limits.in_flight: 10 -> 2"),
        (_comment, "the plan: another text of the same meaning"),
        (_no_plan, "there is no such plan file"),
    ],
)
def test_each_difference_is_named_and_nothing_starts(change: Callable[[Desk], None], said: str, tmp_path: Path) -> None:
    with _saved(tmp_path, waves=ALL) as desk:
        same = desk.cli("run", FILE, "--dry-run")
        assert (same.code, same.stderr) == (0, "")
        assert "nothing has changed" in same.stdout
        change(desk)
        ended = desk.cli("run", FILE, "--dry-run")
        assert ended.code == 2
        assert f"{FILE}: a start now would do something else" in ended.stderr
        assert said in ended.stderr
        assert not (desk.fleet / "runs").exists()


def test_a_target_that_an_inventory_no_longer_names_and_a_new_one_are_differences(tmp_path: Path) -> None:
    rows = ["instance_id,proxy_id", *(f"{number:032x}in07,{_proxy(number)}" for number in range(3))]
    fleet = tmp_path / "fleet.csv"
    fleet.write_text("\n".join(rows[:3]) + "\n", encoding="utf-8")
    with _saved(tmp_path, proxies=None, inventory="fleet.csv", waves=ALL) as desk:
        fleet.write_text("\n".join([rows[0], *rows[2:]]) + "\n", encoding="utf-8")
        said = desk.cli("run", FILE, "--dry-run").stderr
    assert f"proxy {_proxy(0)}: was to be upgraded in wave all, and is no target any more" in said
    assert f"proxy {_proxy(2)}: is new, and is to be upgraded in wave all" in said


@pytest.mark.slow
def test_what_was_left_out_is_skipped_whatever_it_comes_to_run(tmp_path: Path) -> None:
    with cloud_desk(tmp_path, 2, kind=DeskHere) as desk:
        desk.write(source_version=[OLD])
        _version(desk, 1, OTHER)
        assert desk.cli("plan", "PLAN", "--out", FILE).code == 0
        assert desk.cli("run", FILE).code == 1
        settled = [each for each in desk.records() if each["record"] == "settled" and each["target"] == _proxy(1)]
        (session,) = (each["seq"] for each in desk.records() if each["record"] == "session_started")
        assert [(each["outcome"], each["reason"]) for each in settled] == [("skipped", "drifted")]
        assert settled[0]["seq"] < session


@pytest.mark.parametrize("words", [["--new"], ["--set", "limits.in_flight=2"], ["--only-outcome", "failed"]])
def test_what_the_file_has_decided_is_no_option_of_its_run(words: list[str], tmp_path: Path) -> None:
    with _saved(tmp_path) as desk:
        ended = desk.cli("run", FILE, "--dry-run", *words)
    assert ended.code == 2
    assert f"{words[0]}: a saved preview has decided that" in ended.stderr


def test_options_that_the_preview_was_made_with_are_those_of_the_run(tmp_path: Path) -> None:
    with _saved(tmp_path, "--set", "limits.in_flight=2") as desk:
        assert desk.cli("run", FILE, "--dry-run").code == 0
    assert json.loads((tmp_path / FILE).read_bytes())["set"] == {"limits.in_flight": "2"}


def test_a_file_that_was_changed_by_hand_is_refused(tmp_path: Path) -> None:
    with _saved(tmp_path) as desk:
        text = (tmp_path / FILE).read_text(encoding="utf-8")
        for old, new, said in (
            ("\\n", " ", "was changed by hand"),
            (OLD, OTHER, f"ran {OTHER}, runs {OLD}"),
            ('"simulated": false', '"simulated": 3', "is no saved preview that this version can read"),
            ("saved-preview/1", "saved-preview/2", "is no saved preview that this version can read"),
        ):
            (tmp_path / FILE).write_text(text.replace(old, new, 1), encoding="utf-8")
            ended = desk.cli("run", FILE, "--dry-run")
            assert ended.code == 2
            assert said in ended.stderr


def test_it_is_not_saved_offline_over_another_file_or_when_a_version_is_unknown(tmp_path: Path) -> None:
    with cloud_desk(tmp_path, 1, kind=DeskHere) as desk:
        text = desk.plan.read_text(encoding="utf-8")
        assert "goes not with --offline" in desk.cli("plan", "PLAN", "--offline", "--out", FILE).stderr
        assert "is no saved preview" in desk.cli("plan", "PLAN", "--out", desk.plan).stderr
        assert desk.plan.read_text(encoding="utf-8") == text
        unread = desk.cli("plan", "PLAN", "--out", FILE, environ={"HW_AUTH_TOKEN": "wrong"})
        assert unread.code == 7
        assert "is not written" in unread.stderr
    assert not (tmp_path / FILE).exists()


def test_other_verbs_say_what_the_file_is(tmp_path: Path) -> None:
    with _saved(tmp_path) as desk:
        assert "is a saved preview, which only `run` takes" in desk.cli("plan", FILE).stderr
        assert "is a saved preview, which only `run` takes" in desk.cli("status", FILE).stderr


def test_a_simulated_preview_runs_only_simulated(tmp_path: Path) -> None:
    with _saved(tmp_path, "--simulate") as desk:
        assert "--simulate: the preview was made with it" in desk.cli("run", FILE, "--dry-run").stderr
        assert desk.cli("run", FILE, "--dry-run", "--simulate").code == 0
