"""What may happen to an upgrade call, and what follows: the table, row by row, and every outcome."""

from collections.abc import Sequence
from typing import Any

import pytest
from fakes import clouds
from fakes.clouds import ACCEPT, Act, FakeCloud, Fate, refusing, rejecting, throttling
from fakes.stage import Played, Stage, plan_of, targets_of

from orchestrator.model.amount import Amount
from orchestrator.model.plan import Failures, Follow, Limits, Retry, Selector, Wave
from orchestrator.model.record import (
    AnswerMissing,
    AnswerSeen,
    AttemptDisproved,
    DoubtLooked,
    FollowTimedOut,
    Intent,
    Postponed,
    ScopePaused,
    ScopeThrottled,
    WorkflowAdopted,
)

LENIENT = Failures(max=Amount(100, percent=True), max_rejected=Amount(100, percent=True), mode="soft")
ONE_WAVE = (Wave(name="all"),)


def play(
    acts: Sequence[Act] = (),
    *,
    others: int = 4,
    fate: Fate | None = None,
    setup: Any = lambda _cloud: None,
    **changes: Any,
) -> Played:
    """Target 0 meets `acts`; the others are upgraded plainly, some of them before, so that their jobs are known."""
    targets = targets_of(1 + others)
    first = targets[0].proxy_id

    def prepare(cloud: FakeCloud) -> None:
        cloud.acts[first] = list(acts)
        if fate is not None:
            cloud.fates[first] = fate
        setup(cloud)

    before = Wave(name="others", select=Selector(labels={"app": "a1"}))
    waves = (before, Wave(name="rest")) if others else ONE_WAVE
    values = {"failures": LENIENT, "waves": waves, **changes}
    return Stage(plan=plan_of(targets, **values), cloud_of=prepare).play()


def outcome(played: Played) -> tuple[str, str | None]:
    state = played.state(0)
    return state.standing, state.reason


def starts(played: Played) -> int:
    return played.cloud.books[played.state(0).key]


def test_accept_is_followed_and_verified() -> None:
    played = play()
    state = played.state(0)
    assert outcome(played) == ("succeeded", None)
    assert state.verified_version == clouds.NEW
    assert list(state.jobs) == ["wf-default-0-0"]
    assert played.code == 0


def test_reject_is_told_word_for_word() -> None:
    played = play([rejecting("Upgrade failed due to insufficient subnet ip")])
    assert outcome(played) == ("rejected", "Upgrade failed due to insufficient subnet ip")
    assert starts(played) == 0
    assert len(played.state(0).attempts) == 1


def test_a_refusing_code_is_a_rejection_with_code_and_message() -> None:
    played = play([refusing("DBS.280404", "not supported here")])
    assert outcome(played) == ("rejected", "not supported here")
    assert played.state(0).error_code == "DBS.280404"


def test_accept_and_reject_verified_is_a_success_that_reports_the_reject() -> None:
    played = play([clouds.PARTIAL])
    assert outcome(played) == ("succeeded", None)
    assert [entry.error_message for entry in played.state(0).rejections] == ["node 2 is locked"]


@pytest.mark.parametrize("to", ["completed", "accepted"])
def test_accept_and_reject_not_verified_is_partial(to: Any) -> None:
    played = play([clouds.PARTIAL], follow=Follow(to=to))
    assert outcome(played) == ("partial", "node 2 is locked")


def test_followed_to_acceptance_is_accepted() -> None:
    played = play(follow=Follow(to="accepted"))
    assert played.outcomes() == {"accepted": 5}
    assert played.code == 0


def test_a_throttled_call_was_not_executed_and_is_sent_again_after_the_pause() -> None:
    played = play([throttling(20.0), throttling(None)])
    state = played.state(0)
    assert outcome(played)[0] == "succeeded"
    assert [attempt.answer.verdict for attempt in state.attempts if attempt.answer] == [
        "throttled",
        "throttled",
        "accepted",
    ]
    assert len({attempt.intent.token for attempt in state.attempts}) == 3
    first, second = state.attempts[0].intent.at, state.attempts[1].intent.at
    assert (second - first).total_seconds() >= 20
    assert len(played.of(ScopeThrottled)) == 2


def test_a_call_that_was_not_sent_pauses_the_scope_and_the_target_waits() -> None:
    played = play([clouds.UNSENT])
    assert outcome(played)[0] == "succeeded"
    assert len(played.of(ScopePaused)) == 1
    assert [record.why for record in played.of(Postponed)] == ["not_sent: connection refused"]
    assert starts(played) == 1


def test_refused_credentials_are_renewed_once_and_the_call_sent_again() -> None:
    played = play([clouds.UNAUTHENTICATED])
    assert outcome(played)[0] == "succeeded"
    assert played.cloud.renewals == 1


def test_a_busy_target_comes_back_ever_later() -> None:
    played = play([clouds.BUSY] * 5)
    waits = [record.until - record.at for record in played.of(Postponed)]
    assert [wait.total_seconds() for wait in waits] == [60, 120, 300, 600, 600]
    assert outcome(played)[0] == "succeeded"


def test_a_target_that_stays_busy_is_deferred() -> None:
    played = play([clouds.BUSY] * 50)
    assert outcome(played) == ("deferred", "another operation runs")
    first, last = played.state(0).attempts[0].intent.at, played.state(0).settled_at
    assert last is not None
    assert (last - first).total_seconds() == pytest.approx(7200, abs=20)
    assert played.code == 1


DOUBTS = {
    "lost answer": clouds.LOST_ANSWER,
    "500 after effect": clouds.FIVE_HUNDRED_AFTER,
    "empty after effect": clouds.EMPTY_AFTER,
    "unknown state": clouds.UNKNOWN_STATE,
    "accept without id": clouds.ACCEPT_WITHOUT_ID,
    "504 and late effect": clouds.LATE_EFFECT,
}


@pytest.mark.parametrize("act", DOUBTS.values(), ids=DOUBTS)
def test_a_doubtful_attempt_that_took_effect_is_found_and_never_sent_again(act: Any) -> None:
    played = play([act])
    state = played.state(0)
    assert outcome(played)[0] == "succeeded"
    assert starts(played) == 1
    assert len(state.attempts) == 1
    assert list(state.jobs) == ["wf-default-0-0"]
    assert len(played.of(WorkflowAdopted)) == 1


NOTHINGS = {
    "lost request": clouds.LOST_REQUEST,
    "500": clouds.FIVE_HUNDRED,
    "empty": clouds.EMPTY,
    "unknown state, nothing begun": clouds.UNKNOWN_NOT_BEGUN,
}


@pytest.mark.parametrize("act", NOTHINGS.values(), ids=NOTHINGS)
def test_a_doubtful_attempt_that_took_no_effect_is_sent_again_after_the_doubt_period(act: Any) -> None:
    played = play([act])
    state = played.state(0)
    assert outcome(played)[0] == "succeeded"
    assert starts(played) == 1
    assert len(state.attempts) == 2
    assert (state.attempts[1].intent.at - state.attempts[0].intent.at).total_seconds() >= 900
    (disproved,) = played.of(AttemptDisproved)
    assert "which shows our wf-default-" in disproved.evidence


def test_without_presence_absence_proves_nothing() -> None:
    played = play([clouds.LOST_REQUEST], others=0)
    assert outcome(played)[0] == "in_doubt"
    assert starts(played) == 0
    assert played.code == 6
    assert any("absence proves nothing" in record.finding for record in played.of(DoubtLooked))


def test_when_all_attempts_are_used_up_a_person_is_needed() -> None:
    played = play([clouds.LOST_REQUEST] * 9, retry=Retry(attempts=3))
    assert outcome(played)[0] == "in_doubt"
    assert len(played.state(0).attempts) == 3
    assert played.code == 6


def test_after_a_doubtful_attempt_a_refusal_settles_nothing() -> None:
    played = play([clouds.LOST_REQUEST, rejecting("no ip")])
    state = played.state(0)
    assert [attempt.answer.verdict for attempt in state.attempts if attempt.answer] == [
        "in_doubt",
        "rejected",
        "accepted",
    ]
    assert (state.attempts[2].intent.at - state.attempts[1].intent.at).total_seconds() >= 900
    assert outcome(played)[0] == "succeeded"


def test_an_effect_after_the_doubt_period_is_still_ours() -> None:
    act = Act(clouds.LOST_REQUEST.reply, effect=True, effect_after_s=2000.0)
    played = play([act, clouds.throttling(3000.0)], retry=Retry(attempts=3))
    state = played.state(0)
    assert starts(played) == 1
    assert outcome(played)[0] == "succeeded"
    assert state.jobs or "not recovered" in " ".join(state.evidence)


def test_accepted_without_id_and_never_listed_succeeds_on_the_version_alone() -> None:
    fate = Fate(listed=False, duration_s=1500)
    played = play([clouds.ACCEPT_WITHOUT_ID], fate=fate)
    assert outcome(played)[0] == "succeeded"
    assert "version only, workflow_id not recovered" in played.state(0).evidence
    assert played.run.tally.fleet.failed == 0
    assert len(played.state(0).attempts) == 1


def test_accepted_without_id_that_never_ends_times_out() -> None:
    fate = Fate(listed=False, flips=None)
    played = play([clouds.ACCEPT_WITHOUT_ID], fate=fate)
    assert outcome(played)[0] == "timed_out"
    assert len(played.of(FollowTimedOut)) == 1
    assert played.code == 6
    assert len(played.state(0).attempts) == 1


@pytest.mark.parametrize("status", ["Failed", "Canceled"])
def test_a_job_that_ends_badly_is_a_failure(status: str) -> None:
    played = play(fate=Fate(status=status, fail_reason="disk", flips=None))
    assert outcome(played) == ("failed", f"job wf-default-0-0 {status}: disk")
    assert played.code == 1


def test_a_version_that_stays_is_a_mismatch() -> None:
    played = play(fate=Fate(flips=None))
    state = played.state(0)
    assert outcome(played) == ("mismatch", f"the job ended, but the proxy runs {clouds.OLD}")
    assert state.settled_at is not None
    assert state.accepted_at is not None
    assert (state.settled_at - state.accepted_at).total_seconds() >= 600


def test_a_version_that_flips_late_is_waited_for() -> None:
    played = play(fate=Fate(flips=1.5))
    assert outcome(played)[0] == "succeeded"


def test_an_unhealthy_node_is_a_failure() -> None:
    played = play(fate=Fate(nodes=("ACTIVE", "ABNORMAL")))
    assert outcome(played) == ("failed", "unhealthy after the upgrade: ACTIVE, nodes ACTIVE, ABNORMAL")


def test_a_job_that_hangs_times_out_and_keeps_its_slot() -> None:
    played = play(fate=Fate(duration_s=1e7, flips=None))
    assert outcome(played)[0] == "timed_out"
    assert played.run.tally.fleet.open == 1
    assert played.code == 6


def test_unauthorized_is_no_end() -> None:
    played = play(fate=Fate(duration_s=10, status="Unauthorized", flips=None))
    assert outcome(played)[0] == "timed_out"


def test_a_job_that_nobody_sees_is_followed_by_the_version() -> None:
    played = play(fate=Fate(visible_after_s=None))
    assert outcome(played)[0] == "succeeded"
    assert played.state(0).upgraded_by == clouds.NEW


def test_already_latest_is_believed_after_the_version_was_read() -> None:
    def setup(cloud: FakeCloud) -> None:
        cloud.reads = lambda _name, key, _number: cloud.versions.update({key: clouds.NEW}) if upgraded(key) else None

        def upgraded(key: str) -> bool:
            return key == first and cloud.upgrades[first] > 0

        first = next(iter(cloud.proxies))

    played = play([refusing("DBS.200093", "already the latest", latest=True)], setup=setup)
    assert outcome(played) == ("already", "already the latest")


def test_already_latest_although_it_runs_the_old_version_is_a_rejection() -> None:
    played = play([refusing("DBS.200093", "already the latest", latest=True)])
    assert outcome(played) == ("rejected", "already the latest")


def test_every_answer_is_kept_word_for_word() -> None:
    played = play([throttling(5.0), clouds.LOST_REQUEST, clouds.PARTIAL])
    answers = [record for record in played.of(AnswerSeen) if record.target == played.state(0).key]
    intents = [record for record in played.of(Intent) if record.target == played.state(0).key]
    assert [record.attempt for record in answers] == [1, 2, 3]
    assert [record.attempt for record in intents] == [1, 2, 3]
    assert [entry.state for entry in answers[2].update_result] == ["ACCEPT", "REJECT"]
    assert not played.of(AnswerMissing)


def test_the_concurrency_bounds_calls_under_way() -> None:
    targets = targets_of(30)
    slow = Act(ACCEPT.reply, effect=True, latency_s=20.0)

    def prepare(cloud: FakeCloud) -> None:
        cloud.default_act = slow

    limits = Limits(concurrency=3, in_flight=Amount(30), ramp=False)
    plan = plan_of(targets, failures=LENIENT, waves=ONE_WAVE, limits=limits)
    played = Stage(plan=plan, cloud_of=prepare).play()
    assert played.cloud.most_under_way == 3
    assert played.outcomes() == {"succeeded": 30}
