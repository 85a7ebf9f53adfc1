"""One list of running jobs answers for many upgrades: what that saves, and that nothing is claimed from it."""

from datetime import timedelta
from typing import Any

import pytest
from fakes.acts import Fate
from fakes.clock import START
from fakes.clouds import FakeCloud, FakeJob
from fakes.stage import Played, Stage, plan_of, targets_of

from orchestrator.executor.scope.poll_schedule import list_pays
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Limits, Wave
from orchestrator.model.record.record import JobSeen
from orchestrator.model.reply.reply import Doubtful, Exchange


def play(targets: int, setup: Any = lambda _cloud: None, *, fate: Fate | None = None, rate: float = 20.0) -> Played:
    def prepare(cloud: FakeCloud) -> None:
        cloud.default_fate = fate or Fate(duration_s=600.0)
        setup(cloud)

    plan = plan_of(
        targets_of(targets),
        waves=(Wave(name="all"),),
        limits=Limits(ramp=False, rate=rate, in_flight=Amount(targets), concurrency=50),
        failures=Failures(max=Amount(targets), mode="soft"),
    )
    return Stage(plan=plan, cloud_of=prepare).play()


def per_upgrade(played: Played, targets: int) -> float:
    return played.cloud.counts.total() / targets


def late(played: Played) -> timedelta:
    """How late the latest end was seen."""
    ends = {job.job_id: job.ends_at for job in played.cloud.jobs_made}
    lags: list[timedelta] = [seen.at - ends[seen.workflow_id] for seen in played.of(JobSeen) if seen.ended]
    return max(lags)


def test_many_upgrades_cost_few_calls_each() -> None:
    played = play(60)
    assert played.outcomes() == {"succeeded": 60}
    # 1 preflight, 1 attempt, 1 look that shows the end, 2 reads to verify, and a share of the lists.
    assert per_upgrade(played, 60) <= 6
    assert played.cloud.counts["job"] == 60
    assert late(played) <= timedelta(seconds=15 + 5)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_200_in_flight_for_ten_minutes_cost_less_than_12_requests_each_and_their_share_of_the_rate() -> None:
    played = play(200, rate=4.0)
    assert played.outcomes() == {"succeeded": 200}
    assert per_upgrade(played, 200) <= 6.5
    begin, end = (played.started_at + timedelta(seconds=s) for s in (120, 540))
    looks = [call for call in played.cloud.calls if call.name in ("job", "jobs") and begin <= call.at < end]
    assert len(looks) / (end - begin).total_seconds() <= 0.3 * 4.0
    assert late(played) <= timedelta(seconds=15 + 60), "the ends of 200 come at once, and 4 calls go out in a second"


def test_few_upgrades_are_looked_at_one_by_one() -> None:
    played = play(4)
    assert played.cloud.counts["job"] >= 4 * 12
    assert played.cloud.counts["jobs"] <= 3


def test_jobs_that_no_list_shows_are_followed_by_their_ids() -> None:
    hidden = play(30, fate=Fate(duration_s=600.0, listed=False))
    assert hidden.outcomes() == {"succeeded": 30}
    assert hidden.cloud.counts["job"] >= 30 * 12
    assert hidden.cloud.counts["jobs"] <= 12, "lists that help nobody are left alone"
    assert late(hidden) <= timedelta(seconds=15 + 5)


def test_a_list_that_cannot_be_read_stops_nobody_from_looking() -> None:
    def setup(cloud: FakeCloud) -> None:
        cut = Doubtful("cut", Exchange(http_status=502))
        cloud.reads = lambda name, _key, number: cut if name == "jobs" and number > 3 and number % 3 else None

    played = play(12, setup)
    assert played.outcomes() == {"succeeded": 12}


def test_a_failed_upgrade_among_many_is_seen_to_have_failed() -> None:
    def setup(cloud: FakeCloud) -> None:
        cloud.fates[list(cloud.proxies)[7]] = Fate(duration_s=200.0, status="Failed", flips=None, fail_reason="no ip")

    played = play(20, setup)
    assert played.outcomes() == {"succeeded": 19, "failed": 1}
    assert "no ip" in (played.state(7).reason or "")


def test_a_list_that_lags_behind_for_ever_is_not_believed_for_ever() -> None:
    def setup(cloud: FakeCloud) -> None:
        cloud.lists_lag_s = 86400.0

    played = play(12, setup, fate=Fate(duration_s=300.0))
    assert played.outcomes() == {"succeeded": 12}
    assert late(played) <= timedelta(minutes=8)


def test_a_list_that_was_too_long_is_tried_again_when_what_it_showed_is_over() -> None:
    def setup(cloud: FakeCloud) -> None:
        brief = Fate(duration_s=100.0)
        cloud.foreign = [FakeJob(f"f{n}", f"{n:030x}ffin07", None, START, brief) for n in range(300)]

    played = play(20, setup, fate=Fate(duration_s=1500.0))
    assert played.outcomes() == {"succeeded": 20}
    later = played.started_at + timedelta(minutes=8)
    looks = [call for call in played.cloud.calls if call.name == "job" and call.at >= later]
    assert len(looks) <= 4 * 20, "one shows the end, and one comes after every twenty lists"


def test_other_peoples_jobs_make_a_list_dear() -> None:
    assert [list_pays(followed, 0) for followed in (4, 5)] == [False, True]
    assert [list_pays(followed, 480) for followed in (49, 50)] == [False, True]
