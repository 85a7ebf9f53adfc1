"""What may happen to an upgrade call, and what follows: the table, row by row, and every outcome."""

from datetime import timedelta
from typing import Any

import pytest
from fakes import acts, clouds
from fakes.acts import ACCEPT, Act, Fate, refusing, rejecting, throttling
from fakes.clock import START
from fakes.clouds import FakeCloud
from fakes.rollouts import ALL, LENIENT, outcome, play_first, starts
from fakes.stage import Stage, plan_of, targets_of

from orchestrator.executor.crash_points import Point
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Follow, Limits
from orchestrator.model.record.record import (
    AnswerMissing,
    AnswerSeen,
    Intent,
    Postponed,
    ScopePaused,
    ScopeThrottled,
)


def test_accept_is_followed_and_verified() -> None:
    played = play_first()
    state = played.state(0)
    assert outcome(played) == ("succeeded", None)
    assert state.verified_version == clouds.NEW
    assert list(state.jobs) == ["wf-default-0-0"]
    assert played.code == 0


def test_reject_is_told_word_for_word() -> None:
    played = play_first([rejecting("Upgrade failed due to insufficient subnet ip")])
    assert outcome(played) == ("rejected", "Upgrade failed due to insufficient subnet ip")
    assert starts(played) == 0
    assert len(played.state(0).attempts) == 1


def test_a_refusing_code_is_a_rejection_with_code_and_message() -> None:
    played = play_first([refusing("DBS.280404", "not supported here")])
    assert outcome(played) == ("rejected", "not supported here")
    assert played.state(0).error_code == "DBS.280404"


def test_accept_and_reject_verified_is_a_success_that_reports_the_reject() -> None:
    played = play_first([acts.PARTIAL])
    assert outcome(played) == ("succeeded", None)
    assert [entry.error_message for entry in played.state(0).refused_in_part] == ["node 2 is locked"]


@pytest.mark.parametrize("to", ["completed", "accepted"])
def test_accept_and_reject_not_verified_is_partial(to: Any) -> None:
    played = play_first([acts.PARTIAL], follow=Follow(to=to))
    assert outcome(played) == ("partial", "node 2 is locked")


def test_followed_to_acceptance_is_accepted() -> None:
    played = play_first(follow=Follow(to="accepted"))
    assert played.outcomes() == {"accepted": 5}
    assert played.code == 0


def test_a_throttled_call_was_not_executed_and_is_sent_again_after_the_pause() -> None:
    played = play_first([throttling(20.0), throttling(None)])
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
    played = play_first([acts.UNSENT])
    assert outcome(played)[0] == "succeeded"
    assert len(played.of(ScopePaused)) == 1
    assert [record.why for record in played.of(Postponed)] == ["not_sent: connection refused"]
    assert starts(played) == 1


def test_refused_credentials_are_renewed_once_and_the_call_sent_again() -> None:
    played = play_first([acts.UNAUTHENTICATED])
    assert outcome(played)[0] == "succeeded"
    assert played.cloud.renewals == 1


def test_a_busy_target_comes_back_ever_later() -> None:
    played = play_first([acts.BUSY] * 5)
    waits = [record.until - record.at for record in played.of(Postponed)]
    assert [wait.total_seconds() for wait in waits] == [60, 120, 300, 600, 600]
    assert outcome(played)[0] == "succeeded"


def test_a_target_that_stays_busy_is_deferred() -> None:
    played = play_first([acts.BUSY] * 50)
    assert outcome(played) == ("deferred", "another operation runs")
    first, last = played.state(0).attempts[0].intent.at, played.state(0).settled_at
    assert last is not None
    assert (last - first).total_seconds() == pytest.approx(7200, abs=20)
    assert played.code == 1


@pytest.mark.parametrize("status", ["Failed", "Canceled"])
def test_a_job_that_ends_badly_is_a_failure(status: str) -> None:
    played = play_first(fate=Fate(status=status, fail_reason="disk", flips=None))
    assert outcome(played) == ("failed", f"job wf-default-0-0 {status}: disk")
    assert played.code == 1


def test_a_version_that_stays_is_a_mismatch() -> None:
    played = play_first(fate=Fate(flips=None))
    state = played.state(0)
    assert outcome(played) == ("mismatch", f"the job ended, but the proxy runs {clouds.OLD}")
    assert state.settled_at is not None
    assert state.accepted_at is not None
    assert (state.settled_at - state.accepted_at.at).total_seconds() >= 600


def test_a_version_that_flips_late_is_waited_for() -> None:
    played = play_first(fate=Fate(flips=1.5))
    assert outcome(played)[0] == "succeeded"


def test_an_unhealthy_node_is_a_failure() -> None:
    played = play_first(fate=Fate(nodes=("ACTIVE", "ABNORMAL")))
    assert outcome(played) == ("failed", "unhealthy after the upgrade: ACTIVE, nodes ACTIVE, ABNORMAL")


def test_a_proxy_that_no_list_shows_is_not_called_unhealthy() -> None:
    played = play_first(setup=lambda cloud: cloud.unlisted.add(next(iter(cloud.proxies))))
    assert outcome(played)[0] == "in_flight"
    assert list(played.state(0).jobs) == ["wf-default-0-0"]
    assert played.code == 6


def test_a_job_that_hangs_times_out_and_keeps_its_slot() -> None:
    played = play_first(fate=Fate(duration_s=1e7, flips=None))
    assert outcome(played)[0] == "timed_out"
    assert played.run.tally.fleet.open == 1
    assert played.code == 6


@pytest.mark.parametrize("status", ["Unauthorized", "Suspended", ""])
def test_unauthorized_and_unknown_states_are_no_end(status: str) -> None:
    played = play_first(fate=Fate(duration_s=10, status=status, flips=None))
    assert outcome(played)[0] == "timed_out"


def test_a_job_that_nobody_sees_is_followed_by_the_version() -> None:
    played = play_first(fate=Fate(visible_after_s=None))
    assert outcome(played)[0] == "succeeded"
    assert played.state(0).upgraded_by == clouds.NEW


def test_already_latest_is_believed_after_the_version_was_read() -> None:
    def setup(cloud: FakeCloud) -> None:
        cloud.reads = lambda _name, key, _number: cloud.versions.update({key: clouds.NEW}) if upgraded(key) else None

        def upgraded(key: str) -> bool:
            return key == first and cloud.upgrades[first] > 0

        first = next(iter(cloud.proxies))

    played = play_first([refusing("DBS.200093", "already the latest", latest=True)], setup=setup)
    assert outcome(played) == ("succeeded", None)
    assert "version only, workflow_id not recovered" in played.state(0).evidence


def test_already_latest_although_it_runs_the_old_version_is_a_rejection() -> None:
    played = play_first([refusing("DBS.200093", "already the latest", latest=True)])
    assert outcome(played) == ("rejected", "already the latest")


NOT_EXECUTED = {
    "401": acts.UNAUTHENTICATED,
    "429": throttling(400.0),
    "not sent": acts.UNSENT,
    "busy": acts.BUSY,
}


@pytest.mark.parametrize("named", [True, False], ids=["named", "unnamed"])
@pytest.mark.parametrize("act", NOT_EXECUTED.values(), ids=NOT_EXECUTED)
def test_an_upgrade_that_ran_although_the_answer_said_no_is_found_and_never_called_already(
    act: Act, *, named: bool
) -> None:
    ran = Act(act.reply, effect=True)
    fate = Fate(named=named, duration_s=30.0, visible_after_s=0.0)
    played = play_first([ran], fate=fate, follow=Follow(expected_s=60))
    assert outcome(played)[0] == "succeeded"
    assert list(played.state(0).jobs) == ["wf-default-0-0"]
    assert played.cloud.upgrades[played.state(0).key] == 1
    assert starts(played) == 1


@pytest.mark.parametrize("act", [acts.UNAUTHENTICATED, throttling(400.0)], ids=["401", "429"])
def test_a_job_that_names_the_proxy_and_runs_after_a_refusal_is_taken_up_at_once(act: Act) -> None:
    ran = Act(act.reply, effect=True)
    played = play_first(
        [ran], fate=Fate(named=True, duration_s=9000.0, visible_after_s=0.0), follow=Follow(timeout_s=10000)
    )
    assert outcome(played)[0] == "succeeded"
    assert list(played.state(0).jobs) == ["wf-default-0-0"]
    assert played.cloud.upgrades[played.state(0).key] == 1


def test_a_proxy_that_was_upgraded_after_a_refusal_and_whose_job_nobody_sees_succeeded_by_its_version_only() -> None:
    ran = Act(throttling(400.0).reply, effect=True)
    played = play_first([ran], fate=Fate(listed=False, duration_s=30.0))
    assert outcome(played)[0] == "succeeded"
    assert "version only, workflow_id not recovered" in played.state(0).evidence


def test_every_answer_is_kept_word_for_word() -> None:
    played = play_first([throttling(5.0), acts.LOST_REQUEST, acts.PARTIAL])
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
    plan = plan_of(targets, failures=LENIENT, waves=ALL, limits=limits)
    played = Stage(plan=plan, cloud_of=prepare).play()
    assert played.cloud.most_under_way == 3
    assert played.outcomes() == {"succeeded": 30}


def test_an_accepted_upgrade_goes_to_disk_without_its_slot() -> None:
    def prepare(cloud: FakeCloud) -> None:
        cloud.default_act = Act(ACCEPT.reply, effect=True, latency_s=10.0)

    limits = Limits(concurrency=2, in_flight=Amount(40), ramp=False, rate=1000.0)
    plan = plan_of(targets_of(40), failures=LENIENT, waves=ALL, limits=limits, follow=Follow(to="accepted"))
    played = Stage(plan=plan, cloud_of=prepare, disk_s=10.0).play()
    intents = played.of(Intent)
    a_pair_s = (intents[-1].at - intents[0].at).total_seconds() / 19
    assert a_pair_s < 35.0  # the intents' commit, the calls, and what of another commit is under way; not both commits


def test_no_story_goes_on_before_its_answer_is_on_disk() -> None:
    on_disk: list[bool] = []

    def reached(point: Point) -> None:
        if point is Point.ANSWER_WRITTEN and stage.journal is not None:
            answered = [record for record in stage.journal.records if isinstance(record, AnswerSeen)]
            on_disk.append(len(answered) > len(on_disk))

    stage = Stage(plan=plan_of(targets_of(3)), disk_s=1.0, reached=reached)
    assert stage.play().outcomes() == {"succeeded": 3}
    assert on_disk == [True] * 3


def test_where_hosts_share_a_journal_an_intent_that_took_too_long_sends_nothing() -> None:
    """This process stood still, or the journal was away: another host may be looking for the job of this intent."""
    stage = Stage(plan=plan_of(targets_of(1)), disk_s=10.0, send_within_s=8.0, until=START + timedelta(minutes=10))
    played = stage.play()
    assert not played.cloud.upgrades
    answers = played.of(AnswerSeen)
    assert answers
    assert {(answer.verdict, answer.http_status) for answer in answers} == {("not_sent", None)}
    assert played.state(0).standing == "waiting"


def test_where_hosts_share_a_journal_an_intent_in_time_is_sent() -> None:
    played = Stage(plan=plan_of(targets_of(1)), disk_s=3.0, send_within_s=8.0).play()
    assert played.outcomes() == {"succeeded": 1}
