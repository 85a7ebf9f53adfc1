"""What `status` says of a held fleet: its causes by name, and what is under way."""

from datetime import timedelta
from typing import Any

from fakes.clock import START
from fakes.stage import fold_all, plan_of, targets_of
from msgspec import structs

from orchestrator.app.status.held import held_lines
from orchestrator.app.status.outlook import look
from orchestrator.model.plan.plan import Wave
from orchestrator.model.plan.target import Facts, Target
from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import Outcome
from orchestrator.tracker.report.build import build_report

PLAN_WORDS = "'/plans/our fleet.yaml'"
PLAIN, MOVING, *MANY = targets_of(14)
NAMED = structs.replace(PLAIN, facts=Facts(name="payments-db"))
BEGUN = r.RunStarted(
    at=START,
    run_id="r",
    name="fleet",
    plan_sha256="0" * 64,
    target_version="2.24.03.000",
    orchestrator_version="1",
    targets=14,
    simulated=False,
    waves=("all",),
)
OPEN = (BEGUN, r.WaveOpened(at=START, wave="all"))


def failed(target: Target, why: str) -> tuple[r.Record, ...]:
    about: dict[str, Any] = {"at": START, "target": target.proxy_id, "attempt": 1}
    return (
        sent(target),
        r.WorkflowAdopted(**about, workflow_id=f"w-{target.proxy_id[30:32]}", evidence="its job"),
        r.Settled(**about, outcome=Outcome.FAILED, reason=why),
    )


def sent(target: Target) -> r.Record:
    return r.Intent(
        at=START, target=target.proxy_id, attempt=1, wave="all", token="t", source_version="1", target_version="2"
    )


def lines(*records: r.Record, hold: r.HoldSet) -> list[str]:
    plan = plan_of([NAMED, MOVING, *MANY], waves=(Wave(name="all"),))
    run = fold_all(plan, (*OPEN, *records, hold))
    told = build_report(run, plan).head.run.hold
    assert told is not None
    seen = look(plan, run, (), START, working=False)
    return list(held_lines(structs.replace(seen, now=START + timedelta(minutes=90)), told, PLAN_WORDS))


def test_reasons_that_differ_only_in_what_they_name_are_one_cause() -> None:
    many = [record for number, each in enumerate(MANY[:3]) for record in failed(each, f"{number} of 4 addresses free")]
    keys = tuple(each.proxy_id for each in (*MANY[:3], NAMED))
    hold = r.HoldSet(at=START, cause="failures", reason="4 failures", proxy_ids=keys)
    told = lines(*many, *failed(NAMED, "disk"), hold=hold)
    assert [line for line in told if " x " in line] == ["  3 x # of # addresses free", "  1 x disk"]


def test_a_held_fleet_names_its_cause_what_the_cloud_said_and_what_is_under_way() -> None:
    hold = r.HoldSet(at=START, cause="failures", reason="1 failure, 0 allowed", proxy_ids=(NAMED.proxy_id,))
    assert lines(*failed(NAMED, "no room on the host"), sent(MOVING), hold=hold) == [
        "HELD since 2026-03-01 22:00:00Z (1 h 30 min ago): 1 failure, 0 allowed",
        "  1 x no room on the host",
        f"    {NAMED.proxy_id} (payments-db) on instance {NAMED.instance_id}, workflow w-00, 2026-03-01 22:00:00Z",
        "  1 upgrade under way, followed by the next start; nothing starts, so it may stay held",
        f"  look: orchestrator status {PLAN_WORDS} {NAMED.proxy_id}",
    ]


def test_what_timed_out_or_stays_in_doubt_may_still_run_while_the_fleet_is_held() -> None:
    late = r.FollowTimedOut(at=START, target=MOVING.proxy_id, attempt=1, why="no end was seen")
    lost = r.AnswerSeen(at=START, target=NAMED.proxy_id, attempt=1, verdict="in_doubt")
    remains = r.DoubtRemains(at=START, target=NAMED.proxy_id, attempt=1, why="no trace")
    hold = r.HoldSet(at=START, cause="person", reason="incident", by="ann", host="desk")
    told = lines(sent(MOVING), late, sent(NAMED), lost, remains, hold=hold)
    assert told[1] == (
        "  1 upgrade timed out: no end was seen, so it may still run; "
        "1 attempt in doubt for good: nobody knows whether an upgrade runs; nothing starts, so it may stay held"
    )


def test_a_person_who_held_the_fleet_is_named_with_the_host() -> None:
    hold = r.HoldSet(at=START, cause="person", reason="incident", by="ann", host="desk", note="incident")
    assert lines(hold=hold) == [
        "HELD since 2026-03-01 22:00:00Z (1 h 30 min ago) by ann@desk: incident",
        "  nothing is under way; nothing starts, so it may stay held",
    ]


def test_of_many_causes_ten_are_named_and_the_others_counted() -> None:
    keys = tuple(target.proxy_id for target in MANY)
    told = lines(
        *(record for target in MANY for record in failed(target, "no room")),
        hold=r.HoldSet(at=START, cause="failures", reason="12 failures", proxy_ids=keys),
    )
    assert told[1] == "  12 x no room"
    assert [key for key in keys if any(key in line for line in told[2:12])] == list(keys[:10])
    assert told[12] == "    and 2 more, in the report"


def test_a_proxy_of_an_earlier_run_is_named_as_such() -> None:
    hold = r.HoldSet(at=START, cause="failures", reason="1 failure", proxy_ids=("gone",))
    assert lines(hold=hold)[1:3] == ["  1 x no reason is known", "    gone, of an earlier run"]


def test_what_came_after_the_hold_is_counted_beside_its_causes() -> None:
    hold = r.HoldSet(at=START, cause="failures", reason="1 failure, 0 allowed", proxy_ids=(NAMED.proxy_id,))
    told = lines(*failed(NAMED, "disk"), *failed(MOVING, "disk"), hold=hold)
    assert "  beside these, 1 more counts in the budgets by now" in told


def test_what_ended_as_before_is_said_to_count_in_no_budget() -> None:
    before = r.EarlierOutcome(
        at=START, target=MOVING.proxy_id, run_id="r0", outcome=Outcome.FAILED, reason="disk", workflow_ids=("w",)
    )
    hold = r.HoldSet(at=START, cause="failures", reason="1 failure, 0 allowed", proxy_ids=(NAMED.proxy_id,))
    told = lines(before, *failed(NAMED, "no room"), *failed(MOVING, "disk"), hold=hold)
    assert "  1 proxy ended as before when sent once more: in no budget" in told


def test_a_cause_of_an_earlier_run_is_told_with_that_run_and_not_as_of_this_one() -> None:
    before = r.EarlierOutcome(
        at=START, target=NAMED.proxy_id, run_id="r0", outcome=Outcome.FAILED, reason="disk", workflow_ids=("w-7",)
    )
    left_out = r.Settled(at=START, target=NAMED.proxy_id, outcome=Outcome.SKIPPED, reason="failed_before")
    hold = r.HoldSet(at=START, cause="failures", reason="1 failure, 0 allowed", proxy_ids=(NAMED.proxy_id,))
    told = lines(before, left_out, hold=hold)
    assert told[2] == f"    {NAMED.proxy_id} (payments-db) on instance {NAMED.instance_id}, workflow w-7, in run r0"


def test_what_timed_out_and_succeeded_since_is_told_as_both() -> None:
    three = MANY[:3]
    late = [
        record
        for each in three
        for record in (
            sent(each),
            r.WorkflowAdopted(at=START, target=each.proxy_id, attempt=1, workflow_id=each.proxy_id, evidence="its job"),
            r.FollowTimedOut(at=START, target=each.proxy_id, attempt=1, why=f"job {each.proxy_id} is Running"),
        )
    ]
    keys = tuple(each.proxy_id for each in three)
    hold = r.HoldSet(at=START, cause="failures", reason="3 failures", proxy_ids=keys)
    done = [r.Settled(at=START, target=key, attempt=1, outcome=Outcome.SUCCEEDED) for key in keys]
    told = lines(*late, *done, hold=hold)
    assert [line for line in told if " x " in line] == ["  3 x timed out: job is Running; since then succeeded"]
    told = lines(*late, hold=hold)
    assert [line for line in told if " x " in line] == ["  3 x job is Running"]
