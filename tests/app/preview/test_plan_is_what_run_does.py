"""What the preview says is what the next run sends: after failures, with options, holds, and in an unfinished run."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes.e2e import SPEED, TIMING, TOKEN, Desk, sim_targets
from fakes.here import DeskHere

from orchestrator.host import machine_name
from orchestrator.simulator.config import SimulatorConfig
from orchestrator.simulator.embedded import embedded_cloud
from orchestrator.simulator.profile import JobFate, Profile, ScriptedFate, ScriptedFault
from orchestrator.tracker.folder.state_folder import FolderState

_LENIENT = {"max": "100%", "max_rejected": "100%", "mode": "soft"}


def _proxy(number: int) -> str:
    return f"{number:032x}po01"


@contextmanager
def _fleet(folder: Path, **changes: Any) -> Iterator[Desk]:
    """Seven proxies, of which one is there already: two fail, two are refused, each once."""
    targets = sim_targets(7, already=1)
    profile = Profile(
        timing=TIMING,
        faults=tuple(ScriptedFault(call="upgrade", fault="rejected", proxy_id=_proxy(number)) for number in (3, 4)),
        fates=tuple(ScriptedFate(fate=JobFate(end="failed"), proxy_id=_proxy(number)) for number in (5, 6)),
    )
    with embedded_cloud(SimulatorConfig(speed=SPEED, targets=targets, token=TOKEN, faults=profile)) as address:
        desk = DeskHere(folder, url=address.url, targets=targets)
        desk.write(failures=_LENIENT, waves=[{"name": "all"}], **changes)
        yield desk


def _said(desk: Desk, *options: str) -> dict[str, Any]:
    ended = desk.cli("run", "PLAN", "--dry-run", "--format", "json", *options)
    assert ended.stdout, ended.stderr
    said: dict[str, Any] = json.loads(ended.stdout)
    return said


def _sent(desk: Desk, *options: str) -> int:
    before = desk.books()["calls"].get("upgrade", 0)
    desk.run(*options)
    sent: int = desk.books()["calls"].get("upgrade", 0) - before
    return sent


def test_after_a_run_with_failures_the_preview_says_what_the_next_one_sends(tmp_path: Path) -> None:
    with _fleet(tmp_path) as desk:
        assert _said(desk)["starts"] == _sent(desk) == 6
        said = _said(desk)
        assert said["starts"] == said["sends"] == 0
        groups = {(each["outcome"], each["reason"], len(each["targets"])) for each in said["left_out"]}
        assert groups == {("already", "current", 3), ("skipped", "failed_before", 2)}
        assert len(said["left_out"]) == 3
        text = desk.cli("plan", "PLAN").stdout
        assert "to upgrade 0, left out 7 (4 failed before)" in text
        redo = f"orchestrator run {desk.named} --only-outcome rejected,failed"
        assert redo in text
        assert said["redo"] == redo
        assert said["calls"]["all"] == 6, "one alone, two for events, and one for each whose version the run reads"
        plan, run = desk.cli("plan", "PLAN"), desk.run()
        assert plan.code == run.code == 0, "what failed the night before is no news to either"
        assert (desk.report["totals"]["calls"], desk.report["totals"]["upgrade_calls"]) == (6, 0)
        again = _said(desk, "--only-outcome", "failed,rejected")
        assert again["starts"] == 4
        assert _sent(desk, "--only-outcome", "failed,rejected") == 4


def test_a_held_fleet_starts_nothing_before_its_release(tmp_path: Path) -> None:
    with _fleet(tmp_path) as desk:
        desk.cli("hold", "PLAN", "--note", "incident")
        assert desk.run().code == 3
        text = desk.cli("plan", "PLAN").stdout
        assert "held: incident; nothing starts before: orchestrator release" in text
        assert (_said(desk)["starts"], _said(desk)["sends"]) == (0, 6)
        assert _sent(desk) == 0
        desk.cli("release", "PLAN", "--note", "over")
        assert _said(desk)["starts"] == _sent(desk) == 6


def test_beside_a_process_at_work_the_preview_says_first_that_no_other_starts(tmp_path: Path) -> None:
    with _fleet(tmp_path) as desk:
        desk.cli("hold", "PLAN", "--note", "wait")
        assert desk.run().code == 3
        desk.cli("release", "PLAN", "--note", "over")
        kept, since = FolderState(desk.state).fleet("prod", writes=True), datetime(2026, 11, 27, 22, tzinfo=UTC)
        with kept.lock(since):
            said, text = _said(desk), desk.cli("plan", "PLAN").stdout
            assert desk.run().code == 4
        worker = f"process {os.getpid()} on {machine_name()}, since 2026-11-27T22:00:00Z"
        first, second = said["state"][:2]
        assert first == f"at work: {worker}; a start beside it starts nothing, and ends with 4"
        assert "has not ended: a start after that goes on with it" in second
        assert (said["starts"], said["sends"]) == (0, 6)
        assert text.splitlines()[1].strip() == first
        assert "next: orchestrator run" not in text
        assert _said(desk)["starts"] == _sent(desk) == 6


def test_what_waits_for_approval_is_said_not_to_start(tmp_path: Path) -> None:
    with _fleet(tmp_path) as desk:
        desk.write(
            failures=_LENIENT,
            waves=[{"name": "canary", "size": 1}, {"name": "rest", "approve": True}],
            exclude=[{"proxy_id": _proxy(number)} for number in (3, 4, 5, 6)],
        )
        assert (_said(desk)["starts"], _said(desk)["sends"]) == (1, 2)
        assert "to upgrade 2, 1 of them before wave rest is approved, left out" in desk.cli("plan", "PLAN").stdout
        assert _sent(desk) == 1
        said = _said(desk)
        assert any("has not ended: a start goes on with it" in line for line in said["state"])
        assert (said["starts"], said["sends"]) == (0, 1)
        text = desk.cli("plan", "PLAN").stdout
        assert f'nothing starts before: orchestrator release {desk.plan} --state {desk.state} rest --note "why"' in text
        assert text.count("waits for approval before it: orchestrator release ") == 1
        assert "to upgrade 1, none before wave rest is approved, left out" in text
        desk.cli("release", "PLAN", "rest", "--note", "fine")
        assert "waits for" not in desk.cli("plan", "PLAN", "--forecast").stdout
        assert _said(desk)["starts"] == _sent(desk) == 1


def test_the_numbers_are_those_of_the_limits_that_a_person_has_changed(tmp_path: Path) -> None:
    """Before the first run, in one that goes on, and after it."""
    with _fleet(tmp_path) as desk:
        desk.cli("limit", "PLAN", "in_flight=2", "rate=90/s", "per_window=6", "--note", "slow")
        _expect_limited(desk)
        desk.cli("hold", "PLAN", "--note", "wait")
        assert desk.run().code == 3
        desk.cli("release", "PLAN", "--note", "over")
        _expect_limited(desk)
        assert _sent(desk) == 6
        _expect_limited(desk)
        desk.cli("limit", "PLAN", "--reset", "--note", "well")
        assert (_said(desk)["in_flight"], _said(desk)["limits"]) == (10, None)


def _expect_limited(desk: Desk) -> None:
    said, text = _said(desk), desk.cli("plan", "PLAN", "--offline").stdout
    assert (said["in_flight"], said["per_window"], said["waves"][0]["in_flight"]) == (2, 6, 2)
    reset = f'orchestrator limit {desk.named} --reset --note "why"'
    words = r"rate=90/s in_flight=2 per_window=6, changed at \S+ \S+ by tester@\S+: slow; the plan's hold again after: "
    assert re.fullmatch(words + re.escape(reset), said["limits"])
    assert f"limits: {said['limits']}\nin_flight: 2\nper_window: 6" in text


def test_a_plan_that_was_changed_starts_nothing_without_new(tmp_path: Path) -> None:
    with _fleet(tmp_path) as desk:
        desk.cli("hold", "PLAN", "--note", "wait")
        assert desk.run().code == 3
        desk.cli("release", "PLAN", "--note", "over")
        desk.write(failures=_LENIENT, waves=[{"name": "one", "size": 1}, {"name": "rest"}])
        said = _said(desk)
        assert said["starts"] == 0
        assert any("the plan was changed since that run began: waves" in line for line in said["state"])
        assert _said(desk, "--new")["starts"] == 6


def test_a_freeze_starts_nothing_and_is_said_with_its_end(tmp_path: Path) -> None:
    with _fleet(tmp_path, freezes=[{"from": "2020-01-01", "to": "2090-01-01", "timezone": "UTC"}]) as desk:
        said = _said(desk)
        assert (said["starts"], said["sends"]) == (0, 6)
        assert said["state"][0].startswith(
            "nothing starts now; waits for: frozen; the freeze ends Mon 2090-01-02 00:00"
        )
        assert said["state"][0].endswith(
            f"do: nothing now; after that, orchestrator run {desk.plan} --state {desk.state}"
        )
        assert "to upgrade 6, none as things stand, left out" in desk.cli("plan", "PLAN").stdout
        assert _sent(desk) == 0
        assert "waits for: frozen" in _said(desk)["state"][1], "also in the run that has begun"


def test_a_gate_that_fails_lets_nothing_start_as_things_stand(tmp_path: Path) -> None:
    shut = {"name": "orders", "command": ["/bin/sh", "-c", "exit 1"]}
    with _fleet(tmp_path, gates=[shut]) as desk:
        said, text = _said(desk), desk.cli("plan", "PLAN").stdout
        assert (said["starts"], said["sends"]) == (0, 6)
        assert "to upgrade 6, none as things stand, left out" in text
        assert "starts: once gate orders opens, at any hour" in text
        assert "expected duration, once something may start: " in text
        assert _sent(desk, "--wait", "0s") == 0


def test_what_fails_again_in_the_same_way_is_said_to_count_in_no_budget(tmp_path: Path) -> None:
    again = "; what ends as in the run before counts in none"
    with _fleet(tmp_path) as desk:
        assert again not in desk.cli("plan", "PLAN").stdout
        assert desk.run().code == 1
        assert again not in desk.cli("plan", "PLAN").stdout
        assert again in desk.cli("plan", "PLAN", "--only-outcome", "failed,rejected").stdout
        assert again not in desk.cli("plan", "PLAN", "--only-outcome", "already").stdout


def test_a_window_that_opens_within_the_wait_is_waited_for(tmp_path: Path) -> None:
    opens = datetime.now(UTC) + timedelta(hours=2)
    window = {"from": f"{opens:%H:%M}", "to": f"{opens + timedelta(hours=1):%H:%M}", "timezone": "UTC"}
    with _fleet(tmp_path, windows=[window], fit=False) as desk:
        far, near = _said(desk), _said(desk, "--wait", "3h")
        assert (far["starts"], near["starts"]) == (0, 6)
        assert far["state"][0].startswith("nothing starts now; waits for: window opens ")
        assert near["state"][0].startswith("nothing starts yet, a start waits for: window opens ")
        before = _said(desk, "--wait", "3h", "--max-duration", "1h")
        assert before["starts"] == 0, "the session starts nothing any more when the window opens"


def test_a_run_in_which_only_a_person_moves_anything_is_said_to_be_stuck(tmp_path: Path) -> None:
    targets = sim_targets(3)
    stuck = Profile(timing=TIMING, fates=(ScriptedFate(fate=JobFate(end="hangs")),))
    with embedded_cloud(SimulatorConfig(speed=SPEED, targets=targets, token=TOKEN, faults=stuck)) as address:
        desk = DeskHere(tmp_path, url=address.url, targets=targets)
        desk.write(
            failures=_LENIENT,
            waves=[{"name": "all"}],
            limits={"in_flight": 1},
            follow={"timeout": "1s", "expected": "1s"},
        )
        assert desk.run().code == 6
        ended = desk.cli("plan", "PLAN", "--format", "json")
        said = json.loads(ended.stdout)
        assert (said["starts"], said["sends"]) == (0, 2)
        assert "nothing starts now; waits for: a person, to settle 1 target; do: " in said["state"][1]
        assert f"orchestrator settle {desk.plan} " in said["state"][1]
        assert (ended.code, said["audit"]["well"]) == (1, False)
        assert _sent(desk) == 0


def test_a_proxy_and_a_version_that_do_not_exist_are_named_with_their_place_and_bring_exit_code_1(
    tmp_path: Path,
) -> None:
    with _fleet(tmp_path) as desk:
        desk.write(waves=[{"name": "canary", "size": 1}, {"name": "rest"}], target_version="2.99.00.000")
        ended = desk.cli("plan", "PLAN")
        said = ended.stdout
        assert ended.code == 1
        assert re.search(r"warning: \S+prod.yaml:\d+:\d+: target_version 2.99.00.000 of 7 proxies: the newest", said)
        assert "-> did you mean the version on offer?" in said
        assert "targets where its size asks for" not in said, "that follows from it"
        missing, meant = _proxy(999), desk.targets[0].proxy_id
        desk.write(waves=[{"name": "all"}])
        desk.plan.write_text(desk.plan.read_text().replace(meant, missing))
        ended = desk.cli("plan", "PLAN")
        assert ended.code == 1
        said = ended.stdout
        assert re.search(
            rf"prod.yaml:\d+:\d+: proxy {missing} of instance \w+: the cloud knows no such proxy; did you mean {meant}",
            said,
        )


def test_plan_run_and_status_alike_say_what_was_probably_meant(tmp_path: Path) -> None:
    with _fleet(tmp_path) as desk:
        (first, second, *_), missing, nowhere = desk.targets, _proxy(999), f"9{1:031x}in07"
        rows = [
            {"instance_id": first.instance_id, "proxy_id": missing},
            {"instance_id": nowhere, "proxy_id": second.proxy_id},
            {"instance_id": second.instance_id, "proxy_id": _proxy(888)},
        ]
        desk.write(waves=[{"name": "all"}], proxies=rows)
        plan, run, status = desk.cli("plan", "PLAN"), desk.run(), desk.cli("status", "PLAN")
        assert (plan.code, run.code, status.code) == (1, 1, 0)
        for told in (plan.stdout, run.stdout, status.stdout):
            assert f"the cloud knows no such proxy; did you mean {first.proxy_id}, which its instance has?" in told
            meant = f"did you mean instance {second.instance_id}, of other proxies here?"
            assert f"the cloud knows no such instance; {meant} -> correct its ids" in told


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--until", "noon"), 2, "--until: expected HH:MM"),
        (("--until", "2020-01-01T00:00:00Z"), 2, "--until: 2020-01-01T00:00:00Z has passed, so nothing would start"),
        (("--max-duration", "soon"), 2, "--max-duration: expected a duration"),
        (("--max-duration", "0s"), 2, "--max-duration: 0s leaves no time"),
        (("--wait", "long"), 2, "--wait: expected a duration"),
        (("--report", "report.json"), 2, "argument --report: a dry run has none to write"),
        (("--only-outcome", "failed"), 2, "there is no earlier run"),
        (("--until", "2030-01-01T00:00:00Z"), 0, "nothing starts from 2030-01-01 00:00 UTC on"),
        (("--max-duration", "50m"), 0, "nothing starts when the session has lasted 50m"),
    ],
    ids=[
        "until",
        "until-passed",
        "max-duration",
        "no-duration",
        "wait",
        "report",
        "only-outcome",
        "until-said",
        "max-duration-said",
    ],
)
def test_a_dry_run_checks_and_says_what_the_options_of_a_run_ask_for(
    tmp_path: Path, options: tuple[str, ...], code: int, words: str
) -> None:
    desk = DeskHere(tmp_path, targets=sim_targets(3))
    desk.write()
    ended = desk.cli("run", "PLAN", "--dry-run", "--offline", *options)
    assert ended.code == code
    assert words in ended.stdout + ended.stderr


def test_plan_and_run_warn_of_a_plan_that_was_renamed(tmp_path: Path) -> None:
    with _fleet(tmp_path) as desk:
        desk.run()
        renamed = replace(desk, name="other")
        desk.plan.rename(renamed.plan)
        words = f"fleet prod has proxies of this plan, and its plan file {desk.plan} is gone; if this plan is that file"
        assert any(warning.startswith(words) for warning in _said(renamed)["warnings"])
        (told,) = [line for line in renamed.cli("run", "PLAN").logs if line["event"] == "plan.renamed"]
        assert told["why"].startswith(words)
        assert "plan.renamed" not in renamed.cli("run", "PLAN").stderr, "it has had a run of its own"
