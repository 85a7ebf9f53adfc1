"""Following an upgrade: when it is looked at, and what ends it."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from fakes.acts import Fate
from fakes.clouds import FakeCloud
from fakes.stage import Played, Stage, plan_of, targets_of
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.executor.scope.poll_schedule import doubt_period_s, next_look_s
from orchestrator.executor.target.follow import NEVER_SHOWN
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Follow, Limits, Wave
from orchestrator.model.record.record import FollowTimedOut, JobSeen, Settled, VersionReached
from orchestrator.model.reply.reply import Exchange, Refused


def play(fate: Fate, follow: Follow | None = None, setup: Any = lambda _cloud: None, targets: int = 1) -> Played:
    def prepare(cloud: FakeCloud) -> None:
        cloud.default_fate = fate
        setup(cloud)

    plan = plan_of(
        targets_of(targets), follow=follow or Follow(), waves=(Wave(name="all"),), limits=Limits(ramp=False, rate=20.0)
    )
    return Stage(plan=plan, cloud_of=prepare).play()


def looks_of(played: Played) -> list[float]:
    """Seconds since acceptance of every look at the job."""
    accepted = played.state(0).accepted_at
    assert accepted is not None
    return [(call.at - accepted.at).total_seconds() for call in played.cloud.calls if call.name == "job"]


def test_the_looks_follow_the_expected_duration() -> None:
    looks = looks_of(play(Fate(duration_s=590.0), Follow(expected_s=600.0)))
    assert looks[0] == pytest.approx(60, abs=1)
    gaps = [second - first for first, second in pairwise(looks)]
    early = [gap for gap, at in zip(gaps, looks[1:], strict=True) if at < 470]
    assert all(gap == pytest.approx(120, abs=1) for gap in early)
    assert max(gap for gap, at in zip(gaps, looks, strict=False) if at >= 480) == pytest.approx(15, abs=1)


def test_a_short_upgrade_is_looked_at_after_half_its_time_but_not_before_poll() -> None:
    assert looks_of(play(Fate(duration_s=70.0), Follow(expected_s=80.0)))[0] == pytest.approx(40, abs=1)
    assert looks_of(play(Fate(duration_s=10.0), Follow(expected_s=10.0)))[0] == pytest.approx(15, abs=1)


def test_durations_seen_replace_the_expected_one() -> None:
    plan = plan_of(targets_of(4), waves=(Wave(name="all"),), limits=Limits(ramp=False))
    played = Stage(plan=plan, cloud_of=lambda cloud: setattr(cloud, "default_fate", Fate(duration_s=100.0))).play()
    assert played.run.durations.quantile(0.5) == pytest.approx(100, abs=2)


def test_failed_upgrades_teach_no_durations() -> None:
    played = play(Fate(duration_s=20.0, status="Failed", flips=None))
    assert len(played.run.durations) == 0


def test_the_deadline_counts_only_after_a_read_that_showed_no_end() -> None:
    played = play(Fate(duration_s=1e7, flips=None), Follow(timeout_s=1000.0))
    (timed_out,) = played.of(FollowTimedOut)
    accepted = played.state(0).accepted_at
    assert accepted is not None
    assert (timed_out.at - accepted.at).total_seconds() == pytest.approx(1000, abs=2)
    assert looks_of(played)[-1] >= 1000
    assert "Running" in timed_out.why


def test_what_cannot_be_read_does_not_time_out() -> None:
    def setup(cloud: FakeCloud) -> None:
        refused = Refused("no permission", Exchange(http_status=403))
        began = cloud.clock.now() + timedelta(seconds=30)
        late = ("job", "proxy_version")
        cloud.reads = lambda name, _key, _number: refused if name in late and cloud.clock.now() > began else None

    played = play(Fate(duration_s=1e7, flips=None), Follow(timeout_s=1000.0), setup)
    assert not played.of(FollowTimedOut)
    assert played.outcomes() == {"in_flight": 1}
    assert played.code == 6


@pytest.mark.parametrize(("duration_s", "outcome"), [(300.0, "succeeded"), (1e7, "timed_out")])
def test_a_job_that_cannot_be_read_is_followed_by_the_version(duration_s: float, outcome: str) -> None:
    def setup(cloud: FakeCloud) -> None:
        refused = Refused("no permission", Exchange(http_status=403))
        cloud.reads = lambda name, _key, _number: refused if name == "job" else None

    fate = Fate(duration_s=duration_s) if duration_s < 1e6 else Fate(duration_s=duration_s, flips=None)
    assert play(fate, Follow(timeout_s=1000.0), setup).outcomes() == {outcome: 1}


@pytest.mark.parametrize(("visible_after_s", "evidence"), [(None, [NEVER_SHOWN]), (5.0, [])])
def test_where_no_look_has_shown_a_job_of_it_that_is_told_with_what_its_version_says(
    visible_after_s: float | None, evidence: list[str]
) -> None:
    def hide_later(cloud: FakeCloud) -> None:
        cloud.reads = lambda name, _key, _number: unreadable if _is_later(cloud, name) else None

    unreadable = Refused("no permission", Exchange(http_status=403))
    played = play(Fate(duration_s=300.0, visible_after_s=visible_after_s), setup=hide_later)
    assert (played.state(0).outcome, played.state(0).evidence) == ("succeeded", evidence)
    assert [each.evidence for each in played.of(VersionReached)] == (evidence or [""])
    assert len(played.state(0).jobs) == 1


def _is_later(cloud: FakeCloud, name: str) -> bool:
    return name in ("job", "jobs", "running_jobs") and cloud.clock.monotonic() > 200.0


def test_a_job_that_ends_after_its_deadline_takes_its_real_outcome() -> None:
    """Another target keeps the session alive."""

    def setup(cloud: FakeCloud) -> None:
        cloud.fates[next(iter(cloud.proxies))] = Fate(duration_s=2500.0)
        cloud.fates[list(cloud.proxies)[1]] = Fate(duration_s=100.0)
        cloud.add_foreign(cloud.proxies[list(cloud.proxies)[1]].instance_id, -100, Fate(duration_s=6000.0))

    plan = plan_of(
        targets_of(2),
        follow=Follow(timeout_s=1000.0),
        failures=Failures(max=Amount(2)),
        waves=(Wave(name="all"),),
        limits=Limits(ramp=False),
    )
    played = Stage(plan=plan, cloud_of=setup).play()
    assert played.outcomes() == {"succeeded": 2}
    assert len(played.of(FollowTimedOut)) == 1
    assert played.run.tally.fleet.failed == 0
    assert played.run.hold is None


def test_a_job_is_recorded_when_its_status_changes_and_only_then() -> None:
    played = play(Fate(duration_s=590.0))
    assert [record.status for record in played.of(JobSeen)] == ["Running", "Completed"]


def test_a_job_that_is_not_visible_yet_is_waited_for() -> None:
    played = play(Fate(duration_s=300.0, visible_after_s=100.0))
    assert played.outcomes() == {"succeeded": 1}
    assert played.state(0).upgraded_by is None


def test_a_version_that_changes_before_the_job_is_visible_is_no_end() -> None:
    played = play(Fate(duration_s=300.0, visible_after_s=100.0, flips=0.1))
    assert played.outcomes() == {"succeeded": 1}
    assert played.state(0).upgraded_by is None
    assert [record.status for record in played.of(JobSeen)][-1] == "Completed"


def test_verification_is_patient_for_as_long_as_the_plan_says() -> None:
    played = play(Fate(duration_s=60.0, flips=3.0))
    assert played.outcomes() == {"succeeded": 1}
    (settled,) = played.of(Settled)
    ended = next(record for record in played.of(JobSeen) if record.ended)
    assert settled.at - ended.at < timedelta(seconds=300)


def test_not_followed_beyond_completion_nothing_is_verified() -> None:
    played = play(Fate(duration_s=60.0, flips=None), Follow(to="completed"))
    assert played.outcomes() == {"succeeded": 1}
    assert played.cloud.counts["proxy_health"] == 0


@given(age=st.floats(0, 1e5), expected=st.floats(0.1, 7200), poll=st.floats(0.1, 300))
def test_looks_are_never_too_dense_and_never_too_sparse(age: float, expected: float, poll: float) -> None:
    at = next_look_s(age, expected, poll)
    first = max(poll, min(expected / 2, 60))
    assert at > age
    assert at == first or at - age >= poll * (1 - 1e-9)
    assert at - age <= max(first, poll, expected / 5) * (1 + 1e-9)
    if age >= max(0.8 * expected, first):
        assert at - age == pytest.approx(poll)


@pytest.mark.parametrize(("resend", "timeout", "period"), [(900, 30, 900), (900, 600, 1200), (1, 30, 60)])
def test_the_doubt_period(resend: float, timeout: float, period: float) -> None:
    assert doubt_period_s(resend, timeout) == period
