"""`report --compare`: two runs of one fleet, as the command line reads them from a state folder."""

import json
import shutil
from pathlib import Path

import pytest
from fakes.here import DeskHere

from orchestrator.errors import ExitCode

KEPT = Path(__file__).parents[2] / "data" / "kept_state"
ENDED, UNFINISHED = "20251127T023644374Z-e7615b", "20251127T023658946Z-f2d069"


@pytest.fixture
def desk(tmp_path: Path) -> DeskHere:
    shutil.copytree(KEPT, tmp_path, dirs_exist_ok=True, symlinks=True)
    for path in (tmp_path, *tmp_path.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o700 if path.is_dir() else 0o600)
    return DeskHere(tmp_path)


def test_the_earlier_run_comes_first_whichever_is_named(desk: DeskHere) -> None:
    one = desk.cli("report", "PLAN", "--compare", ENDED)
    other = desk.cli("report", "PLAN", "--run", ENDED, "--compare", UNFINISHED)
    assert one.code == other.code == ExitCode.DONE, one.stderr
    assert one.stdout == other.stdout
    found = json.loads(one.stdout)
    assert (found["earlier"]["run_id"], found["later"]["run_id"]) == (ENDED, UNFINISHED)
    assert {(each["earlier"], each["later"]): each["proxies"] for each in found["steps"]} == {
        ("succeeded", "already"): 2,
        ("rejected", "skipped"): 1,
    }
    assert [each["kind"] for each in found["changes"]] == ["not_ended"], "the later run left it out, and saw no end"
    assert found["only_later"]["outcomes"] == {"waiting": 1, "in_flight": 2}
    assert [(each["seen"], each["earlier"]) for each in found["rejects"]] == [("gone", 1)]


def test_it_is_a_page_and_a_text_and_goes_into_a_file(desk: DeskHere) -> None:
    page = desk.folder / "compared.html"
    assert desk.cli("report", "PLAN", "--compare", ENDED, "--format", "html", "--output", page).code == ExitCode.DONE
    assert page.read_text().startswith("<!doctype html>")
    lines = desk.cli("report", "PLAN", "--compare", ENDED, "--format", "text").stdout.splitlines()
    compared = "of 3 proxies in both runs, 1 without an end in one of them, 2 ended well in both"
    assert lines[0].startswith(f"prod: Neither better nor worse: {compared}")
    assert lines[-1].endswith(f"orchestrator report {desk.named} --run {UNFINISHED} --format text")


def test_what_cannot_be_compared_is_answered_with_what_to_do(desk: DeskHere) -> None:
    unknown = desk.cli("report", "PLAN", "--compare", "20251127T000000000Z-aaaaaa")
    itself = desk.cli("report", "PLAN", "--compare", UNFINISHED)
    table = desk.cli("report", "PLAN", "--compare", ENDED, "--format", "csv")
    assert unknown.code == itself.code == table.code == ExitCode.USAGE
    assert "prod has no run 20251127T000000000Z-aaaaaa" in unknown.stderr
    assert f"orchestrator runs {desk.named}" in unknown.stderr
    assert "with itself" in itself.stderr
    assert "use json, text, html" in table.stderr


def test_a_run_of_another_fleet_is_told_from_an_unknown_one(desk: DeskHere) -> None:
    theirs = "20251127T010000000Z-bbbbbb"
    shutil.copytree(desk.fleet, desk.state / "other", symlinks=True)
    (desk.state / "other" / "runs" / ENDED).rename(desk.state / "other" / "runs" / theirs)
    answer = desk.cli("report", "PLAN", "--compare", theirs)
    assert answer.code == ExitCode.USAGE
    assert f"run {theirs} is one of fleet other, not of prod" in answer.stderr


def test_a_damaged_run_is_named_with_what_to_do(desk: DeskHere) -> None:
    journal = desk.fleet / "runs" / ENDED / "journal.ndjson"
    journal.write_bytes(journal.read_bytes().replace(b"succeeded", b"Succeeded", 1))
    answer = desk.cli("report", "PLAN", "--compare", ENDED)
    assert answer.code == ExitCode.STATE_UNUSABLE
    assert f"run {ENDED} cannot be compared" in answer.stderr
    assert "compare another run, see: orchestrator runs" in answer.stderr
    assert answer.stdout == ""
