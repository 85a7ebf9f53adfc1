"""Doubtful attempts: found, disproved, or left to a person; never sent twice."""

from typing import Any

import pytest
from fakes import acts
from fakes.acts import Act, Fate, refusing, rejecting
from fakes.clouds import FakeCloud
from fakes.rollouts import FREE, outcome, play_first, stage_of, starts
from msgspec.structs import replace

from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Follow, Limits, Retry
from orchestrator.model.record.record import (
    AttemptDisproved,
    DoubtLooked,
    DoubtRenewed,
    FollowTimedOut,
    Intent,
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


def test_doubt_that_stays_holds_its_slot() -> None:
    def lose_all(cloud: FakeCloud) -> None:
        cloud.default_act = acts.LOST_REQUEST

    played = stage_of(2, lose_all, limits=replace(FREE, in_flight=Amount(1))).play()
    assert played.outcomes() == {"in_doubt": 1, "waiting": 1}
    assert len({intent.target for intent in played.of(Intent)}) == 1
    assert played.run.tally.fleet.open == 1
    assert "(in_flight 1)" in played.finish.why


def test_when_all_attempts_are_used_up_a_person_is_needed() -> None:
    played = play_first([acts.LOST_REQUEST] * 9, retry=Retry(attempts=3))
    assert outcome(played)[0] == "in_doubt"
    assert len(played.state(0).attempts) == 3
    assert played.code == 6


NOES = {"rejected": rejecting("no ip"), "refused": refusing(), "busy": acts.BUSY}


@pytest.mark.parametrize("verdict", NOES)
def test_after_a_doubtful_attempt_a_refusal_settles_nothing(verdict: str) -> None:
    played = play_first([acts.LOST_REQUEST, NOES[verdict]])
    state = played.state(0)
    assert [attempt.answer.verdict for attempt in state.attempts if attempt.answer] == [
        "in_doubt",
        verdict,
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


def test_an_id_that_the_answer_named_is_polled_although_no_list_shows_it() -> None:
    played = play_first([acts.UNKNOWN_STATE], fate=Fate(listed=False))
    assert outcome(played)[0] == "succeeded"
    assert list(played.state(0).jobs) == ["wf-default-0-0"]
    assert played.state(0).evidence[-1] == "the answer named wf-default-0-0"


def test_what_a_doubtful_answer_accepted_is_followed_although_nobody_sees_it() -> None:
    played = play_first([acts.ACCEPT_AND_ODD], fate=Fate(visible_after_s=None))
    assert outcome(played)[0] == "succeeded"
    assert list(played.state(0).jobs) == ["wf-default-0-0"]
    assert played.state(0).upgraded_by is not None


def test_accepted_without_an_id_and_followed_no_further_the_report_states_it() -> None:
    played = play_first([acts.ACCEPT_WITHOUT_ID], fate=Fate(listed=False), follow=Follow(to="accepted"))
    assert outcome(played) == ("accepted", "workflow_id not recovered")


def test_a_job_of_the_first_attempt_that_shows_in_the_doubt_of_the_second_is_ours() -> None:
    late = Act(acts.LOST_REQUEST.reply, effect=True, effect_after_s=100.0, latency_s=1.0)
    played = play_first([late, acts.LOST_REQUEST], fate=Fate(visible_after_s=1200.0, duration_s=3000.0))
    assert outcome(played)[0] == "succeeded"
    assert starts(played) == 1
    assert list(played.state(0).jobs) == ["wf-default-0-0"]
    assert len(played.state(0).attempts) == 2


def test_a_job_that_resurfaces_in_the_next_preflight_brings_the_doubt_back() -> None:
    """It began between the last look and the preflight, runs, and fails: it is not sent again."""
    late = Act(acts.LOST_REQUEST.reply, effect=True, effect_after_s=900.6, latency_s=1.0)
    fate = Fate(visible_after_s=0.0, status="Failed", flips=None)
    played = play_first([late], fate=fate, limits=Limits(rate=2.0, ramp=False, in_flight=Amount(10)))
    assert outcome(played)[0] == "failed"
    assert starts(played) == 1
    assert len(played.of(AttemptDisproved)) == len(played.of(DoubtRenewed)) == 1
    assert "runs on the instance" in played.of(DoubtRenewed)[0].why


def test_presence_is_looked_for_as_far_back_as_the_latest_acceptance() -> None:
    """What was accepted before runs long, so that the doubt begins long after, alone."""

    def setup(cloud: FakeCloud) -> None:
        cloud.default_fate = Fate(duration_s=1500.0)

    played = play_first([acts.LOST_REQUEST], others=1, setup=setup)
    assert outcome(played)[0] == "succeeded"
    assert len(played.state(0).attempts) == 2


@pytest.mark.parametrize("offset_s", [-3600.0, 0.0, 3600.0])
@pytest.mark.parametrize("act", [acts.LOST_ANSWER, acts.LOST_REQUEST], ids=["found", "disproved"])
def test_a_clock_of_the_cloud_that_goes_wrong_changes_nothing(act: Act, offset_s: float) -> None:
    played = play_first([act], setup=lambda cloud: setattr(cloud, "offset_s", offset_s))
    assert outcome(played)[0] == "succeeded"
    assert starts(played) == 1
    assert len(played.of(WorkflowAdopted)) == act.effect


def test_a_job_that_seems_a_little_older_than_its_intent_is_asked_for() -> None:
    early = Act(acts.LOST_ANSWER.reply, effect=True, effect_after_s=-100.0, latency_s=30.0)
    played = play_first([early], others=0, fate=Fate(named=True, duration_s=600.0))
    assert outcome(played)[0] == "succeeded"
    assert len(played.of(WorkflowAdopted)) == 1


def test_a_list_that_is_not_complete_disproves_nothing() -> None:
    played = play_first([acts.LOST_REQUEST], setup=lambda cloud: setattr(cloud, "hides_total", True))
    assert outcome(played)[0] == "in_doubt"
    assert len(played.state(0).attempts) == 1
