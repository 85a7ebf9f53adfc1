"""Doubtful attempts beside other upgrades, of ours and of others: nobody's job is taken for another's."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from fakes import acts
from fakes.acts import Act, Fate
from fakes.clock import START
from fakes.clouds import JOB_NAME, FakeCloud, FakeJob
from fakes.rollouts import stage_of
from fakes.stage import Played

from orchestrator.model.learned.told_elsewhere import ToldElsewhere
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Limits, Wave
from orchestrator.model.plan.selection import Selector
from orchestrator.model.record.record import AnswerSeen, AttemptDisproved, DoubtLooked, Postponed, WorkflowAdopted
from orchestrator.tracker.folder.known_workflows import KnownThen

TWO = Limits(in_flight=Amount(10), per_instance=2, concurrency=10, rate=50.0, ramp=False)

#: Takes effect at once, and its answer takes its time.
SLOW = replace(acts.LOST_ANSWER, latency_s=100.0)


def neighbours(first: list[Act], second: list[Act], setup: Any = lambda _cloud: None, **changes: Any) -> Played:
    """Two proxies of one instance, and what their calls come to; others are upgraded on other instances."""

    def prepare(cloud: FakeCloud) -> None:
        one, other = list(cloud.proxies)[:2]
        cloud.acts.update({one: first, other: second})
        setup(cloud)

    values = {"limits": TWO, **changes}
    stage = stage_of(6, prepare, per_instance=2, **values)
    stage.known = KnownThen({"foreign-0": 0})
    stage.told = {"foreign-0": told(START + timedelta(seconds=4), stage.plan.proxies[0].instance_id)}
    return stage.play()


def told(sent: datetime, instance_id: str) -> ToldElsewhere:
    """Of an upgrade of another fleet, which its answer named two seconds after the call."""
    return ToldElsewhere(
        fleet="other",
        run_id="run-1",
        proxy_id=f"{99:032x}po01",
        instance_id=instance_id,
        sent=sent,
        told=sent + timedelta(seconds=2),
    )


def standings(played: Played) -> tuple[str, str]:
    return played.state(0).standing, played.state(1).standing


def test_of_two_in_doubt_on_one_instance_neither_is_given_a_job_that_names_nobody() -> None:
    """One took effect and the other did not; when the first is settled, its job is still not the other's."""
    played = neighbours([acts.LOST_ANSWER], [acts.LOST_REQUEST])
    assert standings(played) == ("succeeded", "in_doubt")
    assert not played.of(WorkflowAdopted)
    assert "workflow_id not recovered" in " ".join(played.state(0).evidence)
    assert len(played.state(1).attempts) == 1


def test_an_upgrade_of_ours_on_the_instance_is_not_taken_for_the_doubtful_one() -> None:
    played = neighbours([acts.ACCEPT], [acts.LOST_REQUEST])
    assert standings(played) == ("succeeded", "succeeded")
    assert not played.of(WorkflowAdopted)
    assert len(played.of(AttemptDisproved)) == 1


def test_an_upgrade_of_another_fleet_is_not_taken_for_it_either() -> None:
    def setup(cloud: FakeCloud) -> None:
        cloud.add_foreign(next(iter(cloud.proxies.values())).instance_id, 5.0, Fate(duration_s=200.0), name=JOB_NAME)

    played = neighbours([acts.LOST_REQUEST], [acts.ACCEPT], setup)
    assert not played.of(WorkflowAdopted)
    assert standings(played) == ("succeeded", "succeeded")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "run run-1 of fleet other has that workflow_id"),
        ({"listed": False}, "run run-1 of fleet other has that workflow_id"),
        ({"visible_after_s": None}, "an answer accepted workflow wf-default-0-0, which the cloud does not show"),
    ],
    ids=["listed", "known by its id", "not shown"],
)
def test_an_id_that_another_run_had_before_does_not_hide_the_upgrade_that_bears_it_now(changes: Any, says: str) -> None:
    """A cloud that begins anew gives the same ids: the job is on our instance, and younger than the intent."""

    def setup(cloud: FakeCloud) -> None:
        ends_badly = Fate(duration_s=60.0, status="Failed", flips=None)
        cloud.fates[next(iter(cloud.proxies))] = replace(ends_badly, **changes)

    stage = stage_of(3, setup)
    stage.known = KnownThen({"wf-default-0-0": 0})
    stage.told = {"wf-default-0-0": told(START - timedelta(hours=1), stage.plan.proxies[0].instance_id)}
    played = stage.play()
    assert played.state(0).standing == "in_doubt"
    assert played.cloud.upgrades[played.state(0).key] == 1
    assert not played.of(AttemptDisproved)
    assert says in played.state(0).evidence[-1]
    (answer,) = (each for each in played.of(AnswerSeen) if each.target == played.state(0).key)
    assert answer.reason == "the answer names workflow wf-default-0-0, which was known before the call was sent"


def test_a_job_that_was_only_adopted_shows_no_presence() -> None:
    """It is ours by evidence, not by an answer: that such jobs are listed is not shown by it."""

    def setup(cloud: FakeCloud) -> None:
        cloud.default_fate = Fate(named=True)
        one, other = cloud.proxies
        cloud.acts.update({one: [acts.LOST_ANSWER], other: [acts.LOST_REQUEST]})

    played = stage_of(2, setup).play()
    assert standings(played) == ("succeeded", "in_doubt")
    assert len(played.of(WorkflowAdopted)) == 1
    assert any("absence proves nothing" in record.finding for record in played.of(DoubtLooked))


@pytest.mark.parametrize("first", [acts.ACCEPT, SLOW], ids=["accepted", "under way"])
def test_a_job_of_ours_makes_no_neighbour_wait(first: Act) -> None:
    """The neighbour was busy once, so it is judged by a list that shows the job."""

    def setup(cloud: FakeCloud) -> None:
        cloud.default_fate = Fate(named=True, visible_after_s=0.0)

    played = neighbours([first], [acts.BUSY], setup)
    assert [record.target for record in played.of(Postponed)] == [played.state(1).key]
    assert played.state(1).attempts[1].intent.at < played.state(0).settled_at  # type: ignore[operator]
    assert standings(played) == ("succeeded", "succeeded")


def test_what_appears_between_anothers_last_look_and_ours_is_seen() -> None:
    """The list of the other's last look is young enough, but of before the end of this doubt period."""
    late = Act(acts.LOST_REQUEST.reply, effect=True, effect_after_s=899.5, latency_s=1.0)

    def setup(cloud: FakeCloud) -> None:
        for number, proxy_id in enumerate(cloud.proxies):
            cloud.acts[proxy_id] = [late] if number % 3 != 1 else []
        cloud.default_fate = Fate(visible_after_s=0.0)

    waves = (Wave(name="others", select=Selector(labels={"app": "a1"})), Wave(name="rest"))
    limits = Limits(in_flight=Amount(10), concurrency=1, rate=50.0, ramp=False)
    played = stage_of(6, setup, waves=waves, limits=limits).play()
    assert set(played.cloud.books.values()) == {1}
    assert len(played.of(WorkflowAdopted)) == 4


def test_evidence_that_comes_after_the_doubt_period_is_seen_while_the_session_lasts() -> None:
    def setup(cloud: FakeCloud) -> None:
        one, other = cloud.proxies
        cloud.acts[one] = [acts.LOST_ANSWER]
        cloud.fates[one] = Fate(named=True, visible_after_s=2000.0, duration_s=2500.0, status="Failed", flips=None)
        cloud.fates[other] = Fate(listed=False, duration_s=3400.0)

    played = stage_of(2, setup).play()
    assert standings(played) == ("failed", "succeeded")
    assert len(played.of(WorkflowAdopted)) == 1
    assert set(played.cloud.books.values()) == {1}


def test_one_of_several_jobs_that_failed_fails_the_target_when_all_have_ended() -> None:
    """The answer accepts two; the second one, which the version says nothing of, ends later and badly."""

    def setup(cloud: FakeCloud) -> None:
        (target,) = cloud.proxies.values()
        two = Act(lambda instance, job: acts.ok((instance, job), (instance, "second")), effect=True)
        cloud.acts[target.proxy_id] = [two]
        at = cloud.clock.now() + timedelta(seconds=10)
        fate = Fate(duration_s=900.0, status="Failed", flips=None, fail_reason="disk")
        cloud.foreign.append(FakeJob("second", target.instance_id, None, at, fate))

    played = stage_of(1, setup).play()
    assert (played.state(0).standing, played.state(0).reason) == ("failed", "job second Failed: disk")
    assert list(played.state(0).jobs) == ["wf-default-0-0", "second"]
