"""The report: it adds up, says what the journal says, and nothing else."""

import json
from collections import Counter
from typing import Any

import jsonschema
import pytest
from fakes.plausible import PlausibleRun
from fakes.recorded import BEGIN, NEW, OLD, empty_run, make_plan, make_targets, run_started
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator.model.plan.plan import Limits
from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.part_record import USAGE
from orchestrator.model.record.record import Record
from orchestrator.model.reply.remedy import remedy_of
from orchestrator.model.reply.reply import Entry
from orchestrator.tracker.report.build import NotBegun, build_report
from orchestrator.tracker.report.json_form import report_chunks
from orchestrator.tracker.report.schema import report_schema

TARGETS = make_targets(3)
PLAN = make_plan(TARGETS)
A, B, C = (target.proxy_id for target in TARGETS)
SCHEMA = jsonschema.Draft202012Validator(report_schema())
ACCEPT = Entry(instance_id=TARGETS[0].instance_id, workflow_id="w1", state="ACCEPT")
REJECT = Entry(instance_id=TARGETS[0].instance_id, state="REJECT", error_message="insufficient subnet ip")


def told(*records: Record, exit_code: int | None = None) -> Any:
    run = empty_run(PLAN, TARGETS)
    for record in (run_started(3), *records):
        run.apply(record)
    report = json.loads(b"".join(report_chunks(build_report(run, PLAN, exit_code=exit_code))))
    SCHEMA.validate(report)
    return report


def intent(key: str, attempt: int = 1) -> r.Intent:
    return r.Intent(
        at=BEGIN, target=key, attempt=attempt, wave="canary", token="t", source_version=OLD, target_version=NEW
    )


def answer(key: str, verdict: r.Verdict, *entries: Entry, attempt: int = 1, **more: Any) -> r.AnswerSeen:
    return r.AnswerSeen(at=BEGIN, target=key, attempt=attempt, verdict=verdict, update_result=entries, **more)


def job(status: str, workflow: str = "w1", *, ended: bool = True, **more: Any) -> r.JobSeen:
    return r.JobSeen(at=BEGIN, target=A, workflow_id=workflow, status=status, ended=ended, **more)


def settled(key: str, outcome: Outcome, **more: Any) -> r.Settled:
    return r.Settled(at=BEGIN, target=key, outcome=outcome, wave="canary", **more)


# --- what holds for every run ----------------------------------------------------------------------------------------


@given(st.integers(0, 10_000), st.integers(0, 120))
def test_it_adds_up_and_follows_its_schema(seed: int, steps: int) -> None:
    live = PlausibleRun(seed).steps(steps)
    report = json.loads(b"".join(report_chunks(build_report(live.run, live.plan))))
    SCHEMA.validate(report)
    targets = report["targets"]
    assert [target["proxy_id"] for target in targets] == [target.proxy_id for target in live.targets]
    assert report["totals"]["outcomes"] == Counter(target["outcome"] for target in targets)
    assert report["totals"]["upgrade_calls"] == sum(len(target["attempts"]) for target in targets)
    for wave in report["waves"]:
        mine = [target for target in targets if target["wave"] == wave["name"]]
        assert wave["targets"] == len(mine)
        assert wave["outcomes"] == Counter(target["outcome"] for target in mine)


@given(st.integers(0, 10_000), st.integers(0, 120))
def test_every_entry_and_every_workflow_of_the_journal_is_in_it(seed: int, steps: int) -> None:
    live = PlausibleRun(seed).steps(steps)
    report = json.loads(b"".join(report_chunks(build_report(live.run, live.plan))))
    answers = [record for record in live.records if isinstance(record, r.AnswerSeen)]
    entries = [entry for target in report["targets"] for each in target["attempts"] for entry in each["update_result"]]
    assert len(entries) == sum(len(record.update_result) for record in answers)
    assert sorted(each["workflow_id"] for each in entries if each["workflow_id"]) == sorted(
        entry.workflow_id for record in answers for entry in record.update_result if entry.workflow_id
    )
    assert sum(each["count"] for each in report["reject_reasons"]) >= sum(each["state"] == "REJECT" for each in entries)
    ids = [each for target in report["targets"] for each in target["workflow_ids"]]
    assert sorted(ids) == sorted(live.run.workflows)


# --- the run ---------------------------------------------------------------------------------------------------------


def test_keys_stand_in_the_order_of_the_contract() -> None:
    report = told(intent(A), answer(A, "accepted", ACCEPT))
    assert list(report) == ["schema", "run", "totals", "reject_reasons", "waves", "scopes", "targets"]
    assert " ".join(report["run"]) == (
        "run_id name state hold exit_code simulated plan_sha256 target_version started_at ended_at sessions "
        "orchestrator_version errors warnings people as_of hosts"
    )
    assert list(report["totals"]) == ["targets", "outcomes", "not_read", "calls", "upgrade_calls", "throttled"]
    assert list(report["waves"][0]) == ["name", "targets", "state", "started_at", "ended_at", "outcomes"]
    assert (
        " ".join(report["scopes"][0])
        == "name region project_id calls rate_limit rate_attained throttled state reason until since asked_at"
    )
    assert " ".join(report["targets"][0]) == (
        "scope project_id instance_id proxy_id labels wave source_version target_version outcome reason settled_by "
        "settled_host workflow_ids attempts job verified_version evidence started_at settled_at facts earlier "
        "needs_person stuck_at"
    )
    assert " ".join(report["targets"][0]["attempts"][0]) == (
        "number at duration_ms http_status request_id error_code error_msg update_result verdict reason host"
    )


def test_a_fresh_run_claims_nothing() -> None:
    report = told()
    assert report["schema"] == "orchestrator.report/1"
    assert report["run"]["state"] == "unfinished"
    assert (report["run"]["exit_code"], report["run"]["ended_at"], report["run"]["sessions"]) == (None, None, 0)
    assert report["run"]["started_at"] == "2026-03-01T22:00:00Z"
    assert report["totals"]["outcomes"] == {"waiting": 3}
    target = report["targets"][0]
    assert (target["wave"], target["source_version"], target["started_at"], target["job"]) == (None, None, None, None)
    assert (target["outcome"], target["project_id"], target["attempts"], target["evidence"]) == (
        "waiting",
        "p-default",
        [],
        None,
    )


def test_a_run_without_a_first_record_has_no_report() -> None:
    with pytest.raises(NotBegun):
        build_report(empty_run(PLAN, TARGETS), PLAN)


def test_the_end_and_the_exit_code_of_the_journal_are_told() -> None:
    session = r.SessionStarted(at=BEGIN, number=1, pid=1, host="h", orchestrator_version="0.2.0")
    left = r.SessionEnded(at=BEGIN, exit_code=1, why="done")
    run = told(session, r.RunEnded(at=BEGIN), left)["run"]
    assert (run["state"], run["exit_code"], run["sessions"]) == ("completed", 1, 1)
    assert run["ended_at"] == "2026-03-01T22:00:00Z"
    assert run["orchestrator_version"] == "0.2.0"
    assert told(session, exit_code=5)["run"]["exit_code"] == 5


def test_a_hold_is_told_with_its_causes() -> None:
    hold = r.HoldSet(at=BEGIN, cause="failures", reason="2 failures, 1 allowed", wave="canary", proxy_ids=(B, A))
    report = told(r.WaveOpened(at=BEGIN, wave="canary"), hold)
    assert report["run"]["state"] == "held"
    assert report["run"]["hold"] == {
        "reason": "2 failures, 1 allowed",
        "cause": "failures",
        "at": "2026-03-01T22:00:00Z",
        "by": None,
        "host": None,
        "note": None,
        "wave": "canary",
        "scope": None,
        "proxy_ids": [B, A],
        "causes": [{"reason": None, "proxy_ids": [B, A]}],
    }
    assert [wave["state"] for wave in report["waves"]] == ["held", "waiting"]
    assert told(hold, r.HoldReleased(at=BEGIN, by="ann", note="fine"))["run"]["hold"] is None


def test_waves_go_from_waiting_to_done() -> None:
    opened = r.WaveOpened(at=BEGIN, wave="canary")
    soaking = r.WaveSoaking(at=BEGIN, wave="canary", until=BEGIN)
    done = r.WaveDone(at=BEGIN, wave="canary")
    story = (opened, soaking, done)
    states = [told(*story[:count])["waves"][0]["state"] for count in range(4)]
    assert states == ["waiting", "open", "soaking", "done"]
    assert told(*story)["waves"][0]["ended_at"] == "2026-03-01T22:00:00Z"


def test_a_hold_that_a_run_before_this_one_set_names_targets_that_this_one_does_not_have() -> None:
    hold = r.HoldSet(at=BEGIN, cause="failures", reason="1 failure, 0 allowed", proxy_ids=("gone", A))
    report = told(settled(A, Outcome.FAILED, reason="job w1 Failed"), hold)
    assert report["run"]["hold"]["causes"] == [
        {"reason": None, "proxy_ids": ["gone"]},
        {"reason": "job w1 Failed", "proxy_ids": [A]},
    ]


def test_a_hold_of_the_whole_fleet_holds_the_wave_that_is_open() -> None:
    hold = r.HoldSet(at=BEGIN, cause="person", reason="asked for", by="ann", note="wait")
    report = told(r.WaveOpened(at=BEGIN, wave="canary"), hold)
    assert [wave["state"] for wave in report["waves"]] == ["held", "waiting"]


def test_scopes_tell_how_much_they_were_used() -> None:
    used = r.ScopeUsed(at=BEGIN, scope="default", calls=30, throttled=2, rate_limit=4.0, seconds=10.0)
    scope = told(used, used)["scopes"][0]
    assert (scope["calls"], scope["throttled"]) == (60, 4)
    assert (scope["rate_limit"], scope["rate_attained"]) == (4.0, 3.0)
    totals = told(used)["totals"]
    assert (totals["calls"], totals["throttled"]) == (30, 2)


def session(number: int) -> r.SessionStarted:
    return r.SessionStarted(at=BEGIN, step="session", number=number, pid=1, host="h", orchestrator_version="0")


def test_calls_are_at_least_so_many_for_good_when_a_session_ended_without_counting_them() -> None:
    begun, ended = session(1), r.SessionEnded(at=BEGIN, step="session", exit_code=5, why="stopped")
    uncounted = r.PartFailed(at=BEGIN, step="session", part=USAGE, error="KeyError")
    stories: list[tuple[list[Record], bool]] = [
        ([], False),
        ([begun], True),
        ([begun, ended], False),
        ([begun, ended, session(2), ended], False),
        ([begun, session(2), ended], True),
        ([begun, session(2), ended, session(3), ended], True),
        ([begun, uncounted, ended], True),
    ]
    for story, least in stories:
        assert told(*story)["totals"].get("calls_at_least", False) == least, story


def test_a_rate_that_is_not_known_is_null() -> None:
    run = empty_run(PLAN, TARGETS)
    run.apply(run_started(3))
    head = build_report(run, replace(PLAN, limits=Limits(rate="auto"))).head
    assert (head.scopes[0].rate_limit, head.scopes[0].rate_attained) == (None, None)
    assert told()["scopes"][0]["rate_limit"] == 2.0


# --- targets ---------------------------------------------------------------------------------------------------------


def test_an_answer_with_acceptance_and_refusal_is_told_entry_by_entry() -> None:
    report = told(intent(A), answer(A, "partial", ACCEPT, REJECT, http_status=200, request_id="r1", duration_ms=41))
    target = report["targets"][0]
    assert target["workflow_ids"] == ["w1"]
    assert target["attempts"] == [
        {
            "number": 1,
            "at": "2026-03-01T22:00:00Z",
            "duration_ms": 41,
            "http_status": 200,
            "request_id": "r1",
            "error_code": None,
            "error_msg": None,
            "update_result": [
                {
                    "instance_id": TARGETS[0].instance_id,
                    "workflow_id": "w1",
                    "state": "ACCEPT",
                    "error_message": None,
                },
                {
                    "instance_id": TARGETS[0].instance_id,
                    "workflow_id": None,
                    "state": "REJECT",
                    "error_message": "insufficient subnet ip",
                },
            ],
            "verdict": "partial",
            "reason": None,
            "host": None,
        }
    ]
    assert reasons_of(report) == [counted("insufficient subnet ip", A)]


def reasons_of(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Without where their targets are, which `test_rejects` is about."""
    return [{name: value for name, value in each.items() if name != "where"} for each in report["reject_reasons"]]


def counted(text: str, *proxy_ids: str, error_code: str | None = None) -> dict[str, Any]:
    """A reason without numbers, as often as it has targets."""
    return {
        "reason": text,
        "signature": text,
        "reasons": [text],
        "error_code": error_code,
        "count": len(proxy_ids),
        "proxy_ids": list(proxy_ids),
        "upgraded": 0,
        "outcomes": {"in_flight": len(proxy_ids)},
        "first_seen": "2026-03-01T22:00:00Z",
        "met_before": False,
        "remedy": remedy_of(text, error_code),
        "in_common": [],
    }


def test_an_attempt_without_an_answer_says_so() -> None:
    report = told(intent(A), r.AnswerMissing(at=BEGIN, target=A, attempt=1))
    attempt = report["targets"][0]["attempts"][0]
    assert (attempt["duration_ms"], attempt["http_status"], attempt["update_result"]) == (None, None, [])
    assert report["targets"][0]["outcome"] == "in_doubt"


def test_reasons_are_counted_refusals_and_rejects_alike_the_most_frequent_first() -> None:
    report = told(
        intent(A),
        answer(A, "refused", error_code="DBS.1", error_msg="no such thing"),
        intent(B),
        answer(B, "rejected", REJECT),
        intent(C),
        answer(C, "rejected", REJECT),
    )
    assert reasons_of(report) == [
        counted("insufficient subnet ip", B, C),
        counted("no such thing", A, error_code="DBS.1"),
    ]


def test_reasons_that_differ_in_a_number_are_counted_as_one_with_all_their_texts() -> None:
    one, other = (Entry(state="REJECT", error_message=f"subnet: {free} free") for free in (1, 2))
    report = told(
        intent(A),
        answer(A, "rejected", one),
        intent(B),
        answer(B, "rejected", other),
        intent(C),
        answer(C, "rejected", other),
    )
    assert reasons_of(report) == [
        {
            **counted("subnet: 2 free", A, B, C),
            "signature": "subnet: # free",
            "reasons": ["subnet: 2 free", "subnet: 1 free"],
        }
    ]


def test_a_reason_says_how_many_of_its_targets_were_upgraded_all_the_same() -> None:
    report = told(
        intent(A),
        answer(A, "partial", ACCEPT, REJECT),
        r.Settled(at=BEGIN, target=A, attempt=1, outcome=Outcome.SUCCEEDED, wave="rest", verified_version=NEW),
        intent(B),
        answer(B, "rejected", REJECT),
        r.Settled(
            at=BEGIN, target=B, attempt=1, outcome=Outcome.REJECTED, wave="rest", reason="insufficient subnet ip"
        ),
    )
    assert report["totals"]["outcomes"]["rejected"] == 1
    outcomes = {"succeeded": 1, "rejected": 1}
    assert reasons_of(report) == [{**counted("insufficient subnet ip", A, B), "upgraded": 1, "outcomes": outcomes}]


@pytest.mark.parametrize(
    ("outcome", "version", "upgraded"),
    [
        (Outcome.SUCCEEDED, NEW, 1),
        (Outcome.SUCCEEDED, None, 0),
        (Outcome.ACCEPTED, None, 0),
        (Outcome.PARTIAL, None, 0),
        (Outcome.MISMATCH, OLD, 0),
    ],
)
def test_upgraded_all_the_same_is_who_was_seen_at_the_version(
    outcome: Outcome, version: str | None, upgraded: int
) -> None:
    settled = r.Settled(at=BEGIN, target=A, attempt=1, outcome=outcome, wave="rest", verified_version=version)
    (reason,) = told(intent(A), answer(A, "partial", ACCEPT, REJECT), settled)["reject_reasons"]
    assert (reason["upgraded"], reason["outcomes"]) == (upgraded, {outcome.value: 1})


def test_who_ended_well_without_a_look_at_the_version_is_counted_by_what_is_known_of_it() -> None:
    report = told(
        r.Settled(at=BEGIN, target=A, outcome=Outcome.ACCEPTED, wave="rest"),
        r.Settled(at=BEGIN, target=B, outcome=Outcome.SUCCEEDED, wave="rest"),
        r.Settled(at=BEGIN, target=C, outcome=Outcome.SUCCEEDED, wave="rest", settled_by="ann"),
    )
    assert report["totals"]["not_read"] == {"accepted": 1, "completed": 1, "settled": 1}


def test_no_answer_of_the_cloud_is_missing_in_a_row_that_ended_otherwise() -> None:
    mixed = answer(A, "partial", ACCEPT, REJECT)
    lines = intent(A), mixed
    assert told(*lines)["targets"][0]["reason"] == "the cloud said no: insufficient subnet ip"
    failed = settled(A, Outcome.FAILED, reason="job w1 Failed")
    (row, *_others) = told(*lines, failed)["targets"]
    assert row["reason"] == "job w1 Failed; the cloud also said no: insufficient subnet ip"


def test_each_of_several_noes_in_one_answer_stands_in_the_row() -> None:
    other = Entry(state="REJECT", error_message="quota")
    lines = intent(A), answer(A, "rejected", REJECT, other)
    (row, *_others) = told(*lines, settled(A, Outcome.REJECTED, reason="insufficient subnet ip"))["targets"]
    assert row["reason"] == "insufficient subnet ip; the cloud also said no: quota"


def test_a_target_that_was_refused_before_any_attempt_is_counted_too() -> None:
    report = told(settled(A, Outcome.REJECTED, reason="forbidden", error_code="DBS.2"))
    assert reasons_of(report) == [{**counted("forbidden", A, error_code="DBS.2"), "outcomes": {"rejected": 1}}]


@pytest.mark.parametrize(
    ("jobs", "status"),
    [
        ([job("Running", ended=False)], "Running"),
        ([job("Running", ended=False), job("Completed")], "Completed"),
        ([job("Failed", "w1", fail_reason="no space"), job("Completed", "w2")], "Failed"),
        ([job("Canceled", "w1"), job("Running", "w2", ended=False)], "Canceled"),
        ([job("Completed", "w1"), job("Running", "w2", ended=False)], "Running"),
    ],
)
def test_the_job_that_went_worst_is_told(jobs: list[r.JobSeen], status: str) -> None:
    target = told(intent(A), answer(A, "accepted", ACCEPT), *jobs)["targets"][0]
    assert target["job"]["status"] == status
    assert target["job"]["fail_reason"] == ("no space" if status == "Failed" else None)


def test_a_persons_decision_and_the_evidence_are_told() -> None:
    looked = r.DoubtLooked(at=BEGIN, target=A, finding="two jobs might be it")
    missing = r.AnswerMissing(at=BEGIN, target=A, attempt=1)
    target = told(intent(A), missing, looked, settled(A, Outcome.SUCCEEDED, settled_by="ann", host="desk"))["targets"][
        0
    ]
    assert (target["outcome"], target["settled_by"], target["settled_host"]) == ("succeeded", "ann", "desk")
    assert target["evidence"] == ["two jobs might be it"]


def test_the_version_that_was_read_is_the_source_version_also_without_an_attempt() -> None:
    read = r.PreflightDone(
        at=BEGIN, target=A, wave="canary", current_version=NEW, latest_version=None, can_upgrade=None
    )
    target = told(read, settled(A, Outcome.ALREADY, reason="current"))["targets"][0]
    assert (target["source_version"], target["outcome"], target["reason"]) == (NEW, "already", "current")
