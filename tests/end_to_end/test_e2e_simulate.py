"""The simulated cloud as its users meet it: beside a real run, with every kind of credentials, and embedded."""

import json
import os
import pty
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fakes.e2e import PROJECT, Desk, expect_truth

QUICKSTART = Path(__file__).parent.parent.parent / "plans" / "quickstart.yaml"


@contextmanager
def _simulating(desk: Desk, *words: str) -> Iterator[str]:
    """`simulate` in a process of its own, writing the plan; yields what it says about the token."""
    size = ("--instances", "2", "--proxies", "1", "--speed", "1000", "--write-plan", str(desk.plan))
    running = desk.start("simulate", *size, *words)
    assert running.process.stdout is not None
    assert running.process.stderr is not None
    desk.url = running.process.stdout.readline().strip()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", desk.url)
    note = "" if "--token" in words else running.process.stderr.readline().strip()
    try:
        yield note
    finally:
        running.signal(signal.SIGTERM)
        assert running.end(5).code == 0


@pytest.fixture
def patient(desk: Desk) -> Desk:
    """A plan with the default durations, which `--simulate` divides by the speed as it does the cloud's."""
    desk.write(follow=None, retry=None, http=None)
    return desk


@pytest.fixture
def bare(tmp_path: Path) -> Desk:
    return Desk(tmp_path, token="")


@pytest.mark.slow
def test_a_written_plan_runs_against_it_with_the_exported_token(bare: Desk) -> None:
    with _simulating(bare) as note:
        name, _, token = note.removeprefix("export ").partition("=")
        assert note == f"export {name}={token}"
        assert bare.cli("plan", "PLAN", environ={name: token}).code == 0
        assert bare.run(environ={name: token}).code == 0
        expect_truth(bare)
        assert token not in bare.plan.read_text().replace(note, "")


@pytest.mark.slow
def test_a_token_from_a_file_and_from_a_command(bare: Desk) -> None:
    with _simulating(bare, "--token", "fixed-token"):
        (bare.folder / "token").write_text("fixed-token\n")
        plan = bare.plan.read_text()
        bare.plan.write_text(re.sub(r"^auth:.*$", "auth: {token_file: token}", plan, flags=re.MULTILINE))
        assert bare.run("--max-duration", "1ms").code == 5
        bare.plan.write_text(
            re.sub(r"^auth:.*$", "auth: {token_command: [cat, token]}", plan, flags=re.MULTILINE),
        )
        assert bare.run().code == 0
        expect_truth(bare)


@pytest.mark.slow
def test_with_user_and_password(bare: Desk) -> None:
    with _simulating(bare, "--user", "ops", "--password", "pass word"):
        auth = "auth: {user: ops, domain: acme, password_env: THE_PASSWORD}"
        bare.plan.write_text(re.sub(r"^auth:.*$", auth, bare.plan.read_text(), flags=re.MULTILINE))
        wrong = bare.run(environ={"THE_PASSWORD": "wrong"})
        assert wrong.code == 7
        assert "wrong" not in wrong.stderr.replace("wrong user", "").replace("is wrong", "")
        assert bare.run(environ={"THE_PASSWORD": "pass word"}).code == 0
        expect_truth(bare)
        assert bare.books()["calls"]["tokens"] <= 3


@pytest.mark.slow
@pytest.mark.parametrize("named", [True, False], ids=["named", "from the chain"])
def test_with_access_keys(bare: Desk, named: bool) -> None:  # a parameter
    with _simulating(bare, "--access-key", "AKEXAMPLE", "--secret-key", "the-secret-key"):
        auth = "auth: {access_key_env: MY_AK, secret_key_env: MY_SK}" if named else ""
        bare.plan.write_text(re.sub(r"^auth:.*$", auth, bare.plan.read_text(), flags=re.MULTILINE))
        names = ("MY_AK", "MY_SK") if named else ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK")
        wrong = bare.run(environ={names[0]: "AKEXAMPLE", names[1]: "another"})
        assert wrong.code == 7
        assert bare.books()["refused_credentials"] <= 2
        assert bare.run(environ=dict(zip(names, ("AKEXAMPLE", "the-secret-key"), strict=True))).code == 0
        expect_truth(bare)


@pytest.mark.slow
def test_the_project_is_looked_up_from_the_region(bare: Desk) -> None:
    with _simulating(bare, "--token", "fixed-token", "--project-id", PROJECT):
        bare.plan.write_text(re.sub(r"^project_id:.*\n", "", bare.plan.read_text(), flags=re.MULTILINE))
        assert bare.run(environ={"HW_AUTH_TOKEN": "fixed-token"}).code == 0
        assert {target["project_id"] for target in expect_truth(bare)["targets"]} == {PROJECT}


def test_a_port_that_is_taken_and_a_plan_that_cannot_be_written(bare: Desk) -> None:
    with _simulating(bare):
        port = bare.url.rpartition(":")[2]
        ended = bare.cli("simulate", "--port", port)
        assert ended.code == 2
        assert port in ended.stderr
    ended = bare.cli("simulate", "--write-plan", bare.folder / "nowhere" / "plan.yaml")
    assert ended.code == 2
    assert "nowhere" in ended.stderr


# --- embedded ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_quick_start_shows_everything(bare: Desk) -> None:
    words = (QUICKSTART, "--simulate", "--speed", "2000")
    preview = bare.cli("plan", *words)
    assert preview.code == 0
    assert "nothing here is real" in preview.stdout
    ended = bare.cli("run", *words, "--set", "limits.rate=1000/s")
    assert ended.code == 1
    assert ended.stdout.startswith("SIMULATED")
    simulated = bare.state / "simulated" / "quickstart" / "latest" / "report.json"
    report = json.loads(simulated.read_text())
    assert report["run"]["simulated"] is True
    outcomes = report["totals"]["outcomes"]
    assert report["totals"]["targets"] >= 40
    assert outcomes["already"] >= 1
    assert outcomes["rejected"] >= 1
    assert outcomes["failed"] == 1
    assert sum(outcomes.values()) == report["totals"]["targets"]
    assert any(len(a["update_result"]) == 2 for target in report["targets"] for a in target["attempts"])
    assert not (bare.state / "quickstart").exists()
    text = bare.cli("report", QUICKSTART, "--simulate", "--format", "text")
    assert text.stdout.startswith("SIMULATED")
    assert bare.cli("status", QUICKSTART).code == 2, "a simulated run is no run of the fleet"


@pytest.mark.slow
def test_a_simulated_run_always_begins_anew(patient: Desk) -> None:
    words = ("run", "PLAN", "--simulate", "--speed", "600", "--faults", "none")
    first, second = patient.cli(*words), patient.cli(*words)
    assert (first.code, second.code) == (0, 0)
    runs = list((patient.state / "simulated" / "prod" / "runs").iterdir())
    assert len(runs) == 2
    assert all(json.loads((run / "report.json").read_text())["totals"]["upgrade_calls"] == 3 for run in runs)


def test_a_simulated_redo_that_meets_the_same_refusals_holds_nothing(bare: Desk) -> None:
    words = ("run", QUICKSTART, "--simulate", "--speed", "600", "--log-level", "error")
    first, redo = bare.cli(*words), bare.cli(*words, "--only-outcome", "rejected,failed")
    assert "--simulate --speed 600 --only-outcome" in first.stdout
    assert "--simulate --speed 600" in bare.cli("status", QUICKSTART, "--simulate").stdout
    assert (first.code, redo.code) == (1, 0), "what ends as before is no news"
    assert "HELD" not in redo.stderr


def test_what_the_simulation_sets_itself_is_no_change_of_the_plan(desk: Desk) -> None:
    waves = [{"name": "canary", "size": 1, "soak": "2m"}, {"name": "rest", "approve": True}]
    desk.write(waves=waves, follow=None, retry=None, http=None)
    assert desk.run("--simulate", "--speed", "600", "--faults", "none", "--quiet").code == 3
    shown = desk.cli("status", "PLAN", "--simulate").stdout
    assert "changed" not in shown
    assert "do: orchestrator release" in shown
    desk.write(waves=[{**waves[0], "soak": "3m"}, waves[1]], follow=None, retry=None, http=None)
    assert "waves: changed: canary" in desk.cli("status", "PLAN", "--simulate").stdout


@pytest.mark.slow
def test_the_same_simulated_run_goes_as_it_went_before(patient: Desk) -> None:
    # The same seed gives the same workflow_ids, which are no other run's: each simulated cloud is a new one.
    options = ("--simulate", "--faults", "none", "--speed", "5000", "--quiet")
    assert [patient.run(*options).code for _ in range(2)] == [0, 0]


def test_on_a_terminal_there_is_a_live_display(patient: Desk) -> None:
    master, slave = pty.openpty()
    words = ("run", "PLAN", "--simulate", "--speed", "600", "--faults", "none")
    running = patient.start(*words, stderr=slave, environ={"TERM": "xterm", "COLUMNS": "100"})
    os.close(slave)
    shown = _read_all(master)
    ended = running.end()
    assert ended.code == 0
    assert "canary" in shown
    assert "in flight" in shown
    assert "SIMULATED" in shown
    assert '"event"' not in shown


@pytest.mark.slow
@pytest.mark.parametrize("word", ["--no-progress", "--quiet"])
def test_the_display_can_be_turned_off(patient: Desk, word: str) -> None:
    master, slave = pty.openpty()
    words = ("run", "PLAN", "--simulate", "--speed", "600", "--faults", "none", word)
    running = patient.start(*words, stderr=slave, environ={"TERM": "xterm"})
    os.close(slave)
    shown = _read_all(master)
    assert running.end().code == 0
    assert "in flight" not in shown
    if word == "--quiet":
        assert shown == ""


@pytest.mark.slow
def test_a_closed_terminal_ends_the_session_in_good_order(patient: Desk) -> None:
    master, slave = pty.openpty()
    words = ("run", "PLAN", "--simulate", "--speed", "60", "--faults", "none")
    running = patient.start(*words, stdout=slave, stderr=slave, stdin=slave, start_new_session=True)
    os.close(slave)
    journal = patient.state / "simulated" / "prod" / "latest" / "journal.ndjson"
    patient.until(lambda: journal.exists() and b"answer_seen" in journal.read_bytes())
    os.close(master)
    running.signal(signal.SIGHUP)
    try:
        assert running.process.wait(5) == 5
    except subprocess.TimeoutExpired:
        running.process.kill()
        raise


def _read_all(master: int) -> str:
    parts = []
    try:
        while part := os.read(master, 65536):
            parts.append(part)
    except OSError:  # the other end is closed
        pass
    os.close(master)
    return b"".join(parts).decode()
