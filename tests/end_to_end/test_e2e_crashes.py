"""The process is killed at every named point, alone and with each way to lose an answer, and started until it is done.

The cloud's own books say then whether each upgrade began once, and the report whether it tells of each.
"""

import json
import os
import signal
from itertools import cycle, product

import pytest
from auditor.audit import audit
from fakes.e2e import IMPATIENT, Desk, NewCloud, expect_truth, sim_targets

from orchestrator.app.process.die_at_point import PATIENCE, VARIABLE
from orchestrator.executor.crash_points import Point
from orchestrator.simulator.profile import Fault, Latency, ScriptedFault
from orchestrator.simulator.profiles import HARSH

#: How often a run may be started before it must be done.
_STARTS = 5

#: Answers lost after the effect, before it, with an error after it, and with an effect that comes later.
_LOSSES: tuple[Fault, ...] = ("lost_answer", "lost_request", "error_after", "gateway_timeout", "silence")

#: Where an attempt and its doubt live: crossed with every loss here, and all points with `CRASH_MATRIX=full`.
_NEAR = (Point.INTENT_WRITTEN, Point.ANSWER_RECEIVED, Point.EVIDENCE_READ, Point.DOUBT_RESOLVED)
_FULL = os.environ.get("CRASH_MATRIX") == "full"
_CROSSED = tuple(Point) if _FULL else _NEAR

#: Each point is reached for the first or for the second time, in turn; every time with `CRASH_MATRIX=full`.
_TIMES = list(product(Point, (1, 2))) if _FULL else list(zip(Point, cycle((1, 2)), strict=False))


def _fleet(new_cloud: NewCloud, *faults: ScriptedFault, count: int = 3) -> Desk:
    desk = new_cloud(count, faults=faults)
    desk.write(**IMPATIENT)
    return desk


def _run_until_done(desk: Desk) -> int:
    """Start it again and again as cron does; a person settles what stays in doubt, by looking at the cloud."""
    for _ in range(_STARTS):
        code = desk.run().code
        if code not in (3, 5, 6):
            return code
        for proxy_id, outcome in desk.outcomes().items():
            if outcome == "in_doubt":
                _settle(desk, proxy_id)
        if code == 3:  # a canary in doubt has used up its budget
            assert desk.cli("release", "PLAN", "--note", "looked into").code == 0
    raise AssertionError(f"not done after {_STARTS} starts: {desk.outcomes()}")


def _settle(desk: Desk, proxy_id: str) -> None:
    began = desk.effective_starts()[proxy_id]
    decision = "succeeded" if began else "not_sent"
    ended = desk.cli("settle", "PLAN", proxy_id, "--outcome", decision, "--note", "seen in the console")
    assert ended.code == 0, ended.stderr


def _expect_all_upgraded_once(desk: Desk) -> None:
    expect_truth(desk)
    assert set(desk.outcomes().values()) == {"succeeded"}
    assert set(desk.effective_starts().values()) == {1}


@pytest.mark.slow
@pytest.mark.parametrize(("point", "nth"), _TIMES)
def test_killed_at_a_point_nothing_is_sent_twice_or_lost(new_cloud: NewCloud, point: Point, nth: int) -> None:
    desk = _fleet(
        new_cloud,
        ScriptedFault(call="upgrade", fault="lost_answer", nth=2),
        ScriptedFault(call="upgrade", fault="lost_request", nth=3),
    )
    ended = desk.run(environ={VARIABLE: f"{point}:{nth}"})
    assert ended.code == -signal.SIGKILL, f"{point} was not reached {nth} times"
    assert _run_until_done(desk) == 0
    _expect_all_upgraded_once(desk)


@pytest.mark.slow
@pytest.mark.parametrize("loss", _LOSSES)
@pytest.mark.parametrize("point", _CROSSED)
def test_killed_at_a_point_while_an_answer_is_lost(new_cloud: NewCloud, point: Point, loss: Fault) -> None:
    """The second upgrade call is the one whose answer is lost, and the process dies when its story gets there."""
    desk = _fleet(new_cloud, ScriptedFault(call="upgrade", fault=loss, nth=2), count=2)
    doubt = point in (Point.EVIDENCE_READ, Point.DOUBT_RESOLVED)
    ended = desk.run(environ={VARIABLE: f"{point}:{1 if doubt else 2}"})
    assert ended.code == -signal.SIGKILL, f"{point} was not reached"
    assert _run_until_done(desk) == 0
    _expect_all_upgraded_once(desk)


@pytest.mark.slow
@pytest.mark.parametrize("loss", _LOSSES)
def test_the_first_answer_of_all_is_lost(new_cloud: NewCloud, loss: Fault) -> None:
    """Nothing of ours was ever seen in a list, so absence proves nothing: what cannot be shown is left to a person."""
    desk = _fleet(new_cloud, ScriptedFault(call="upgrade", fault=loss, nth=1), count=2)
    code = desk.run().code
    (canary,) = (target for target in desk.report["targets"] if target["wave"] == "canary")
    expect_truth(desk)
    if desk.effective_starts()[canary["proxy_id"]]:
        assert code == 0
        assert canary["outcome"] == "succeeded"
        assert "version only, workflow_id not recovered" in canary["evidence"]
    else:
        assert code == 3, "a canary in doubt is a failure, and its wave may have none"
        assert canary["outcome"] == "in_doubt"
        assert len(canary["attempts"]) == 1
        assert _run_until_done(desk) == 0
    _expect_all_upgraded_once(desk)


@pytest.mark.slow
def test_killed_again_and_again(new_cloud: NewCloud) -> None:
    desk = _fleet(new_cloud, ScriptedFault(call="upgrade", fault="lost_answer", nth=3), count=4)
    for point in (Point.ANSWER_WRITTEN, Point.JOB_READ, Point.VERIFIED, Point.SLOT_TAKEN, Point.SETTLED):
        assert desk.run(environ={VARIABLE: f"{point}:1"}).code == -signal.SIGKILL
    assert _run_until_done(desk) == 0
    _expect_all_upgraded_once(desk)
    assert desk.report["run"]["sessions"] >= 6


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_in_a_harsh_world_whatever_is_told_is_true(new_cloud: NewCloud, seed: int) -> None:
    """Everything goes wrong at once, and the process dies too: little may be done in the end, but all is true."""
    rates = {group: dict(shares) for group, shares in HARSH.rates.items()}
    for unknown_to_the_books in ("foreign_instead", "two_accepted"):
        del rates["upgrade"][unknown_to_the_books]
    harsh = {"jobs": HARSH.jobs, "roles": HARSH.roles, "lists": HARSH.lists, "clock_skew_s": HARSH.clock_skew_s}
    desk = new_cloud(10, per_instance=2, seed=seed, rates=rates, latency=Latency(), **harsh)
    desk.write(
        http=IMPATIENT["http"],
        retry={**IMPATIENT["retry"], "busy_for": "2s"},
        follow={"timeout": "1500ms", "verify_for": "1s"},
    )
    for point in (Point.ANSWER_RECEIVED, Point.EVIDENCE_READ):
        code = desk.run(environ={VARIABLE: f"{point}:2"}).code
        assert code in (-signal.SIGKILL, 0, 1, 3, 6)
        if code == 3:
            desk.cli("release", "PLAN", "--note", "go on")
    assert desk.run().code in (0, 1, 3, 6)
    expect_truth(desk)


@pytest.mark.slow
@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_report_of_a_harsh_simulated_run_adds_up(desk: Desk, seed: str) -> None:
    """The embedded cloud as a user meets it, and a checker that reads journal and report, and nothing else."""
    desk.targets = sim_targets(40, per_instance=2)
    fast = {"http": IMPATIENT["http"], "limits": {"rate": "1000/s", "in_flight": 40}}
    desk.write(waves=[{"name": "all"}], follow=None, retry=None, **fast)
    ended = desk.run("--simulate", "--faults", "harsh", "--seed", seed, "--speed", "1000", "--log-level", "error")
    assert ended.code in (1, 6), ended
    (folder,) = (desk.state / "simulated" / "prod" / "runs").iterdir()
    assert audit(folder) == []
    records = [json.loads(line) for line in (folder / "journal.ndjson").read_bytes().splitlines()]
    assert {"answer_seen", "doubt_looked", "settled"} <= {record["record"] for record in records}
    assert len({record["target"] for record in records if record["record"] == "intent"}) > 20


@pytest.mark.slow
@pytest.mark.parametrize("point", [Point.INTENT_WRITTEN, Point.ANSWER_RECEIVED, Point.JOB_READ])
def test_an_exception_at_a_point_touches_one_target_and_is_told_with_its_place(
    new_cloud: NewCloud, point: Point
) -> None:
    desk = new_cloud(4)
    desk.write(waves=[{"name": "all"}], http={"timeout": "300ms"}, retry={"resend_after": "500ms"})
    ended = desk.run("--quiet", environ={VARIABLE: f"{point}:2:raise"})
    assert ended.code == 70
    (failed,) = [each for each in desk.report["targets"] if each["outcome"] != "succeeded"]
    assert failed["outcome"] == "in_doubt"
    told = f"target {failed['proxy_id']}: Injected at app/process/die_at_point.py:"
    assert any(line.startswith(f"orchestrator: internal error: {told}") for line in ended.messages)
    assert desk.report["run"]["errors"][0].startswith(told)
    assert told in desk.cli("status", "PLAN").stdout
    if point is not Point.INTENT_WRITTEN:
        (attempt,) = failed["attempts"]
        assert [entry["workflow_id"] for entry in attempt["update_result"]] == failed["workflow_ids"] != []
    assert _run_until_done(desk) == 0
    _expect_all_upgraded_once(desk)


@pytest.mark.slow
def test_a_session_that_stands_still_ends_itself_and_says_what_stood(new_cloud: NewCloud) -> None:
    """The lock is free then, so that the next start goes on and nobody waits for ever in silence."""
    desk = _fleet(new_cloud, count=2)
    ended = desk.run("--quiet", environ={VARIABLE: f"{Point.ANSWER_WRITTEN}:1:hang", PATIENCE: "5"})
    assert ended.code == 70
    assert any("the event loop stood still" in line for line in ended.messages)
    assert _run_until_done(desk) == 0
    _expect_all_upgraded_once(desk)
