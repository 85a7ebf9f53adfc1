"""Doubtful attempts: found, disproved, or left to a person; never sent twice."""

from typing import Any

import pytest
from fakes import acts
from fakes.acts import Act, Fate, rejecting
from fakes.rollouts import outcome, play_first, starts

from orchestrator.model.plan import Retry
from orchestrator.model.record import (
    AttemptDisproved,
    DoubtLooked,
    FollowTimedOut,
    WorkflowAdopted,
)

DOUBTS = {
    "lost answer": acts.LOST_ANSWER,
    "500 after effect": acts.FIVE_HUNDRED_AFTER,
    "empty after effect": acts.EMPTY_AFTER,
    "unknown state": acts.UNKNOWN_STATE,
    "accept without id": acts.ACCEPT_WITHOUT_ID,
    "504 and late effect": acts.LATE_EFFECT,
}


@pytest.mark.parametrize("act", DOUBTS.values(), ids=DOUBTS)
def test_a_doubtful_attempt_that_took_effect_is_found_and_never_sent_again(act: Any) -> None:
    played = play_first([act])
    state = played.state(0)
    assert outcome(played)[0] == "succeeded"
    assert starts(played) == 1
    assert len(state.attempts) == 1
    assert list(state.jobs) == ["wf-default-0-0"]
    assert len(played.of(WorkflowAdopted)) == 1


NOTHINGS = {
    "lost request": acts.LOST_REQUEST,
    "500": acts.FIVE_HUNDRED,
    "empty": acts.EMPTY,
    "unknown state, nothing begun": acts.UNKNOWN_NOT_BEGUN,
}


@pytest.mark.parametrize("act", NOTHINGS.values(), ids=NOTHINGS)
def test_a_doubtful_attempt_that_took_no_effect_is_sent_again_after_the_doubt_period(act: Any) -> None:
    played = play_first([act])
    state = played.state(0)
    assert outcome(played)[0] == "succeeded"
    assert starts(played) == 1
    assert len(state.attempts) == 2
    assert (state.attempts[1].intent.at - state.attempts[0].intent.at).total_seconds() >= 900
    (disproved,) = played.of(AttemptDisproved)
    assert "which shows our wf-default-" in disproved.evidence


def test_without_presence_absence_proves_nothing() -> None:
    played = play_first([acts.LOST_REQUEST], others=0)
    assert outcome(played)[0] == "in_doubt"
    assert starts(played) == 0
    assert played.code == 6
    assert any("absence proves nothing" in record.finding for record in played.of(DoubtLooked))


def test_when_all_attempts_are_used_up_a_person_is_needed() -> None:
    played = play_first([acts.LOST_REQUEST] * 9, retry=Retry(attempts=3))
    assert outcome(played)[0] == "in_doubt"
    assert len(played.state(0).attempts) == 3
    assert played.code == 6


def test_after_a_doubtful_attempt_a_refusal_settles_nothing() -> None:
    played = play_first([acts.LOST_REQUEST, rejecting("no ip")])
    state = played.state(0)
    assert [attempt.answer.verdict for attempt in state.attempts if attempt.answer] == [
        "in_doubt",
        "rejected",
        "accepted",
    ]
    assert (state.attempts[2].intent.at - state.attempts[1].intent.at).total_seconds() >= 900
    assert outcome(played)[0] == "succeeded"


def test_an_effect_after_the_doubt_period_is_still_ours() -> None:
    act = Act(acts.LOST_REQUEST.reply, effect=True, effect_after_s=2000.0)
    played = play_first([act, acts.throttling(3000.0)], retry=Retry(attempts=3))
    state = played.state(0)
    assert starts(played) == 1
    assert outcome(played)[0] == "succeeded"
    assert state.jobs or "not recovered" in " ".join(state.evidence)


def test_accepted_without_id_and_never_listed_succeeds_on_the_version_alone() -> None:
    fate = Fate(listed=False, duration_s=1500)
    played = play_first([acts.ACCEPT_WITHOUT_ID], fate=fate)
    assert outcome(played)[0] == "succeeded"
    assert "version only, workflow_id not recovered" in played.state(0).evidence
    assert played.run.tally.fleet.failed == 0
    assert len(played.state(0).attempts) == 1


def test_accepted_without_id_that_never_ends_times_out() -> None:
    fate = Fate(listed=False, flips=None)
    played = play_first([acts.ACCEPT_WITHOUT_ID], fate=fate)
    assert outcome(played)[0] == "timed_out"
    assert len(played.of(FollowTimedOut)) == 1
    assert played.code == 6
    assert len(played.state(0).attempts) == 1
