"""What is read before an attempt, and what it leads to."""

from dataclasses import replace as replace_act
from datetime import timedelta
from typing import Any

import pytest
from fakes.acts import ACCEPT, BUSY, LOST_REQUEST, UNAUTHENTICATED, Act, Fate, throttling
from fakes.clock import START
from fakes.clouds import NEW, FakeCloud
from fakes.no_proxy import GONE
from fakes.stage import Played, Stage, plan_of, targets_of
from msgspec.structs import replace

from orchestrator.executor.target.preflight import Denied, NotNow, doubting
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Follow, Limits, Retry, Wave
from orchestrator.model.record.moment import Moment
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import DoubtRenewed, Intent, Postponed, PreflightDone
from orchestrator.model.reply.reply import Exchange, Refused
from orchestrator.model.run.eligibility import LeaveOut
from orchestrator.model.run.state import TargetState
from orchestrator.model.run.upgrade_call import Attempt

LENIENT = Failures(max=Amount(100, percent=True), max_rejected=Amount(100, percent=True), mode="soft")
FREE = Limits(in_flight=Amount(100), concurrency=50, rate=50.0, ramp=False)


def play(setup: Any = lambda _cloud: None, *, targets: Any = 1, per_instance: int = 1, **changes: Any) -> Played:
    many = targets_of(targets, per_instance=per_instance) if isinstance(targets, int) else targets
    values = {"failures": LENIENT, "limits": FREE, "waves": (Wave(name="all"),), **changes}
    return Stage(plan=plan_of(many, **values), cloud_of=setup).play()


def outcome(played: Played) -> tuple[str, str | None]:
    state = played.state(0)
    return state.standing, state.reason


def first_of(cloud: FakeCloud) -> str:
    return next(iter(cloud.proxies))


@pytest.mark.parametrize("version", [NEW, "2.24.3.0", "2.24.04.000", "3.0"])
def test_the_target_version_or_a_newer_one_is_already(version: Any) -> None:
    played = play(lambda cloud: cloud.versions.update({first_of(cloud): version}))
    assert outcome(played) == ("already", None)
    assert played.state(0).evidence == [f"runs {version}"]
    assert not played.cloud.counts["upgrade"]
    assert played.code == 0


def test_another_source_than_expected_is_drifted() -> None:
    played = play(source_versions=("2.23.11.000",))
    assert outcome(played) == ("skipped", "drifted")
    assert played.code == 1


def test_the_targets_own_source_decides_before_the_plans() -> None:
    target = replace(targets_of(1)[0], source_version="2.23.12.000")
    assert outcome(play(targets=[target], source_versions=("2.23.11.000",)))[0] == "succeeded"


def test_a_version_that_is_not_on_offer() -> None:
    def setup(cloud: FakeCloud) -> None:
        cloud.latest = "2.24.02.000"

    assert outcome(play(setup)) == ("skipped", "not_offered")


def test_a_proxy_that_cannot_be_upgraded() -> None:
    played = play(lambda cloud: cloud.can_upgrade.update({first_of(cloud): False}))
    assert outcome(played) == ("skipped", "not_upgradable")


def test_a_proxy_that_does_not_exist() -> None:
    assert outcome(play(lambda cloud: cloud.proxies.clear())) == ("skipped", "gone")


def test_a_proxy_whose_version_is_refused_is_rejected_with_its_code() -> None:
    def setup(cloud: FakeCloud) -> None:
        refused = Refused("no permission", Exchange(http_status=403, error_code="DBS.200010"))
        cloud.reads = lambda name, _key, _number: refused if name == "proxy_version" else None

    played = play(setup)
    assert outcome(played) == ("rejected", "no permission")
    assert played.state(0).error_code == "DBS.200010"


def test_a_foreign_job_makes_the_target_wait_and_the_next_look_is_a_new_one() -> None:
    played = play(
        lambda cloud: cloud.add_foreign(cloud.proxies[first_of(cloud)].instance_id, -100, Fate(duration_s=140.0))
    )
    (postponed,) = played.of(Postponed)
    assert postponed.busy
    assert "BackupSnapshot" in postponed.why
    assert outcome(played)[0] == "succeeded"
    (intent,) = played.of(Intent)
    assert intent.at >= postponed.until


def test_a_busy_target_is_judged_next_by_a_list_read_since() -> None:
    played = play(
        lambda cloud: cloud.add_foreign(cloud.proxies[first_of(cloud)].instance_id, -100, Fate(duration_s=105.0)),
        retry=Retry(busy_s=10.0),
    )
    assert len(played.of(Postponed)) == 1
    assert played.of(Intent)[0].at < START + timedelta(seconds=15)


def test_a_foreign_job_that_stays_defers_the_target() -> None:
    played = play(
        lambda cloud: cloud.add_foreign(cloud.proxies[first_of(cloud)].instance_id, -100, Fate(duration_s=1e6))
    )
    assert outcome(played)[0] == "deferred"
    assert played.cloud.counts["jobs"] < 40


def test_a_job_that_has_ended_or_runs_elsewhere_is_nobodys_business() -> None:
    def setup(cloud: FakeCloud) -> None:
        cloud.add_foreign(cloud.proxies[first_of(cloud)].instance_id, -500, Fate(duration_s=100.0))
        cloud.add_foreign("f" * 32 + "in07", -100, Fate(duration_s=1e6))

    assert outcome(play(setup))[0] == "succeeded"


def test_an_upgrade_of_our_own_on_the_instance_is_not_foreign() -> None:
    limits = replace(FREE, per_instance=2)
    played = play(targets=4, per_instance=2, limits=limits)
    assert played.outcomes() == {"succeeded": 4}
    assert not played.of(Postponed)


def test_followed_only_to_acceptance_an_upgrade_still_makes_its_neighbours_wait() -> None:
    played = play(targets=2, per_instance=2, follow=Follow(to="accepted"), limits=Limits(concurrency=50, ramp=False))
    assert played.outcomes() == {"accepted": 2}
    first, second = played.of(Intent)
    assert second.at - first.at >= timedelta(seconds=300)
    assert {record.why for record in played.of(Postponed)} == {"an upgrade of another proxy runs on the instance"}


def test_one_listing_serves_all_for_a_minute() -> None:
    played = play(targets=200, limits=replace(FREE, in_flight=Amount(200)))
    before_the_first_look = START + timedelta(seconds=60)
    assert sum(call.name == "jobs" and call.at < before_the_first_look for call in played.cloud.calls) == 2
    assert played.outcomes() == {"succeeded": 200}


def test_what_was_read_is_fresh_when_the_intent_is_written() -> None:
    played = play(targets=40, limits=Limits(in_flight=Amount(100), concurrency=10, rate=0.5, ramp=False))
    read = {record.target: record.at for record in played.of(PreflightDone)}
    for intent in played.of(Intent):
        assert intent.at - read[intent.target] <= timedelta(seconds=60)


def test_what_grew_old_while_it_waited_for_its_turn_is_read_again() -> None:
    """Every call takes 40 s, one at a time: the third target would be sent by what was read 80 s before."""

    def setup(cloud: FakeCloud) -> None:
        cloud.default_act = replace_act(ACCEPT, latency_s=40.0)

    played = play(setup, targets=6, limits=replace(FREE, concurrency=1))
    read = played.of(PreflightDone)
    for intent in played.of(Intent):
        latest = max(record.at for record in read if record.target == intent.target and record.at <= intent.at)
        assert intent.at - latest <= timedelta(seconds=60)
    assert len(read) > len(played.of(Intent)) == 6


def test_while_the_running_jobs_cannot_be_read_nothing_is_sent() -> None:
    def setup(cloud: FakeCloud) -> None:
        refused = Refused("no permission", Exchange(http_status=403))
        cloud.reads = lambda name, _key, number: refused if name == "jobs" and number == 2 else None

    played = play(setup)
    (postponed,) = played.of(Postponed)
    assert "the list of running jobs could not be read" in postponed.why
    assert played.of(Intent)[0].at >= postponed.until
    assert outcome(played)[0] == "succeeded"


@pytest.mark.parametrize("rate", [1 / 60, 1 / 600])
def test_at_less_than_one_call_a_minute_the_run_still_gets_on(rate: float) -> None:
    played = play(targets=2, limits=Limits(rate=rate, ramp=False))
    assert played.outcomes() == {"succeeded": 2}
    assert played.cloud.counts["upgrade"] == 2


def test_after_a_disproved_doubt_nothing_is_skipped_on_one_reading() -> None:
    """The effect came so late that the proxy could not be upgraded just when we were about to send again."""

    def setup(cloud: FakeCloud) -> None:
        late = Act(LOST_REQUEST.reply, effect=True, effect_after_s=1200.0)
        first = first_of(cloud)
        cloud.acts[first] = [late, throttling(400.0)]
        cloud.reads = lambda name, key, _number: (
            refuse(cloud, first) if (name, key) == ("proxy_version", first) else None
        )

    def refuse(cloud: FakeCloud, first: str) -> None:
        running = any(job.created_at <= cloud.clock.now() < job.ends_at for job in cloud.by_proxy[first])
        cloud.can_upgrade[first] = not running

    waves = (Wave(name="others", size=Amount(3)), Wave(name="rest"))
    played = play(setup, targets=6, waves=waves)
    assert played.outcomes() == {"succeeded": 6}
    assert max(played.cloud.books.values()) == 1
    assert len(played.of(DoubtRenewed)) == 1
    assert played.state(0).jobs


def test_a_proxy_that_became_not_upgradable_after_a_disproved_doubt_is_skipped_in_the_end() -> None:
    def setup(cloud: FakeCloud) -> None:
        first = first_of(cloud)
        cloud.acts[first] = [LOST_REQUEST]
        cloud.reads = lambda name, _key, _number: after_a_while(cloud, first) if name == "proxy_version" else None

    def after_a_while(cloud: FakeCloud, first: str) -> None:
        cloud.can_upgrade[first] = cloud.clock.now() < START + timedelta(seconds=600)

    played = play(setup, targets=6)
    assert outcome(played) == ("skipped", "not_upgradable")
    assert len(played.of(DoubtRenewed)) == 1
    assert not played.cloud.books[played.state(0).key]


@pytest.mark.parametrize("act", [throttling(2.0), BUSY], ids=["429", "409"])
def test_after_an_attempt_the_version_is_read_behind_the_list(act: Act) -> None:
    """Of a job that had ended by the list, the version that was read before it does not tell."""
    played = play(lambda cloud: cloud.acts.update({first_of(cloud): [act]}))
    names = [call.name for call in played.cloud.calls]
    since = names[names.index("upgrade") + 1 :]
    assert since.index("jobs") < since.index("proxy_version") < since.index("upgrade")


@pytest.mark.parametrize("reply", [UNAUTHENTICATED.reply, throttling(2.0).reply, BUSY.reply], ids=["401", "429", "409"])
@pytest.mark.parametrize(
    "fate",
    [
        Fate(named=True, visible_after_s=0.0),
        Fate(named=True, visible_after_s=0.0, meanwhile="Pending"),
        Fate(named=True, visible_after_s=0.0, meanwhile="Unauthorized"),
        Fate(named=True, visible_after_s=0.0, meanwhile="Queued"),
        Fate(named=True, visible_after_s=0.0, duration_s=0.5, status="Failed", flips=None),
    ],
    ids=["runs", "waits", "waits for a person", "in an unknown state", "has failed since"],
)
def test_what_a_call_started_that_was_not_executed_as_the_cloud_said_is_no_reason_for_another(
    reply: Any, fate: Fate
) -> None:
    def setup(cloud: FakeCloud) -> None:
        cloud.acts[first_of(cloud)] = [Act(reply, effect=True)]
        cloud.fates[first_of(cloud)] = fate

    played = play(setup)
    assert played.cloud.counts["upgrade"] == 1
    assert played.of(DoubtRenewed)
    assert list(played.state(0).jobs) == [job.job_id for job in played.cloud.jobs_made]


@pytest.mark.parametrize(
    ("renewed", "finding", "believed"),
    [
        (0, LeaveOut(Outcome.ALREADY, "current", "runs it"), False),
        (1, LeaveOut(Outcome.ALREADY, "current", "runs it"), False),
        (0, LeaveOut(Outcome.SKIPPED, "not_upgradable", "cannot"), False),
        (1, LeaveOut(Outcome.SKIPPED, "not_upgradable", "cannot"), True),
        (0, Denied("no permission", None), False),
        (1, Denied("no permission", None), True),
        (0, NotNow("busy"), True),
    ],
)
def test_what_is_believed_of_a_target_that_was_in_doubt(renewed: bool, finding: Any, believed: bool) -> None:
    state = TargetState(targets_of(1)[0], doubtful_from=Moment(START, 1), doubts_renewed=renewed)
    assert (doubting(state, finding) is finding) == believed
    assert doubting(TargetState(state.target), finding) is finding


@pytest.mark.parametrize(
    ("renewed", "finding", "believed"),
    [
        (0, LeaveOut(Outcome.ALREADY, "current", "runs it"), False),
        (1, LeaveOut(Outcome.ALREADY, "current", "runs it"), False),
        (0, LeaveOut(Outcome.SKIPPED, "drifted", "runs another"), False),
        (1, LeaveOut(Outcome.SKIPPED, "drifted", "runs another"), True),
        (0, LeaveOut(Outcome.SKIPPED, "not_offered", "an older one"), False),
        (0, GONE, True),
        (0, Denied("no permission", None), True),
    ],
)
def test_what_is_believed_of_a_target_after_an_attempt_that_was_not_executed(
    renewed: bool, finding: Any, believed: bool
) -> None:
    target = targets_of(1)[0]
    intent = Intent(
        at=START, target=target.proxy_id, attempt=1, wave="all", token="t", source_version="1", target_version="2"
    )
    state = TargetState(target, attempts=[Attempt(intent, Moment(START, 1))], doubts_renewed=renewed)
    assert (doubting(state, finding) is finding) == believed
    state.decided = 1  # a person has settled it as not sent
    assert doubting(state, finding) is finding
