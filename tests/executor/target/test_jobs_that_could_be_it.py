"""A job that could be what a doubtful attempt has started speaks against sending again until it is explained."""

from collections.abc import Callable
from typing import Any

import pytest
from fakes import acts
from fakes.acts import Fate
from fakes.clock import START
from fakes.clouds import JOB_NAME, FakeCloud
from fakes.rollouts import ALL, FREE, outcome, play_first, stage_of, starts
from fakes.stage import Played, fold_all, resume, targets_of
from msgspec.structs import replace

from orchestrator.executor.scope.jobs.job_list import JobList
from orchestrator.executor.target.instance_jobs import foreign_job, resurfaced_job
from orchestrator.model.plan.plan import Failures, Retry
from orchestrator.model.record.moment import Moment
from orchestrator.model.record.record import (
    AttemptDisproved,
    DoubtLooked,
    Intent,
    Postponed,
    ReturnedToWaiting,
    SessionStarted,
)
from orchestrator.model.reply.reply import Job
from orchestrator.model.run.run import Run
from orchestrator.model.run.upgrade_call import Attempt

PROXY = targets_of(12)[11]
FAILS = Fate(status="Failed", flips=None, named=True)
HOUR = 3600.0


def first_lost(cloud: FakeCloud) -> None:
    cloud.acts[next(iter(cloud.proxies))] = [acts.LOST_ANSWER]


def wrong_date(off_s: float, *, filters: bool, corrected: bool) -> Callable[[FakeCloud], None]:
    """The `Date` of answers is wrong, up to the first look of the doubt or for good; the times of jobs are right."""

    def setup(cloud: FakeCloud) -> None:
        def read(name: str, _key: str, number: int) -> None:
            if corrected and name == "proxy_health" and number == 1:
                cloud.date_off_s = 0.0

        cloud.date_off_s, cloud.filters, cloud.reads = off_s, filters, read

    return setup


@pytest.mark.parametrize("filters", [True, False], ids=["filtered", "whole list"])
@pytest.mark.parametrize("corrected", [True, False], ids=["corrected", "for good"])
@pytest.mark.parametrize("off_s", [HOUR, -HOUR], ids=["ahead", "behind"])
@pytest.mark.parametrize("duration_s", [10.0, 300.0])
def test_no_wrong_date_makes_an_upgrade_that_failed_one_that_never_began(
    off_s: float, corrected: bool, filters: bool, duration_s: float
) -> None:
    setup = wrong_date(off_s, filters=filters, corrected=corrected)
    fate = Fate(status="Failed", flips=None, named=True, duration_s=duration_s)
    played = play_first([acts.LOST_ANSWER], setup=setup, fate=fate)
    assert starts(played) == 1
    assert len(played.state(0).attempts) == 1
    assert not played.of(AttemptDisproved)


def test_a_list_reaches_back_to_the_doubt_by_every_reading_of_a_clock() -> None:
    """`Date` is an hour ahead, and what is accepted later reaches back to nothing before it."""

    def setup(cloud: FakeCloud) -> None:
        wrong_date(HOUR, filters=True, corrected=False)(cloud)
        for key in list(cloud.proxies)[1:]:
            cloud.acts[key] = [acts.BUSY, acts.ACCEPT]

    played = play_first([acts.LOST_ANSWER], fate=FAILS, setup=setup, waves=ALL, limits=FREE, retry=Retry(busy_s=600.0))
    assert starts(played) == 1
    assert not played.of(AttemptDisproved)


@pytest.mark.parametrize("named", [True, False], ids=["names the proxy", "names nobody"])
@pytest.mark.parametrize("place", ["of the plan", "of nobody"])
def test_a_job_that_is_listed_under_another_instance_forbids_another_attempt_if_it_names_the_proxy(
    place: str, named: bool
) -> None:
    def setup(cloud: FakeCloud) -> None:
        first, second = list(cloud.proxies.values())[:2]
        cloud.listed_under[first.proxy_id] = second.instance_id if place == "of the plan" else "elsewhere"

    played = play_first([acts.LOST_ANSWER], setup=setup, fate=Fate(status="Failed", flips=None, named=named))
    assert (starts(played) == 1) is named  # a job of another instance that names nobody is another's
    if named:
        assert outcome(played)[0] == "in_doubt"
        assert "names the proxy" in (outcome(played)[1] or "")


def _seen_and_gone() -> tuple[Any, Played]:
    """A session in which the list shows the job of a lost answer, without an instant, so that it is not adopted."""
    stage = stage_of(3, first_lost)
    prepare = stage.cloud_of

    def setup(cloud: FakeCloud) -> None:
        prepare(cloud)
        cloud.default_fate = Fate(duration_s=100.0)
        cloud.fates[next(iter(cloud.proxies))] = FAILS
        cloud.listed_under[next(iter(cloud.proxies))] = "elsewhere"

    stage.cloud_of = setup
    return stage, stage.play()


def test_a_job_that_was_seen_in_an_earlier_session_and_is_shown_no_more_still_forbids_another_attempt() -> None:
    stage, played = _seen_and_gone()
    assert played.outcomes() == {"in_doubt": 1, "succeeded": 2}
    for job in played.cloud.jobs_made:
        if job.proxy_id == played.state(0).key:
            job.fate = Fate(listed=False, flips=None, visible_after_s=None)
    again = resume(stage, played).play()
    assert len(again.of(SessionStarted)) == 2
    assert again.outcomes() == {"in_doubt": 1, "succeeded": 2}
    assert set(again.cloud.books.values()) == {1}
    assert again.state(0).evidence[-1].endswith("could be it, and is shown no more")


@pytest.mark.parametrize("fields", [f'{{"proxy":"{PROXY.proxy_id.upper()}"}}', None], ids=["names it", "names nobody"])
def test_before_an_attempt_a_job_for_the_proxy_counts_under_whatever_instance_it_runs(fields: str | None) -> None:
    run = Run([PROXY], waves=["w"], scopes=["default"], failures=Failures())
    intent = Intent(
        at=START, target=PROXY.proxy_id, attempt=1, wave="w", token="t", source_version="1", target_version="2"
    )
    attempted = replace(run.state(PROXY.proxy_id), attempts=[Attempt(intent, Moment(START, 1))])
    elsewhere = Job(job_id="j", name="Upgrade", status="Running", instance_id="elsewhere", extend_fields=fields)
    listing = JobList((elsewhere,), None, START, complete=True)
    found = (
        foreign_job(listing, run.state(PROXY.proxy_id), run),
        resurfaced_job(listing, attempted, run, ours=()),
    )
    assert found == ((elsewhere, elsewhere) if fields else (None, None))


def test_a_person_who_settles_it_as_not_sent_has_looked_at_the_jobs_too() -> None:
    stage, played = _seen_and_gone()
    key = played.state(0).key
    said = ReturnedToWaiting(at=played.ended_at, target=key, attempt=1, settled_by="ann", note="it was the console's")
    assert not fold_all(stage.plan, [*played.records, said]).states[key].suspects


def test_what_could_be_it_is_in_the_journal() -> None:
    stage, played = _seen_and_gone()
    job = next(job.job_id for job in played.cloud.jobs_made if job.proxy_id == played.state(0).key)
    assert {each for record in played.of(DoubtLooked) for each in record.jobs} == {job}
    assert fold_all(stage.plan, played.records).states[played.state(0).key].suspects == {job}


def test_a_job_that_a_list_had_shown_before_is_not_taken_for_what_a_lost_answer_started() -> None:
    """It bears the name of ours and ended in the second before the intent, and no job of ours is listed."""
    stage = stage_of(4, lambda _cloud: None, retry=Retry(busy_s=1.0), limits=FREE)

    def setup(cloud: FakeCloud) -> None:
        first = next(iter(cloud.proxies))
        cloud.add_foreign(cloud.proxies[first].instance_id, -20, Fate(duration_s=22.5), name=JOB_NAME)
        cloud.acts[first] = [acts.LOST_ANSWER]
        cloud.fates[first] = Fate(listed=False, visible_after_s=None)

    stage.cloud_of = setup
    played = stage.play()
    assert played.of(Postponed)
    passed_over = "job foreign-0 on the instance could be it, and was not taken for it"
    assert f"version only, workflow_id not recovered; {passed_over}" in played.state(0).evidence[-1]
    assert not played.state(0).jobs
