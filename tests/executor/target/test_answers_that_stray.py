"""Answers that belong to another question: whoever gets one is in doubt, and nobody succeeds with another's id."""

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace as replace_fate
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from fakes.acts import Act, Fate, Update, ok
from fakes.clock import START
from fakes.clouds import Called, FakeCloud, FakeJob
from fakes.rollouts import FREE, stage_of
from fakes.stage import Played, fold_all
from msgspec.structs import replace

from orchestrator.model.plan.plan import Follow
from orchestrator.model.record.outcome import NOT_RECOVERED
from orchestrator.model.record.record import AnswerSeen, DoubtRenewed, JobSeen
from orchestrator.model.reply.reply import Answered, Doubtful, Entry, Exchange
from orchestrator.tracker.folder.known_workflows import KnownThen


class OnlyLookedUp(AbstractSet[str]):
    """A million workflows."""

    def __contains__(self, _workflow: object) -> bool:
        return False

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("a scan of all that is known")

    def __len__(self) -> int:
        return 1_000_000


NAMED = Fate(named=True, duration_s=300.0)
UNREADABLE = Doubtful("no answer", Exchange())
KINDS = ("own instance", "no instance", "true instance")


def crossed(shift: int, kind: str) -> Any:
    """Each target is answered with the workflow of the one `shift` places on; 0: all with that of the first."""

    def setup(cloud: FakeCloud) -> None:
        keys = list(cloud.proxies)
        cloud.default_fate = NAMED
        for at, key in enumerate(keys):
            cloud.acts[key] = [Act(answering(cloud, keys[(at + shift) % len(keys)] if shift else keys[0]), effect=True)]

    def answering(cloud: FakeCloud, other: str) -> Callable[[str, str], Update]:
        return lambda instance, _job: answer(cloud, instance, other)

    def answer(cloud: FakeCloud, instance: str, other: str) -> Update:
        index = list(cloud.proxies).index(other)
        job = f"wf-default-{index}-0"
        names = {"own instance": instance, "no instance": None, "true instance": cloud.proxies[other].instance_id}
        return ok((names[kind], job))

    return setup


def right(played: Played) -> bool:
    """Whether every id that a target owns is that of its own job."""
    made = {job.job_id: job.proxy_id for job in played.cloud.jobs_made}
    return all(made.get(job_id) == state.key for state in played.run.states.values() for job_id in state.jobs)


def stale(job: FakeJob) -> Callable[[FakeCloud], None]:
    """The first target's answer accepts it with a job that was there before; its own job has another id."""

    def setup(cloud: FakeCloud) -> None:
        first = next(iter(cloud.proxies))
        instance = cloud.proxies[first].instance_id
        cloud.default_fate = NAMED
        cloud.foreign.append(replace_fate(job, instance_id=instance))
        cloud.acts[first] = [Act(lambda _instance, _job: ok((instance, job.job_id)), effect=True)]

    return setup


BEFORE = FakeJob("old", "", None, START - timedelta(seconds=100), Fate(duration_s=110.0))


@pytest.mark.parametrize("only_accepted", [False, True])
def test_an_answer_with_a_job_that_a_list_had_shown_before_is_no_answer(only_accepted: bool) -> None:
    """It ran when its instance was looked at, which put the target off; now it has ended."""
    stage = stage_of(1, stale(BEFORE), follow=Follow(to="accepted" if only_accepted else "verified"), limits=FREE)
    played = stage.play()
    assert played.of(AnswerSeen)[0].verdict == "in_doubt"
    assert right(played)
    assert list(played.state(0).jobs) == ["wf-default-0-0"]


def test_a_job_that_had_ended_before_the_attempt_is_not_followed_as_its_own() -> None:
    """No list had shown it: it had ended by the first one."""
    played = stage_of(1, stale(replace_fate(BEFORE, fate=Fate(duration_s=90.0))), limits=FREE).play()
    assert played.of(AnswerSeen)[0].verdict == "accepted"
    (renewed,) = played.of(DoubtRenewed)
    assert "before the first attempt" in renewed.why
    assert right(played)
    assert list(played.state(0).jobs) == ["wf-default-0-0"]


def test_a_job_that_was_seen_to_run_is_its_own_whatever_its_times_say() -> None:
    """The jobs of this cloud have times of another zone, and say none."""

    def setup(cloud: FakeCloud) -> None:
        cloud.offset_s, cloud.date_off_s = -6 * 3600.0, 6 * 3600.0

    played = stage_of(1, setup, limits=FREE).play()
    assert not played.of(DoubtRenewed)
    assert played.outcomes() == {"succeeded": 1}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shift", [1, 2, 0], ids=["shifted by one", "by two", "one for all"])
@pytest.mark.parametrize("targets", [2, 6])
def test_nobody_succeeds_with_the_workflow_of_another(targets: int, shift: int, kind: str) -> None:
    played = stage_of(targets, crossed(shift, kind)).play()
    assert right(played)
    assert played.outcomes() == {"succeeded": targets}
    assert all(list(state.jobs) for state in played.run.states.values())
    assert max(played.cloud.books.values()) == 1
    assert set(played.cloud.upgrades.values()) == {1}
    assert not {seen.target for seen in played.of(JobSeen)} - set(played.run.targets)


def test_no_attempt_goes_through_all_that_is_known() -> None:
    stage = stage_of(3)
    stage.known = OnlyLookedUp()
    assert stage.play().outcomes() == {"succeeded": 3}


@pytest.mark.parametrize("number", [0, 1], ids=["of the first", "of the second"])
def test_one_workflow_for_two_proxies_of_one_instance_is_nobodys_until_the_list_names_its_proxy(number: int) -> None:
    def setup(cloud: FakeCloud) -> None:
        cloud.default_fate = NAMED
        keys = list(cloud.proxies)
        for key in keys:
            cloud.acts[key] = [Act(lambda instance, _job: ok((instance, f"wf-default-{number}-0")), effect=True)]

    limits = replace(FREE, per_instance=2)
    played = stage_of(2, setup, per_instance=2, limits=limits).play()
    assert played.outcomes() == {"succeeded": 2}
    assert right(played)
    assert all(len(state.jobs) == 1 for state in played.run.states.values())
    assert set(played.cloud.upgrades.values()) == {1}


def test_a_journal_reads_back_as_it_was_written() -> None:
    stage = stage_of(6, crossed(1, "no instance"))
    played = stage.play()
    run = fold_all(stage.plan, played.records)
    assert {key: state.jobs.keys() for key, state in run.states.items()} == {
        key: state.jobs.keys() for key, state in played.run.states.items()
    }
    assert run.tally.fleet.standing == played.run.tally.fleet.standing


def test_a_workflow_that_the_state_folder_knew_before_is_no_answer() -> None:
    def setup(cloud: FakeCloud) -> None:
        cloud.default_fate = NAMED
        first = next(iter(cloud.proxies))
        cloud.acts[first] = [Act(lambda instance, _job: ok((instance, "wf-of-last-night")), effect=True)]

    stage = stage_of(3, setup)
    stage.known = KnownThen({"wf-of-last-night": 0})
    played = stage.play()
    assert played.state(0).outcome == "succeeded"
    assert list(played.state(0).jobs) == ["wf-default-0-0"]
    first = next(record for record in played.of(AnswerSeen) if record.target == played.state(0).key)
    assert (first.verdict, first.strays) == ("in_doubt", ("wf-of-last-night",))


def test_a_job_that_runs_on_another_instance_is_no_sight_of_ours() -> None:
    played = stage_of(6, crossed(1, "no instance")).play()
    found = [record for record in played.of(DoubtRenewed) if record.workflow_id]
    assert right(played)
    assert all("runs on instance" in record.why for record in found)


def foreign_answers(cloud: FakeCloud) -> None:
    """Each first call but one is answered with a job that runs elsewhere, and starts nothing."""
    for number, key in enumerate(list(cloud.proxies)[1:]):
        cloud.add_foreign(f"elsewhere-{number}", 0.0, Fate(duration_s=30.0))
        cloud.acts[key] = [Act(partial(_foreign, number))]


def _foreign(number: int, _instance: str, _job: str) -> Update:
    return ok((f"elsewhere-{number}", f"foreign-{number}"))


def test_where_a_job_runs_is_asked_once_and_not_by_every_doubt() -> None:
    played = stage_of(20, foreign_answers).play()
    assert played.outcomes() == {"succeeded": 20}
    assert sorted(call.key for call in _asked(played)) == sorted(f"foreign-{number}" for number in range(19))


def test_what_the_cloud_does_not_show_is_not_asked_for_by_every_doubt_either() -> None:
    def setup(cloud: FakeCloud) -> None:
        foreign_answers(cloud)
        cloud.foreign.clear()

    played = stage_of(20, setup).play()
    assert played.outcomes() == {"succeeded": 1, "in_doubt": 19}
    assert len(_asked(played)) <= 3 * 19


def _asked(played: Played) -> list[Called]:
    return [call for call in played.cloud.calls if call.name == "job" and call.key.startswith("foreign")]


def unlisted(told: str) -> Any:
    """The upgrade of the second target is in no list, and its version stays; an answer to `told` names it."""
    fate = Fate(listed=False, flips=None)

    def setup(cloud: FakeCloud) -> None:
        _, second, third = list(cloud.proxies)[:3]
        cloud.fates[second] = fate
        here, there = cloud.proxies[second].instance_id, cloud.proxies[third].instance_id
        names = {
            "itself": lambda _instance, job: ok((there, job)),
            "itself, without an id": lambda _instance, _job: ok((there, "")),
            "another": lambda _instance, _job: ok((there, "of-nobody")),
        }
        cloud.acts[second] = [Act(names[told], effect=True)]
        if told == "another":
            cloud.acts[third] = [Act(lambda _instance, _job: ok((here, "wf-default-1-0")), effect=True)]

    return setup


@pytest.mark.parametrize("told", ["itself", "itself, without an id", "another"])
def test_an_upgrade_in_no_list_that_some_answer_named_is_not_sent_again(told: str) -> None:
    played = stage_of(3, unlisted(told)).play()
    assert set(played.cloud.books.values()) == {1}
    assert set(played.cloud.upgrades.values()) == {1}


@pytest.mark.parametrize("told", ["itself", "another"])
def test_its_workflow_is_found_by_its_id(told: str) -> None:
    played = stage_of(3, unlisted(told)).play()
    assert list(played.state(1).jobs) == ["wf-default-1-0"]
    assert right(played)


def test_a_workflow_that_an_earlier_answer_named_is_not_what_a_later_call_started() -> None:
    """The first call is answered with the workflow of the second target, and about its instance; so is the third."""

    def setup(cloud: FakeCloud) -> None:
        last, middle, first = cloud.proxies.values()  # in the order of their hashes
        cloud.default_fate = NAMED
        early, late = ok((middle.instance_id, "wf-default-1-0")), ok((last.instance_id, "wf-default-1-0"))
        cloud.acts[first.proxy_id] = [Act(lambda _i, _j: early, effect=True)]
        cloud.acts[middle.proxy_id] = [Act(lambda _i, _j: UNREADABLE, effect=True, latency_s=30.0)]
        cloud.acts[last.proxy_id] = [Act(lambda _i, _j: late, effect=True)]

    played = stage_of(3, setup, limits=replace(FREE, concurrency=1)).play()
    answered = {record.target: record for record in played.of(AnswerSeen)}
    assert answered[played.state(0).key].strays == ("wf-default-1-0",)
    assert right(played)
    assert played.outcomes() == {"succeeded": 3}


def test_a_list_knows_better_than_an_answer_on_which_instance_a_workflow_runs() -> None:
    """The first is answered with the workflow of the second, which has no answer, and the list shows where it runs."""

    def setup(cloud: FakeCloud) -> None:
        first, second = list(cloud.proxies)
        cloud.default_fate = NAMED
        cloud.acts[first] = [Act(lambda instance, _job: ok((instance, "wf-default-1-0")), effect=True)]
        cloud.acts[second] = [Act(lambda _i, _j: UNREADABLE, effect=True, latency_s=30.0)]
        cloud.reads = lambda name, _key, number: UNREADABLE if name == "job" and number < 600 else None

    played = stage_of(2, setup).play()
    assert right(played)
    assert played.outcomes() == {"succeeded": 2}
    assert set(played.cloud.upgrades.values()) == {1}
    assert [list(state.jobs) for state in (played.state(0), played.state(1))] == [
        ["wf-default-0-0"],
        ["wf-default-1-0"],
    ]


ONE_BY_ONE = replace(FREE, concurrency=1)


def one_id_for_all(job_id: str, *, effect: bool = True) -> Callable[[FakeCloud], None]:
    def setup(cloud: FakeCloud) -> None:
        cloud.default_fate = NAMED
        for key in cloud.proxies:
            cloud.acts[key] = [Act(lambda _i, _j: ok((None, job_id)), effect=effect)]

    return setup


@pytest.mark.parametrize("visible_after_s", [5.0, 60.0])
@pytest.mark.parametrize("job_id", ["of-nobody", "wf-default-0-0", "wf-default-2-0"])
def test_one_workflow_for_all_one_answer_after_another_is_nobodys(job_id: str, visible_after_s: float) -> None:
    def setup(cloud: FakeCloud) -> None:
        one_id_for_all(job_id)(cloud)
        cloud.default_fate = Fate(named=True, duration_s=300.0, visible_after_s=visible_after_s)

    played = stage_of(3, setup, limits=ONE_BY_ONE).play()
    assert right(played)
    assert played.outcomes() == {"succeeded": 3}
    assert all(len(state.jobs) == 1 for state in played.run.states.values())
    assert set(played.cloud.upgrades.values()) == {1}


def test_what_such_answers_accepted_is_not_sent_again_while_the_cloud_does_not_show_it() -> None:
    played = stage_of(3, one_id_for_all("of-nobody", effect=False), limits=ONE_BY_ONE).play()
    assert played.outcomes() == {"in_doubt": 3}
    assert set(played.cloud.upgrades.values()) == {1}
    assert not any(state.jobs for state in played.run.states.values())


def together(setup: Callable[[FakeCloud], None], **changes: Any) -> Played:
    """Two proxies of one instance, upgraded at the same time, and one elsewhere that shows how jobs are listed."""

    def prepare(cloud: FakeCloud) -> None:
        cloud.default_fate = NAMED
        setup(cloud)

    limits = replace(FREE, per_instance=2)
    return stage_of(3, prepare, per_instance=2, limits=limits, **changes).play()


@pytest.mark.parametrize("status", ["Completed", "Failed"])
def test_a_job_that_names_the_proxy_is_not_the_neighbours_whatever_an_answer_said(status: str) -> None:
    """The first is answered with the workflow of the second, whose own answer is lost; both are on one instance."""

    def setup(cloud: FakeCloud) -> None:
        first, second, _ = list(cloud.proxies)
        cloud.fates[second] = Fate(named=True, status=status, flips=None if status == "Failed" else 1.0)
        cloud.acts[first] = [Act(lambda instance, _job: ok((instance, "wf-default-1-0")), effect=True)]
        cloud.acts[second] = [Act(lambda _i, _j: UNREADABLE, effect=True, latency_s=30.0)]

    played = together(setup)
    assert right(played)
    assert set(played.cloud.upgrades.values()) == {1}
    assert [list(played.state(number).jobs) for number in (0, 1)] == [["wf-default-0-0"], ["wf-default-1-0"]]


def test_nor_when_the_neighbour_is_settled_and_looks_at_no_job() -> None:
    """The first is settled by its answer, and follows nothing that would say whose the workflow is."""

    def setup(cloud: FakeCloud) -> None:
        first, second, _ = list(cloud.proxies)
        cloud.fates[second] = Fate(named=True, status="Failed", flips=None)
        cloud.acts[first] = [Act(lambda instance, _job: ok((instance, "wf-default-1-0")), effect=True)]
        cloud.acts[second] = [Act(lambda _i, _j: UNREADABLE, effect=True, latency_s=30.0)]

    played = together(setup, follow=Follow(to="accepted"))
    assert set(played.cloud.upgrades.values()) == {1}
    assert list(played.state(1).jobs) == ["wf-default-1-0"]


@pytest.mark.parametrize(
    ("named", "listed"), [(True, True), (False, True), (False, False)], ids=["named", "named nobody", "not listed"]
)
@pytest.mark.parametrize("state", ["ACCEPT", "QUEUED"])
def test_two_neighbours_that_share_an_answer_start_one_upgrade_each(named: bool, state: str, listed: bool) -> None:
    """Both are answered with the workflow of the first; both fail."""

    def setup(cloud: FakeCloud) -> None:
        first, second, _ = list(cloud.proxies)
        entry = Entry(workflow_id="wf-default-0-0", state=state)
        for key in (first, second):
            cloud.acts[key] = [Act(lambda _i, _j: Answered((entry,), Exchange(http_status=200)), effect=True)]
            cloud.fates[key] = Fate(named=named, status="Failed", flips=None)
        cloud.fates[second] = replace_fate(cloud.fates[second], listed=listed)

    played = together(setup)
    assert set(played.cloud.books.values()) == {1}
    assert right(played)


def test_answers_that_are_crossed_on_one_instance_are_found_out_by_whom_the_jobs_name() -> None:
    def setup(cloud: FakeCloud) -> None:
        cloud.default_fate = NAMED
        for number, key in enumerate(cloud.proxies):
            cloud.acts[key] = [Act(partial(_told, f"wf-default-{number ^ 1:x}-0"), effect=True)]

    played = stage_of(20, setup, per_instance=2, limits=replace(FREE, per_instance=2)).play()
    assert right(played)
    assert played.outcomes() == {"succeeded": 20}
    assert set(played.cloud.upgrades.values()) == {1}


def _told(job: str, instance: str, _job: str) -> Update:
    return ok((instance, job))


def test_one_that_was_settled_before_another_was_given_its_workflow_keeps_its_outcome_without_it() -> None:
    setup = one_id_for_all("of-nobody")
    played = stage_of(2, setup, limits=ONE_BY_ONE, follow=Follow(to="accepted")).play()
    first, second = sorted(played.run.states.values(), key=lambda state: state.attempts[0].intent.at)
    assert (first.outcome, dict(first.jobs)) == ("accepted", {})
    assert first.evidence == ["workflow of-nobody was given to another target too", NOT_RECOVERED]
    assert list(second.jobs) == [job.job_id for job in played.cloud.by_proxy[second.key]]
