"""The whole way of a fleet: run, report, and what is printed where."""

import csv
import io
import json
import re
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from fakes.e2e import NEW, Desk, NewCloud, cloud_desk, expect_truth
from fakes.processes import Ended

from orchestrator.simulator.profile import JobFate, ScriptedFate, ScriptedFault

REJECT = "Upgrade failed due to insufficient subnet ip"
ALREADY = f"{0:032x}po01"
FAILS = f"{1:032x}po01"
REJECTED = f"{2:032x}po01"
BOTH = f"{3:032x}po01"
REFUSED = f"{4:032x}po01"

MIXED: dict[str, Any] = {
    "faults": (
        ScriptedFault(call="upgrade", fault="rejected", proxy_id=REJECTED),
        ScriptedFault(call="upgrade", fault="accept_and_reject", proxy_id=BOTH),
        ScriptedFault(call="upgrade", fault="refused", proxy_id=REFUSED),
    ),
    "fates": (ScriptedFate(fate=JobFate(end="failed", fail_reason="no capacity left"), proxy_id=FAILS),),
}


@pytest.fixture
def mixed(new_cloud: NewCloud) -> Desk:
    """A fleet in which everything happens."""
    desk = new_cloud(7, already=1, **MIXED)
    desk.write(waves=[{"name": "all"}])
    return desk


@dataclass(frozen=True)
class Day:
    """A mixed run that has ended, for tests that only look."""

    desk: Desk
    ended: Ended
    log: Path
    copy: Path


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    folder = tmp_path_factory.mktemp("day")
    log, copy = folder / "run.log", folder / "copy.json"
    with cloud_desk(folder, 7, already=1, **MIXED) as desk:
        desk.write(waves=[{"name": "all"}])
        ended = desk.run("--log-file", log, "--log-level", "debug", "--report", copy)
        yield Day(desk, ended, log, copy)


def test_a_fleet_without_trouble_succeeds(new_cloud: NewCloud) -> None:
    desk = new_cloud(3)
    assert desk.run().code == 0
    assert Counter(desk.outcomes().values()) == {"succeeded": 3}
    report = expect_truth(desk)
    assert report["run"]["state"] == "completed"
    assert report["run"]["exit_code"] == 0
    assert [wave["state"] for wave in report["waves"]] == ["done", "done"]
    assert report["totals"]["calls"] == sum(desk.books()["calls"].values())
    assert set(desk.effective_starts().values()) == {1}


def test_the_report_of_a_mixed_run_is_true_and_fits_its_schema(day: Day) -> None:
    assert day.ended.code == 1
    report = expect_truth(day.desk)
    schema = json.loads(day.desk.cli("schema", "report").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(report, schema, format_checker=jsonschema.FormatChecker())
    assert report["totals"]["outcomes"] == {"succeeded": 3, "already": 1, "rejected": 2, "failed": 1}
    assert [target["proxy_id"] for target in report["targets"]] == [each.proxy_id for each in day.desk.targets]
    found = {target["proxy_id"]: target for target in report["targets"]}
    assert found[FAILS]["outcome"] == "failed"
    assert found[FAILS]["job"]["fail_reason"] == "no capacity left"
    assert found[ALREADY]["attempts"] == []
    assert found[REFUSED]["attempts"][0]["error_code"].startswith("DBS.")
    assert found[REFUSED]["attempts"][0]["error_msg"] == found[REFUSED]["reason"]


def test_reject_reasons_are_counted_word_for_word(day: Day) -> None:
    report = day.desk.report
    counted = {
        (text, each["error_code"]): each["proxy_ids"] for each in report["reject_reasons"] for text in each["reasons"]
    }
    said: dict[tuple[str, str | None], list[str]] = {}
    for target in report["targets"]:
        for attempt in target["attempts"]:
            reasons = [(e["error_message"], None) for e in attempt["update_result"] if e["state"] == "REJECT"]
            if attempt["error_code"]:
                reasons.append((attempt["error_msg"], attempt["error_code"]))
            for reason in reasons:
                said.setdefault(reason, []).append(target["proxy_id"])
    assert counted == said
    assert (REJECT, None) in counted


def test_the_official_example_is_reported_entry_by_entry(day: Day) -> None:
    """One answer with ACCEPT and REJECT: verified afterwards, it is a success; the reason is reported either way."""
    target = next(target for target in day.desk.report["targets"] if target["proxy_id"] == BOTH)
    accepted, rejected = target["attempts"][0]["update_result"]
    assert (accepted["state"], accepted["error_message"]) == ("ACCEPT", None)
    assert (rejected["state"], rejected["error_message"]) == ("REJECT", REJECT)
    assert accepted["workflow_id"] != rejected["workflow_id"]
    assert target["workflow_ids"] == [accepted["workflow_id"]]
    assert target["outcome"] == "succeeded"


@pytest.mark.parametrize("to", ["accepted", "completed"])
def test_accept_and_reject_without_verification_is_partial(new_cloud: NewCloud, to: str) -> None:
    desk = new_cloud(2, faults=(ScriptedFault(call="upgrade", fault="accept_and_reject", times=9),))
    desk.write(follow={"to": to}, limits=None, failures=None)
    assert desk.run("--set", "limits.rate=200/s").code == 1
    assert set(desk.outcomes().values()) == {"partial"}
    expect_truth(desk)


# --- what is printed where --------------------------------------------------------------------------------------------


def test_data_goes_to_stdout_and_logs_as_json_to_stderr(mixed: Desk) -> None:
    ended = mixed.run()
    assert ended.messages == []
    assert {line["event"] for line in ended.logs} >= {"session.started", "attempt.answered", "target.settled"}
    assert {line["run_id"] for line in ended.logs} == {mixed.report["run"]["run_id"]}
    assert str(mixed.run_folder / "report.json") in ended.stdout
    assert REJECT in ended.stdout
    assert "{" not in ended.stdout


def test_quiet_says_nothing_when_all_is_well(new_cloud: NewCloud) -> None:
    ended = new_cloud(1).run("--quiet")
    assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")


def test_quiet_still_tells_of_failures(mixed: Desk) -> None:
    ended = mixed.run("--quiet")
    assert ended.code == 1
    assert "rejected" in ended.stdout


def test_logs_go_to_a_file_in_place_of_stderr(day: Day) -> None:
    assert day.ended.stderr == ""
    events = {json.loads(line)["event"] for line in day.log.read_text().splitlines()}
    assert {"attempt.intended", "job.seen"} <= events
    assert stat.S_IMODE(day.log.stat().st_mode) == 0o600


def test_no_secret_is_anywhere(day: Day) -> None:
    files = {path: path.read_bytes() for path in day.desk.folder.rglob("*") if path.is_file()}
    assert [path for path, content in files.items() if day.desk.token.encode() in content] == []
    assert day.desk.token not in day.ended.stdout


def test_state_is_private(day: Day) -> None:
    paths = [day.desk.state, *day.desk.state.rglob("*")]
    modes = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in paths}
    assert modes == {(True, 0o700), (False, 0o600)}


def test_the_report_is_copied_and_printed_in_three_forms(day: Day, tmp_path: Path) -> None:
    desk = day.desk
    assert json.loads(day.copy.read_text()) == desk.report
    assert json.loads(desk.cli("report", "PLAN").stdout) == desk.report
    table = desk.cli("report", "PLAN", "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(table)))
    assert {row["proxy_id"]: row["outcome"] for row in rows} == desk.outcomes()
    text = desk.cli("report", "PLAN", "--format", "text").stdout
    assert REJECT in text
    assert FAILS in text
    written, run_id = tmp_path / "out.csv", desk.report["run"]["run_id"]
    ended = desk.cli("report", "PLAN", "--run", run_id, "--format", "csv", "--output", written)
    assert (ended.code, ended.stdout) == (0, "")
    assert written.read_text() == table


def test_status_tells_the_run_and_the_story_of_each_proxy(day: Day) -> None:
    standing = day.desk.cli("status", "PLAN")
    assert standing.code == 0
    assert "completed" in standing.stdout
    assert REJECT in standing.stdout
    story = day.desk.cli("status", "PLAN", FAILS).stdout
    assert story.index("now: failed") < story.index(" is sent: ") < story.index(": Failed at ")
    assert "no capacity left" in story


# --- the run after it -------------------------------------------------------------------------------------------------


def test_the_next_run_leaves_out_what_failed_and_has_nothing_to_do(mixed: Desk) -> None:
    mixed.run()
    first_report, calls = mixed.report, mixed.books()["calls"]["upgrade"]
    first = first_report["run"]["run_id"]
    second = mixed.run()
    assert second.code == 0
    report = mixed.report
    assert report["run"]["run_id"] > first
    assert f"4 of 7 run {NEW}; 3 are not known to run it:" in second.stdout
    assert all(target["proxy_id"] in second.stdout for target in report["targets"] if target["outcome"] == "skipped")
    assert second.stdout.splitlines()[-1].endswith(f"run {mixed.named} --only-outcome rejected,failed")
    assert mixed.books()["calls"]["upgrade"] == calls
    assert report["totals"]["outcomes"] == {"already": 4, "skipped": 3}
    assert {target["reason"] for target in report["targets"] if target["outcome"] == "skipped"} == {"failed_before"}
    then = {target["proxy_id"]: target for target in first_report["targets"]}
    for target in report["targets"]:
        before = then[target["proxy_id"]]
        told = {name: before[name] for name in ("outcome", "reason", "workflow_ids")}
        assert target["earlier"] == ({"run_id": first, **told} if target["outcome"] == "skipped" else None)
    old = json.loads(mixed.cli("report", "PLAN", "--run", first).stdout)
    assert old["totals"]["outcomes"] == {"succeeded": 3, "already": 1, "rejected": 2, "failed": 1}


def test_a_proxy_that_does_not_exist_is_named_with_its_place_in_the_plan(new_cloud: NewCloud) -> None:
    desk = new_cloud(2)
    unknown = {"instance_id": f"{9:032x}in07", "proxy_id": f"{9:032x}po01"}
    desk.write(proxies=[*desk.content()["proxies"], unknown])
    first = desk.run()
    assert first.code == 1
    lines = desk.plan.read_text(encoding="utf-8").splitlines()
    line = next(number for number, text in enumerate(lines, 1) if unknown["proxy_id"] in text)
    assert f"{desk.plan}:{line}:" in first.stdout
    assert "gone" in first.stdout
    assert "correct its ids" in first.stdout
    second = desk.run()
    assert (second.code, unknown["proxy_id"] in second.stdout) == (0, True)


def test_a_target_version_that_is_not_on_offer_is_named_with_its_place_in_the_plan(new_cloud: NewCloud) -> None:
    desk = new_cloud(1)
    desk.write(target_version="2.24.30.000")
    ended = desk.run()
    assert ended.code == 1
    lines = desk.plan.read_text(encoding="utf-8").splitlines()
    line = next(number for number, text in enumerate(lines, 1) if "target_version" in text)
    assert f"{desk.plan}:{line}:" in ended.stdout
    assert f"the newest version on offer is {NEW}" in ended.stdout


def test_a_pipe_gets_the_short_lines_of_a_terminal_when_it_asks_for_them(new_cloud: NewCloud) -> None:
    desk = new_cloud(2)
    ended = desk.run("--log-format", "lines")
    lines = ended.stderr.splitlines()
    assert lines
    assert all(re.match(r"\d\d:\d\d:\d\d  ", line) for line in lines), lines
    assert sum("succeeded" in line for line in lines) == 2
    assert json.loads(desk.run("--new").stderr.splitlines()[0])["event"], "without a word, a pipe is read by programs"


# --- files that a person names ----------------------------------------------------------------------------------------


def test_a_file_that_cannot_be_made_is_told_before_anything_starts(desk: Desk) -> None:
    for words in (("run", "PLAN", "--report", "nowhere/x.json"), ("report", "PLAN", "--output", "nowhere/x.json")):
        ended = desk.cli(*words)
        assert ended.code == 2
        assert f"there is no folder {desk.folder / 'nowhere'}" in ended.stderr
    assert desk.run("--report", desk.folder).code == 2
    assert not desk.state.exists()


def test_links_and_devices_are_written_into_and_never_replaced(day: Day, tmp_path: Path) -> None:
    printed = day.desk.cli("report", "PLAN", "--format", "csv").stdout
    assert day.desk.cli("report", "PLAN", "--format", "csv", "--output", "/dev/stdout").stdout == printed
    link, file = tmp_path / "link.csv", tmp_path / "file.csv"
    link.symlink_to(file)
    day.desk.cli("report", "PLAN", "--format", "csv", "--output", link)
    assert link.is_symlink()
    assert file.read_text() == printed
