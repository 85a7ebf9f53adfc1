"""What a person's commands turn into, for a target in every phase."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestrator.app.session.apply_command import carry_out, refusal
from orchestrator.model.plan.commands import Command, HoldCommand, ReleaseCommand, SettleCommand
from orchestrator.model.plan.plan import Failures
from orchestrator.model.plan.target import Target
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import (
    AnswerSeen,
    CommandIgnored,
    HoldReleased,
    HoldSet,
    Intent,
    ReturnedToWaiting,
    Settled,
    WaveApproved,
)
from orchestrator.model.reply.reply import Entry
from orchestrator.model.run.run import Run

NOW = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
PROXY = "0f46fc46396e4fb19a0cb52f578e9511po01"


def a_run(*, doubtful: bool = False, accepted: bool = False) -> Run:
    target = Target(scope="default", instance_id="517ea793ab91438cbfcd9c4b1c958b1ein07", proxy_id=PROXY)
    run = Run([target], waves=["canary"], scopes=["default"], failures=Failures())
    if doubtful or accepted:
        run.apply(
            Intent(
                at=NOW, target=PROXY, attempt=1, wave="canary", token="t", source_version="1.0", target_version="2.0"
            )
        )
    if accepted:
        entry = Entry(workflow_id="w1", state="ACCEPT")
        run.apply(AnswerSeen(at=NOW, target=PROXY, attempt=1, verdict="accepted", update_result=(entry,)))
    elif doubtful:
        run.apply(AnswerSeen(at=NOW, target=PROXY, attempt=1, verdict="in_doubt", reason="cut"))
    return run


def settle(outcome: str) -> SettleCommand:
    return SettleCommand(at=NOW, user="kim", host="desk", note="looked", proxy_id=PROXY, outcome=outcome)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        (HoldCommand(at=NOW, user="kim", note="incident"), HoldSet),
        (ReleaseCommand(at=NOW, user="kim", note="over"), HoldReleased),
        (ReleaseCommand(at=NOW, user="kim", note="fine", wave="canary"), WaveApproved),
        (ReleaseCommand(at=NOW, user="kim", note="fine", wave="unknown"), CommandIgnored),
    ],
)
def test_commands_become_records_that_carry_their_number(command: Command, kind: type) -> None:
    record = carry_out(a_run(), 7, command, NOW)
    assert isinstance(record, kind)
    assert getattr(record, "command", None) == 7


def test_a_target_in_doubt_can_be_settled_either_way() -> None:
    settled = carry_out(a_run(doubtful=True), 1, settle("succeeded"), NOW)
    assert isinstance(settled, Settled)
    assert (settled.outcome, settled.settled_by, settled.note) == (Outcome.SUCCEEDED, "kim", "looked")
    assert settled.reason == "settled by kim@desk: looked"
    returned = carry_out(a_run(doubtful=True), 1, settle("not_sent"), NOW)
    assert isinstance(returned, ReturnedToWaiting)


@pytest.mark.parametrize("host", ["desk", ""], ids=["recorded", "before it was recorded"])
def test_a_record_says_who_asked_and_from_where(host: str) -> None:
    person: dict[str, Any] = {"at": NOW, "user": "kim", "host": host, "note": "why"}
    run, who = a_run(doubtful=True), "kim@desk" if host else "kim"
    asked: list[Command] = [ReleaseCommand(**person, wave="canary"), HoldCommand(**person)]
    for number, command in enumerate(asked, 1):
        run.apply(carry_out(run, number, command, NOW))
    assert run.waves["canary"].approved_by == who
    assert (run.hold and run.hold.who) == who
    run.apply(carry_out(run, 3, ReleaseCommand(**person), NOW))
    assert (run.released and run.released.who) == who
    run.apply(carry_out(run, 4, SettleCommand(**person, proxy_id=PROXY, outcome="not_sent"), NOW))
    assert run.states[PROXY].evidence == [f"settled as not sent by {who}: why"]


def test_who_settled_a_target_is_known_with_the_host() -> None:
    run = a_run(doubtful=True)
    run.apply(carry_out(run, 1, settle("failed"), NOW))
    assert (run.states[PROXY].settled_by, run.states[PROXY].settled_host) == ("kim", "desk")


def test_an_attempt_with_a_workflow_id_was_sent() -> None:
    assert "w1" in (refusal(a_run(accepted=True), PROXY, "not_sent") or "")
    assert refusal(a_run(accepted=True), PROXY, "failed") is None


def test_a_target_that_is_not_open_cannot_be_settled() -> None:
    assert "not open" in (refusal(a_run(), PROXY, "failed") or "")
    assert "no target" in (refusal(a_run(), "another", "failed") or "")
    assert isinstance(carry_out(a_run(), 1, settle("failed"), NOW), CommandIgnored)


@pytest.mark.parametrize("outcome", ["succeeded", "failed", "not_sent"])
def test_what_is_settled_stays_so(outcome: str) -> None:
    run = a_run(doubtful=True)
    run.apply(Settled(at=NOW, target=PROXY, attempt=1, outcome=Outcome.FAILED, settled_by="kim", note="looked"))
    assert "not open: it is failed" in (refusal(run, PROXY, outcome) or "")
    assert isinstance(carry_out(run, 1, settle(outcome), NOW), CommandIgnored)


def test_a_hold_on_top_of_another_tells_of_each_who_set_it_and_when_and_keeps_its_causes() -> None:
    run = a_run()
    first = HoldSet(at=NOW, cause="failures", reason="1 failure, 0 allowed", proxy_ids=(PROXY,))
    run.apply(first)
    later = NOW + timedelta(hours=1)
    run.apply(carry_out(run, 1, HoldCommand(at=later, user="kim", host="desk", note="look"), later))
    assert run.hold is not None
    assert (run.hold.who, run.hold.began_at, run.hold.proxy_ids) == ("kim@desk", later, (PROXY,))
    first_words = f"held since {NOW:%Y-%m-%d %H:%M:%SZ}: 1 failure, 0 allowed"
    assert run.hold.reason == f"look; before that {first_words}", "who releases it must know of both"
    run.apply(carry_out(run, 2, HoldCommand(at=later, user="ann", host="desk", note="me too"), later))
    assert f"me too; before that held since {later:%Y-%m-%d %H:%M:%SZ} by kim@desk: look; before" in run.hold.reason


def test_a_hold_begins_when_it_was_asked_for() -> None:
    run, later = a_run(), NOW + timedelta(hours=1)
    run.apply(carry_out(run, 1, HoldCommand(at=NOW, user="kim", host="desk", note="look"), later))
    assert run.hold is not None
    assert (run.hold.at, run.hold.began_at) == (later, NOW)
