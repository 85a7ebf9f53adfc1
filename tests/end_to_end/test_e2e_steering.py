"""A person steers a fleet from another process: hold, release, settle, status; while it runs, before, and between."""

import json

import pytest
from fakes.e2e import IMPATIENT, Desk, NewCloud, expect_truth
from fakes.held_jobs import held
from fakes.here import DeskHere

from orchestrator.host import machine_name
from orchestrator.simulator.profile import JobFate, Lists, ScriptedFate, ScriptedFault, Timing

NOTE = ("--note", "incident 4711")


@pytest.fixture
def desk_kind() -> type[Desk]:
    """What a person says while a session runs needs no process of its own."""
    return DeskHere


def _held(new_cloud: NewCloud, count: int = 6) -> Desk:
    """One job after the other, and the first one ends when it is told to."""
    desk = new_cloud(count, fates=held())
    desk.write(waves=[{"name": "all"}], limits={"in_flight": 1})
    return desk


def _slow(new_cloud: NewCloud, count: int = 6, **profile: object) -> Desk:
    """Jobs of half a second and more, one after the other."""
    desk = new_cloud(count, timing=Timing(node_s=300.0, visible_s=(0.0, 1.0)), **profile)
    desk.write(waves=[{"name": "all"}], limits={"in_flight": 1})
    return desk


@pytest.mark.slow
def test_a_hold_stops_a_running_process(new_cloud: NewCloud) -> None:
    desk = _held(new_cloud)
    running = desk.start("run", "PLAN")
    desk.until_recorded("answer_seen")
    told = desk.cli("hold", "PLAN", *NOTE)
    desk.until_recorded("hold_set")
    sent = desk.books()["calls"]["upgrade"]
    desk.end_jobs()
    ended = running.end()
    assert told.code == 0
    assert "is held" in told.stdout
    assert ended.code == 3
    assert desk.books()["calls"]["upgrade"] == sent, "something was started after the hold"
    report = expect_truth(desk)
    assert report["run"]["state"] == "held"
    assert report["run"]["hold"]["by"] == "tester"
    assert report["run"]["hold"]["host"] == machine_name()
    assert report["run"]["hold"]["note"] == "incident 4711"
    assert "in_flight" not in report["totals"]["outcomes"], "what was open has been followed to its end"
    assert "incident 4711" in ended.stdout


@pytest.mark.slow
def test_a_release_lets_a_running_process_go_on(new_cloud: NewCloud) -> None:
    desk = _held(new_cloud, 3)
    running = desk.start("run", "PLAN")
    desk.until_recorded("answer_seen")
    desk.cli("hold", "PLAN", *NOTE)
    desk.cli("release", "PLAN", *NOTE)
    desk.until_recorded("hold_released")
    desk.end_jobs()
    assert running.end().code == 0
    assert desk.report["run"]["hold"] is None
    expect_truth(desk)


def test_limits_that_a_person_changes_hold_in_every_run_until_they_are_reset(new_cloud: NewCloud) -> None:
    desk = new_cloud(3)
    assert desk.cli("limit", "PLAN", *NOTE).code == 2
    assert "is there twice" in desk.cli("limit", "PLAN", "rate=1/s", "rate=2/s", *NOTE).stderr
    assert "the plan has" in desk.cli("limit", "PLAN", "concurrency=9999", *NOTE).stderr
    assert "in_flight=1, until" in desk.cli("limit", "PLAN", "in_flight=1", *NOTE).stdout
    for more in ((), ("--new",)):
        assert desk.run(*more).code == 0
        assert desk.report["limits"]["limits"] == {"in_flight": "1"}
    assert "limits: in_flight=1, changed at" in desk.cli("status", "PLAN").stdout
    assert desk.cli("limit", "PLAN", "--reset", *NOTE).code == 0
    assert desk.run("--new").code == 0
    assert "limits" not in desk.report


def test_a_hold_before_the_first_run(new_cloud: NewCloud) -> None:
    desk = new_cloud(2)
    assert desk.cli("hold", "PLAN", *NOTE).code == 0
    assert desk.run().code == 3
    assert "upgrade" not in desk.books()["calls"]
    assert desk.run().code == 3
    assert "incident 4711" in desk.cli("status", "PLAN").stdout
    assert desk.cli("release", "PLAN", *NOTE).code == 0
    assert desk.run().code == 0
    obeyed = [each["record"] for each in desk.records() if each["record"].startswith("hold_")]
    assert obeyed == ["hold_set", "hold_released"]  # each once, although every session reads the file of commands
    expect_truth(desk)


def test_a_hold_outlives_runs(new_cloud: NewCloud) -> None:
    desk = new_cloud(2)
    assert desk.run().code == 0
    desk.cli("hold", "PLAN", *NOTE)
    first = desk.report["run"]["run_id"]
    refused = desk.run()
    assert refused.code == 3
    assert "by tester@" in refused.stderr
    assert desk.run("--new").code == 3
    assert desk.report["run"]["run_id"] == first, "an empty run tells nothing"
    assert desk.cli("release", "PLAN", *NOTE).code == 0
    assert desk.run().code == 0
    assert desk.report["run"]["run_id"] > first


def test_a_wave_that_asks_for_approval_waits_for_it(new_cloud: NewCloud) -> None:
    desk = new_cloud(2)
    desk.write(waves=[{"name": "canary", "size": 1}, {"name": "rest", "approve": "true"}])
    ended = desk.run()
    assert ended.code == 3
    assert f"release {desk.named} rest" in ended.stdout
    assert desk.report["totals"]["outcomes"] == {"succeeded": 1, "waiting": 1}
    assert desk.cli("release", "PLAN", "nonsense", *NOTE).code == 2
    waiting = next(proxy_id for proxy_id, outcome in desk.outcomes().items() if outcome == "waiting")
    assert "waits for: approval of wave rest" in desk.cli("status", "PLAN", waiting).stdout
    assert desk.cli("release", "PLAN", "rest", *NOTE).code == 0
    approved = "the next start: wave rest approved by tester@"
    assert f"waits for: {approved}" in desk.cli("status", "PLAN", waiting).stdout
    told = desk.cli("status", "PLAN").stdout
    assert f"waits for: {approved}" in told
    assert "  rest: waiting, approved by tester" in told
    again = desk.cli("release", "PLAN", "rest", *NOTE)
    assert (again.code, "is already approved, by tester@" in again.stdout) == (0, True)
    assert desk.run().code == 0
    expect_truth(desk)


def test_an_approval_may_be_given_in_advance(new_cloud: NewCloud) -> None:
    desk = new_cloud(2)
    desk.write(waves=[{"name": "canary", "size": 1}, {"name": "rest", "approve": "true"}])
    assert desk.cli("release", "PLAN", "rest", *NOTE).code == 0
    assert desk.run().code == 0


def test_a_budget_that_is_used_up_holds_until_a_release(new_cloud: NewCloud) -> None:
    desk = new_cloud(3, fates=(ScriptedFate(fate=JobFate(end="failed")),))
    desk.write(waves=[{"name": "all"}], failures={"max": 0}, limits={"in_flight": 1})
    assert desk.run().code == 3
    report = expect_truth(desk)
    assert report["totals"]["outcomes"] == {"failed": 1, "waiting": 2}
    assert report["run"]["hold"]["cause"] == "failures"
    assert len(report["run"]["hold"]["proxy_ids"]) == 1
    assert desk.run().code == 3
    assert desk.cli("release", "PLAN", *NOTE).code == 0
    assert desk.run().code == 3
    assert desk.report["totals"]["outcomes"] == {"failed": 2, "waiting": 1}


@pytest.mark.parametrize("decision", ["succeeded", "failed", "not_sent"])
def test_a_person_settles_what_stays_in_doubt(new_cloud: NewCloud, decision: str) -> None:
    doubtful, other = f"{0:032x}po01", f"{1:032x}po01"
    lost = ScriptedFault(call="upgrade", fault="lost_request", proxy_id=doubtful)
    desk = new_cloud(2, faults=(lost,), lists=Lists(jobs_hidden=1.0))
    desk.write(waves=[{"name": "all"}], **IMPATIENT)
    assert desk.run().code == 6
    assert desk.outcomes() == {doubtful: "in_doubt", other: "succeeded"}
    standing = desk.cli("status", "PLAN").stdout
    assert "need a person" in standing
    assert doubtful in standing
    ended = desk.cli("settle", "PLAN", doubtful, "--outcome", decision, "--note", "seen in the console")
    assert ended.code == 0
    standing = desk.cli("status", "PLAN").stdout
    assert "need a person" not in standing
    assert desk.outcomes()[doubtful] == ("waiting" if decision == "not_sent" else decision)
    assert desk.cli("settle", "PLAN", doubtful, "--outcome", "failed", "--note", "again").code == 2
    code = desk.run().code
    target = expect_truth(desk)["targets"][0]
    if decision == "not_sent":
        assert (code, target["outcome"], len(target["attempts"])) == (0, "succeeded", 2)
    else:
        assert (code, target["outcome"]) == (0 if decision == "succeeded" else 1, decision)
        assert (target["settled_by"], target["settled_host"]) == ("tester", machine_name())
    assert "seen in the console" in desk.cli("status", "PLAN", doubtful).stdout


@pytest.mark.slow
def test_a_person_settles_a_target_of_a_running_process(new_cloud: NewCloud) -> None:
    desk = new_cloud(2, fates=(ScriptedFate(fate=JobFate(end="hangs")),))
    desk.write(waves=[{"name": "all"}], limits={"in_flight": 2})
    running = desk.start("run", "PLAN")
    desk.until_recorded("answer_seen", count=2)
    for proxy, decision in zip(desk.targets, ("failed", "succeeded"), strict=True):
        assert desk.cli("settle", "PLAN", proxy.proxy_id, "--outcome", decision, "--note", "x").code == 0
    assert running.end().code == 1
    assert list(desk.outcomes().values()) == ["failed", "succeeded"]


def test_what_cannot_be_settled(new_cloud: NewCloud) -> None:
    desk = new_cloud(2, fates=(ScriptedFate(fate=JobFate(end="hangs")),))
    desk.write(waves=[{"name": "all"}], limits={"in_flight": 1}, follow={"timeout": "1s"})
    first = desk.targets[0].proxy_id
    before = desk.cli("settle", "PLAN", first, "--outcome", "failed", "--note", "x")
    assert before.code == 2
    assert desk.run().code == 6
    by_outcome = {outcome: proxy_id for proxy_id, outcome in desk.outcomes().items()}
    assert set(by_outcome) == {"timed_out", "waiting"}
    for proxy_id, decision, words in (
        (by_outcome["waiting"], "failed", "not open: it is waiting"),
        (by_outcome["timed_out"], "not_sent", "has the workflow_id"),
        ("f" * 32 + "po01", "failed", "is no target of run"),
    ):
        ended = desk.cli("settle", "PLAN", proxy_id, "--outcome", decision, "--note", "x")
        assert ended.code == 2
        assert words in ended.stderr
    assert desk.cli("settle", "PLAN", first, "--outcome", "rejected", "--note", "x").code == 2
    assert desk.cli("settle", "PLAN", first, "--outcome", "failed").code == 2
    assert desk.cli("status", "PLAN", "f" * 32 + "po01").code == 2


def test_readers_before_any_run(desk: Desk) -> None:
    for verb in ("status", "report"):
        ended = desk.cli(verb, "PLAN")
        assert ended.code == 2
        assert "no trace of any run" in ended.stderr
    assert not desk.state.exists(), "a reader writes nothing"


@pytest.mark.slow
def test_readers_beside_a_running_process(new_cloud: NewCloud) -> None:
    """Whatever instant they meet, what they print is whole."""
    desk = _slow(new_cloud, 4)
    running = desk.start("run", "PLAN")
    desk.until_recorded("session_started")
    while running.process.poll() is None:
        assert desk.cli("status", "PLAN").code == 0
        report = json.loads(desk.cli("report", "PLAN").stdout)
        assert sum(report["totals"]["outcomes"].values()) == 4
        running.process.poll()
        if report["totals"]["outcomes"].get("succeeded", 0) >= 2:
            break
    running.signal()
    assert running.end().code in (0, 5)


def test_a_held_fleet_ends_with_0_for_a_launcher_that_is_told_so(new_cloud: NewCloud) -> None:
    desk = new_cloud(2)
    assert desk.cli("hold", "PLAN", "--note", "incident").code == 0
    ended = desk.run("--success-codes", "3,4,5")
    assert ended.code == 0
    assert "held" in ended.stdout
    assert desk.report["run"]["exit_code"] == 3
    assert desk.run().code == 3
