"""The small decisions: what an answer means, what a session says at its end, how long a busy target waits."""

from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from fakes.stage import targets_of
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import ExitCode
from orchestrator.executor.decide.actions import Ending, Finish
from orchestrator.executor.decide.exit_code import exit_code
from orchestrator.executor.scope.backoff import backoff_s, busy_wait_s
from orchestrator.executor.target.answer_verdict import judge, judge_entries
from orchestrator.model.plan.plan import Failures
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import EarlierOutcome, HoldSet, Intent, Record, ScopeGivenUp, Settled
from orchestrator.model.reply.reply import (
    Answered,
    Busy,
    Doubtful,
    Entry,
    Exchange,
    NotSent,
    Refused,
    Throttled,
    Unauthenticated,
)
from orchestrator.model.run.run import Run

AT = datetime(2026, 3, 1, tzinfo=UTC)
NO = Exchange(http_status=400, error_msg="words")

ACCEPT = Entry(workflow_id="w1", state="ACCEPT")
REJECT = Entry(state="REJECT", error_message="no ip")
NO_ID = Entry(state="ACCEPT")
ODD = Entry(workflow_id="w2", state="QUEUED")
NO_STATE = Entry(workflow_id="w3")


@pytest.mark.parametrize(
    ("entries", "verdict", "reason"),
    [
        ((), "in_doubt", "the answer holds no update_result"),
        ((ACCEPT,), "accepted", None),
        ((ACCEPT, ACCEPT), "accepted", None),
        ((Entry(workflow_id="w", state=" accept "),), "accepted", None),
        ((REJECT,), "rejected", "no ip"),
        ((Entry(state="Reject"),), "rejected", None),
        ((ACCEPT, REJECT), "partial", "no ip"),
        ((REJECT, ACCEPT), "partial", "no ip"),
        ((NO_ID,), "in_doubt", "ACCEPT without a workflow_id"),
        ((ACCEPT, NO_ID), "in_doubt", "ACCEPT without a workflow_id"),
        ((REJECT, NO_ID), "in_doubt", "ACCEPT without a workflow_id"),
        ((ODD,), "in_doubt", "unknown state 'QUEUED'"),
        ((REJECT, ODD), "in_doubt", "unknown state 'QUEUED'"),
        ((NO_STATE,), "in_doubt", "unknown state None"),
    ],
)
def test_what_the_entries_of_an_answer_mean(entries: Any, verdict: str, reason: str | None) -> None:
    assert judge_entries(entries) == (verdict, reason)


@given(st.lists(st.sampled_from([ACCEPT, REJECT, NO_ID, ODD, NO_STATE]), max_size=4))
def test_nothing_but_rejects_is_a_rejection_and_nothing_but_known_ids_acceptance(entries: Any) -> None:
    verdict, _ = judge_entries(tuple(entries))
    assert (verdict == "rejected") == (bool(entries) and set(map(id, entries)) == {id(REJECT)})
    if verdict in ("accepted", "partial"):
        assert all(entry.workflow_id or entry is REJECT for entry in entries)


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (Answered((ACCEPT,), NO), "accepted"),
        (NotSent("refused"), "not_sent"),
        (Throttled(3.0, NO), "throttled"),
        (Unauthenticated("expired", NO), "unauthenticated"),
        (Refused("no", NO), "refused"),
        (Busy("wait", NO), "busy"),
        (Doubtful("lost", NO), "in_doubt"),
    ],
)
def test_what_a_reply_means(reply: Any, verdict: str) -> None:
    assert judge(reply, "i", ())[0] == verdict


# --- the end of a session ---------------------------------------------------------------------------------------------


def run_of(outcomes: list[Outcome], *records: Record, waiting: int = 0, reason: str | None = None) -> Run:
    targets = targets_of(len(outcomes) + waiting)
    run = Run(targets, waves=["all"], scopes=["default"], failures=Failures())
    for target, outcome in zip(targets, outcomes, strict=False):
        run.apply(Settled(at=AT, target=target.proxy_id, outcome=outcome, wave="all", reason=reason))
    for record in records:
        run.apply(record)
    return run


HOLD = HoldSet(at=AT, cause="person", reason="held by ann")
GONE = ScopeGivenUp(at=AT, scope="default", why="unreachable")


@pytest.mark.parametrize("outcome", Outcome)
def test_a_run_that_is_done_is_good_or_not(outcome: Outcome) -> None:
    good = outcome in (Outcome.SUCCEEDED, Outcome.ACCEPTED, Outcome.ALREADY)
    run = run_of([Outcome.SUCCEEDED, outcome])
    assert exit_code(run, Finish(Ending.COMPLETED, "")) == (ExitCode.DONE if good else ExitCode.OTHER_OUTCOMES)


def test_a_run_with_nothing_to_do_is_good() -> None:
    run = run_of([Outcome.SKIPPED, Outcome.SKIPPED], reason="failed_before")
    assert exit_code(run, Finish(Ending.COMPLETED, "")) is ExitCode.DONE
    run = run_of([Outcome.SKIPPED, Outcome.SKIPPED], reason="drifted")
    assert exit_code(run, Finish(Ending.COMPLETED, "")) is ExitCode.OTHER_OUTCOMES


@pytest.mark.parametrize(("reason", "code"), [("not_upgradable", ExitCode.DONE), ("drifted", ExitCode.OTHER_OUTCOMES)])
def test_what_an_earlier_run_said_already_is_no_news(reason: str, code: ExitCode) -> None:
    run = Run(targets_of(1), waves=["all"], scopes=["default"], failures=Failures())
    key = next(iter(run.targets))
    run.apply(EarlierOutcome(at=AT, target=key, run_id="r1", outcome=Outcome.SKIPPED, reason="not_upgradable"))
    run.apply(Settled(at=AT, target=key, outcome=Outcome.SKIPPED, wave="all", reason=reason))
    assert exit_code(run, Finish(Ending.COMPLETED, "")) is code


def test_what_an_earlier_run_said_makes_no_state_of_a_target_that_waits() -> None:
    run = Run(targets_of(1), waves=["all"], scopes=["default"], failures=Failures())
    key = next(iter(run.targets))
    run.apply(EarlierOutcome(at=AT, target=key, run_id="r1", outcome=Outcome.FAILED))
    assert (len(run.states), run.waiting) == (0, 1)


@pytest.mark.parametrize(
    ("outcome", "reason", "code"),
    [
        (Outcome.FAILED, "job 7 failed: no room", ExitCode.DONE),
        (Outcome.FAILED, "the node is not active", ExitCode.OTHER_OUTCOMES),
        (Outcome.REJECTED, "job 4711 failed: no room", ExitCode.OTHER_OUTCOMES),
    ],
)
def test_a_redo_that_ends_as_before_is_no_news(outcome: Outcome, reason: str, code: ExitCode) -> None:
    run = Run(targets_of(1), waves=["all"], scopes=["default"], failures=Failures())
    key = next(iter(run.targets))
    before = EarlierOutcome(at=AT, target=key, run_id="r1", outcome=Outcome.FAILED, reason="job 4711 failed: no room")
    run.apply(before)
    run.apply(Settled(at=AT, target=key, outcome=outcome, wave="all", reason=reason))
    assert exit_code(run, Finish(Ending.COMPLETED, "")) is code


ENDINGS = {
    Ending.STOPPED: ExitCode.MORE_TO_DO,
    Ending.LATER: ExitCode.MORE_TO_DO,
    Ending.PERSON: ExitCode.PERSON_NEEDED,
    Ending.SCOPE: ExitCode.SCOPE_UNUSABLE,
    Ending.HELD: ExitCode.HELD,
}
ORDER = (7, 3, 6, 5, 1, 0)


@pytest.mark.parametrize(
    ("ending", "held", "gone", "bad"), list(product(ENDINGS, (True, False), (True, False), (True, False)))
)
def test_of_all_codes_that_apply_the_first_is_told(ending: Ending, held: bool, gone: bool, bad: bool) -> None:
    if ending is Ending.HELD and not held:
        return
    outcomes = [Outcome.FAILED if bad else Outcome.SUCCEEDED]
    run = run_of(outcomes, *([HOLD] if held else []), *([GONE] if gone else []), waiting=1)
    applying = {int(ENDINGS[ending]), 3 if held else 0, 7 if gone else 0, 1 if bad else 0}
    assert exit_code(run, Finish(ending, "")) == next(code for code in ORDER if code in applying)


def test_a_hold_is_told_also_when_all_is_settled() -> None:
    assert exit_code(run_of([Outcome.FAILED], HOLD), Finish(Ending.HELD, "")) is ExitCode.HELD


def test_a_scope_that_was_given_up_when_all_was_settled_harms_nobody() -> None:
    assert exit_code(run_of([Outcome.SUCCEEDED], GONE), Finish(Ending.COMPLETED, "")) is ExitCode.DONE


# --- waiting ----------------------------------------------------------------------------------------------------------


def test_a_busy_target_waits_ever_longer() -> None:
    assert [busy_wait_s(times, 60) for times in range(7)] == [60, 120, 300, 600, 600, 600, 600]


@given(tries=st.integers(1, 5000), chance=st.floats(0, 1, exclude_max=True))
def test_backoff_grows_with_full_jitter_and_has_an_end(tries: int, chance: float) -> None:
    wait = backoff_s(tries, base_s=1.0, max_s=60.0, chance=chance)
    assert 0 <= wait <= min(60.0, 2.0 ** min(tries - 1, 60))
    assert wait == pytest.approx(chance * min(60.0, 2.0 ** min(tries - 1, 60)))


def _intent(**changes: Any) -> Intent:
    base: dict[str, Any] = {"at": AT, "wave": "all", "token": "t", "source_version": "1", "target_version": "2"}
    return Intent(**{**base, **changes})


def test_an_open_target_is_not_done() -> None:
    run = run_of([], waiting=1)
    run.apply(_intent(target=targets_of(1)[0].proxy_id, attempt=1))
    assert exit_code(run, Finish(Ending.PERSON, "")) is ExitCode.PERSON_NEEDED
