"""What the evidence allows: every condition, removed one by one, changes the conclusion."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator.executor.scope.jobs.job_list import JobList
from orchestrator.executor.target.doubt import Doubt, Sight
from orchestrator.executor.target.evidence import (
    Adopt,
    Happened,
    NeverBegan,
    Unknown,
    known_elsewhere,
    weigh,
)
from orchestrator.model.learned.told_elsewhere import ToldElsewhere
from orchestrator.model.reply.reply import Job, ProxyHealth, ProxyVersion

AT = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)
INSTANCE, OTHER_INSTANCE = f"{1:032x}in07", f"{2:032x}in07"
PROXY, OTHER_PROXY = f"{1:032x}po01", f"{2:032x}po01"
OLD, NEW = "2.23.12.000", "2.24.03.000"
NAME = "UpgradeProxy"

DOUBT = Doubt(
    proxy_id=PROXY,
    instance_id=INSTANCE,
    source_version=OLD,
    target_version=NEW,
    earliest=AT,
    latest=AT + timedelta(minutes=15),
    not_before=AT,
    suspects=(),
    ours={"shown", "elsewhere"},
    claimed=(),
    presence={"shown"},
    job_names={NAME},
    alone=True,
    accepted=False,
    period_over=True,
)
SHOWN = Job(job_id="shown", name=NAME, status="Completed", instance_id=OTHER_INSTANCE, created_at=AT, ended_at=AT)
OURS = Job(job_id="it", name=NAME, status="Running", instance_id=INSTANCE, created_at=AT + timedelta(seconds=1))
ACTIVE = ProxyHealth(status="ACTIVE", nodes=("ACTIVE", "ACTIVE"))
NOTHING_SEEN = Sight(
    listing=JobList((SHOWN,), AT - timedelta(minutes=5), AT + timedelta(hours=1), complete=True),
    version=ProxyVersion(current_version=OLD),
    health=ACTIVE,
)


def seeing(*jobs: Job, version: str = OLD, complete: bool = True, shown: bool = True) -> Sight:
    listed = (*((SHOWN,) if shown else ()), *jobs)
    return Sight(
        listing=JobList(listed, AT - timedelta(minutes=5), AT + timedelta(hours=1), complete=complete),
        version=ProxyVersion(current_version=version),
        health=ACTIVE,
    )


def job(**changes: Any) -> Job:
    return replace(OURS, **changes)


A_WHILE_AGO = AT - timedelta(seconds=100)
A_MINUTE_AGO = job(status="Completed", created_at=AT - timedelta(seconds=61), ended_at=AT - timedelta(seconds=52))
LONG_AGO = {"status": "Failed", "created_at": AT - timedelta(hours=1), "ended_at": AT - timedelta(minutes=50)}


# --- rule 4: it did not happen ----------------------------------------------------------------------------------------


def test_with_every_condition_it_never_began() -> None:
    conclusion = weigh(DOUBT, NOTHING_SEEN)
    assert isinstance(conclusion, NeverBegan)
    assert "shown" in conclusion.evidence


MISSING_CONDITIONS: dict[str, tuple[Doubt, Sight]] = {
    "list unreadable": (DOUBT, replace(NOTHING_SEEN, listing=None)),
    "list incomplete": (DOUBT, seeing(complete=False)),
    "no presence": (DOUBT, seeing(shown=False)),
    "presence of another scope": (replace(DOUBT, presence={"elsewhere"}), NOTHING_SEEN),
    "a job runs on the instance": (DOUBT, seeing(job(name="Backup"))),
    "a job waits on the instance": (DOUBT, seeing(job(name="Backup", status="Unauthorized"))),
    "a job of our name ended there": (
        DOUBT,
        seeing(job(status="Failed", ended_at=AT + timedelta(minutes=1), created_at=None)),
    ),
    "a job names the proxy": (DOUBT, seeing(job(name="X", status="Failed", extend_fields=PROXY, created_at=None))),
    "a job of our name has no end": (DOUBT, seeing(job(status="Completed", created_at=None))),
    "a job of no instance has our name": (DOUBT, seeing(job(instance_id=None))),
    "a job of no instance names the proxy": (
        DOUBT,
        seeing(job(name="X", status="Failed", instance_id="", extend_fields=PROXY, created_at=None)),
    ),
    "a job without a name ended there": (
        DOUBT,
        seeing(job(name=None, status="Failed", ended_at=AT + timedelta(minutes=1))),
    ),
    "a job under another instance names the proxy": (
        DOUBT,
        seeing(job(instance_id=OTHER_INSTANCE, extend_fields=PROXY, status="Failed", ended_at=AT)),
    ),
    "a job that ran since ended before, by a wrong clock": (replace(DOUBT, suspects={"it"}), seeing(job(**LONG_AGO))),
    "a job ended before by one clock and not by another": (
        replace(DOUBT, not_before=AT - timedelta(hours=2)),
        seeing(job(**LONG_AGO)),
    ),
    "a job that could be it is shown no more": (replace(DOUBT, suspects={"it"}), NOTHING_SEEN),
    "version unreadable": (DOUBT, replace(NOTHING_SEEN, version=None)),
    "another version": (DOUBT, seeing(version="2.23.13.000")),
    "health unreadable": (DOUBT, replace(NOTHING_SEEN, health=None)),
    "proxy not listed": (DOUBT, replace(NOTHING_SEEN, health=ProxyHealth(status=None))),
    "a node not active": (DOUBT, replace(NOTHING_SEEN, health=ProxyHealth(status="ACTIVE", nodes=("ACTIVE", "X")))),
    "period not over": (replace(DOUBT, period_over=False), NOTHING_SEEN),
    "an answer to another question accepted something": (DOUBT, replace(NOTHING_SEEN, unexplained=("accepted",))),
    "a job that is not listed was named": (DOUBT, replace(NOTHING_SEEN, named=(job(created_at=None),))),
    "it was accepted": (replace(DOUBT, accepted=True), NOTHING_SEEN),
}


@pytest.mark.parametrize(("doubt", "sight"), MISSING_CONDITIONS.values(), ids=MISSING_CONDITIONS)
def test_without_any_one_condition_it_stays_unknown(doubt: Doubt, sight: Sight) -> None:
    assert isinstance(weigh(doubt, sight), Unknown)


STILL_NOTHING: dict[str, tuple[Doubt, Sight]] = {
    "a job that ended before": (
        DOUBT,
        seeing(job(status="Completed", created_at=AT - timedelta(minutes=4), ended_at=AT - timedelta(minutes=1))),
    ),
    "a job that ended long before": (DOUBT, seeing(job(**LONG_AGO))),
    "a job that could be it and turned out to be another's": (replace(DOUBT, suspects={"elsewhere"}), NOTHING_SEEN),
    "a job that could be it and runs on another instance": (
        replace(DOUBT, suspects={"it"}),
        seeing(job(instance_id=OTHER_INSTANCE)),
    ),
    "a job of ours": (replace(DOUBT, ours={"shown", "it"}), seeing(OURS)),
    "a job on another instance": (DOUBT, seeing(job(instance_id=OTHER_INSTANCE))),
    "another kind of job that has ended": (DOUBT, seeing(job(name="Backup", status="Completed"))),
}


@pytest.mark.parametrize(("doubt", "sight"), STILL_NOTHING.values(), ids=STILL_NOTHING)
def test_jobs_that_have_nothing_to_do_with_it(doubt: Doubt, sight: Sight) -> None:
    assert isinstance(weigh(doubt, sight), NeverBegan)


def test_a_job_that_an_answer_named_and_no_list_shows_is_adopted() -> None:
    unlike = job(name="Unlike")
    conclusion = weigh(DOUBT, replace(NOTHING_SEEN, named=(unlike,)))
    assert isinstance(conclusion, Adopt)
    assert conclusion.workflow_ids == ("it",)


def test_the_list_itself_tells_what_jobs_of_ours_are_named() -> None:
    doubt = replace(DOUBT, job_names=set())
    ended = job(status="Completed", ended_at=AT + timedelta(minutes=5))
    assert weigh(doubt, seeing(ended)) == weigh(DOUBT, seeing(ended))
    assert isinstance(weigh(doubt, seeing(ended)), Adopt)


# --- rule 2: it happened, and this is the job -------------------------------------------------------------------------


def test_the_only_job_of_our_name_is_it() -> None:
    conclusion = weigh(DOUBT, seeing(OURS))
    assert isinstance(conclusion, Adopt)
    assert conclusion.workflow_ids == ("it",)


def test_the_job_that_the_answer_named_is_it() -> None:
    for found in (job(), job(name="Whatever", extend_fields=PROXY)):
        assert isinstance(weigh(replace(DOUBT, named={"it"}, shown_before={"other"}), seeing(found)), Adopt)


def test_a_job_that_names_the_proxy_is_it_whatever_a_list_had_shown_and_an_answer_named() -> None:
    """A wrong answer hides nothing, and a call that was not executed may have started it."""
    doubt = replace(DOUBT, named={"other"}, shown_before={"it"})
    assert isinstance(weigh(doubt, seeing(job(extend_fields=PROXY))), Adopt)


ADOPTED = {
    "named by name": job(),
    "of no instance, but names the proxy": job(instance_id=None, extend_fields=PROXY),
    "ended before it was created, by a wrong time": job(status="Failed", ended_at=AT - timedelta(days=1)),
    "names the proxy": job(name="Whatever", extend_fields=f'{{"proxy":"{PROXY}"}}'),
    "ended since": job(status="Failed", ended_at=AT + timedelta(minutes=9)),
    "a little before by its clock": job(created_at=AT - timedelta(minutes=4)),
    "ended in the second of the intent": job(
        status="Failed", created_at=AT - timedelta(seconds=1), ended_at=AT - timedelta(seconds=1)
    ),
}


@pytest.mark.parametrize("found", ADOPTED.values(), ids=ADOPTED)
def test_a_job_that_is_adopted(found: Any) -> None:
    for period_over, version in product((True, False), (OLD, NEW)):
        assert isinstance(weigh(replace(DOUBT, period_over=period_over), seeing(found, version=version)), Adopt)


@pytest.mark.parametrize("version", [OLD, NEW])
@pytest.mark.parametrize("suspects", [(), ("earlier",)])
def test_a_job_that_ended_before_by_the_likeliest_clock_does_not_hide_the_one_in_time(
    version: str, suspects: tuple[str, ...]
) -> None:
    doubt = replace(DOUBT, not_before=A_WHILE_AGO, suspects=suspects)
    conclusion = weigh(doubt, seeing(replace(A_MINUTE_AGO, job_id="earlier"), OURS, version=version))
    assert isinstance(conclusion, Adopt)
    assert conclusion.workflow_ids == ("it",)


NOT_ADOPTED = {
    "ended before by the likeliest clock, and since by another": (
        replace(DOUBT, not_before=A_WHILE_AGO),
        (A_MINUTE_AGO,),
    ),
    "the same, seen at a look before": (
        replace(DOUBT, not_before=A_WHILE_AGO, suspects={"it"}),
        (A_MINUTE_AGO,),
    ),
    "created long before": (DOUBT, (job(created_at=AT - timedelta(minutes=6)),)),
    "without an instant": (DOUBT, (job(created_at=None),)),
    "of another proxy": (DOUBT, (job(extend_fields=f'"{OTHER_PROXY}"'),)),
    "of another name": (DOUBT, (job(name="Backup"),)),
    "while another target is in doubt there": (replace(DOUBT, alone=False), (job(),)),
    "two of our name": (DOUBT, (job(), job(job_id="it2"))),
    "of our name, and a list had shown it before": (replace(DOUBT, shown_before={"it"}), (job(),)),
    "of our name, and the answer named another": (replace(DOUBT, named={"other"}), (job(),)),
    "of our name, that a neighbour has": (replace(DOUBT, claimed={"it"}), (job(),)),
    "without an id": (DOUBT, (job(job_id="", extend_fields=PROXY),)),
    "names the proxy under another instance": (DOUBT, (job(instance_id=OTHER_INSTANCE, extend_fields=PROXY),)),
    "one beside one that names the proxy under another instance": (
        DOUBT,
        (job(), job(job_id="it2", instance_id=OTHER_INSTANCE, extend_fields=PROXY)),
    ),
    "one beside one that is shown no more": (replace(DOUBT, suspects={"it2"}), (job(),)),
    "one beside one without an instant": (DOUBT, (job(), job(job_id="it2", created_at=None))),
    "one that names it beside one of our name": (DOUBT, (job(extend_fields=PROXY), job(job_id="it2"))),
}


@pytest.mark.parametrize(("doubt", "jobs"), NOT_ADOPTED.values(), ids=NOT_ADOPTED)
def test_jobs_that_are_not_adopted_and_still_forbid_another_attempt(doubt: Doubt, jobs: Any) -> None:
    assert isinstance(weigh(doubt, seeing(*jobs)), Unknown)


@pytest.mark.parametrize(
    "spoiled", [{"name": "Upgrade\N{REPLACEMENT CHARACTER}"}, {"extend_fields": "\N{REPLACEMENT CHARACTER}po01"}]
)
def test_a_job_whose_name_cannot_be_read_may_be_it_and_is_not_shown_to_be(spoiled: Any) -> None:
    ended = job(**spoiled, status="Failed", ended_at=AT + timedelta(minutes=1))
    conclusion = weigh(DOUBT, seeing(ended))
    assert isinstance(conclusion, Unknown)
    assert "could be it" in conclusion.why
    assert isinstance(weigh(DOUBT, seeing(ended, job(job_id="other"))), Unknown)


def test_the_case_of_letters_hides_no_job() -> None:
    conclusion = weigh(DOUBT, seeing(job(instance_id=INSTANCE.upper(), extend_fields=PROXY.upper(), name="other")))
    assert isinstance(conclusion, Adopt)
    assert not isinstance(weigh(DOUBT, seeing(job(job_id="ELSEWHERE", name=NAME, status="Failed"))), Adopt)
    in_capitals = JobList((job(job_id="SHOWN", instance_id=OTHER_INSTANCE),), AT, AT, complete=True)
    assert isinstance(weigh(replace(DOUBT, job_names=set()), replace(NOTHING_SEEN, listing=in_capitals)), NeverBegan)


def test_a_known_workflow_of_another_run_is_not_it() -> None:
    conclusion = weigh(replace(DOUBT, ours={"shown", "it"}), seeing(OURS))
    assert not isinstance(conclusion, Adopt)


def test_a_job_that_names_the_proxy_is_it_even_beside_other_doubts() -> None:
    assert isinstance(weigh(replace(DOUBT, alone=False), seeing(job(extend_fields=PROXY))), Adopt)


def test_the_clouds_clock_is_heeded() -> None:
    late = job(created_at=AT - timedelta(minutes=30))
    assert isinstance(weigh(replace(DOUBT, earliest=AT - timedelta(minutes=30)), seeing(late)), Adopt)
    assert isinstance(weigh(replace(DOUBT, earliest=AT + timedelta(minutes=30)), seeing(job())), Unknown)


# --- ids that another run of the state folder has, too ----------------------------------------------------------------

ENDED = job(status="Failed", ended_at=AT + timedelta(minutes=5))
LIVED = {"status": "Completed", "created_at": AT - timedelta(seconds=30), "ended_at": AT + timedelta(minutes=5)}


def told(**changes: Any) -> ToldElsewhere:
    """Of an upgrade that another run began on the instance with ours, and that its answer named two seconds later."""
    values = {
        "fleet": "other",
        "run_id": "run-1",
        "proxy_id": OTHER_PROXY,
        "instance_id": INSTANCE,
        "sent": AT + timedelta(seconds=1),
        "told": AT + timedelta(seconds=3),
    }
    return ToldElsewhere(**{**values, **changes})


def beside(telling: ToldElsewhere | None, **changes: Any) -> Doubt:
    return replace(DOUBT, ours={"shown", "it"}, elsewhere={"it": telling}, **changes)


AN_HOUR_BEFORE = {"sent": AT - timedelta(hours=1), "told": AT - timedelta(minutes=59)}
ALL_THE_SAME_OURS: dict[str, tuple[Doubt, Job]] = {
    "younger than the intent, and the id was known before": (beside(told(**AN_HOUR_BEFORE)), ENDED),
    "begun in the second of the intent, and the id was known before": (
        beside(told(sent=AT - timedelta(seconds=1), told=AT)),
        replace(ENDED, created_at=AT - timedelta(seconds=1)),
    ),
    "the other upgrade was on another instance": (beside(told(instance_id=OTHER_INSTANCE)), ENDED),
    "the job names our proxy": (beside(told()), replace(ENDED, extend_fields=PROXY)),
    "older than the intent, and long after the other answer": (
        beside(told(**AN_HOUR_BEFORE)),
        replace(ENDED, created_at=AT - timedelta(minutes=4)),
    ),
    "older than the other intent": (
        beside(told(sent=AT + timedelta(seconds=30), told=AT + timedelta(seconds=31))),
        ENDED,
    ),
    "long after the other answer": (beside(told()), replace(ENDED, created_at=AT + timedelta(minutes=9))),
    "without an instant": (beside(told()), replace(ENDED, created_at=None)),
    "nothing more is told": (beside(None), ENDED),
    "of another name": (beside(None), replace(ENDED, name="Backup")),
    "it runs": (beside(told(instance_id=OTHER_INSTANCE)), OURS),
}


@pytest.mark.parametrize(("doubt", "found"), ALL_THE_SAME_OURS.values(), ids=ALL_THE_SAME_OURS)
def test_an_id_that_another_run_has_does_not_explain_a_job_that_is_not_what_that_run_tells_of(
    doubt: Doubt, found: Job
) -> None:
    """A cloud that gives an id twice must not make us send twice. The job is not taken for ours either."""
    for period_over in (True, False):
        conclusion = weigh(replace(doubt, period_over=period_over), seeing(found))
        assert isinstance(conclusion, Unknown)
        assert conclusion.jobs == ("it",)


def test_the_evidence_says_which_run_of_which_fleet_has_the_id() -> None:
    conclusion = weigh(beside(told(instance_id=OTHER_INSTANCE)), seeing(ENDED))
    assert isinstance(conclusion, Unknown)
    assert conclusion.why == (
        f"job it on the instance could be it (run run-1 of fleet other has that workflow_id, for proxy {OTHER_PROXY})"
    )


THEIRS: dict[str, tuple[ToldElsewhere, Job]] = {
    "begun when the other call was made": (told(), ENDED),
    "that names the other proxy": (told(), replace(ENDED, extend_fields=OTHER_PROXY)),
    "begun before the intent, and ended since": (told(sent=AT - timedelta(seconds=31), told=AT), job(**LIVED)),
    "adopted by the other run after its own doubt": (told(told=AT + timedelta(minutes=20)), ENDED),
}


@pytest.mark.parametrize(("telling", "found"), THEIRS.values(), ids=THEIRS)
def test_the_very_job_that_another_run_tells_of_is_that_runs(telling: ToldElsewhere, found: Job) -> None:
    assert isinstance(weigh(beside(telling), seeing(found)), NeverBegan)


def test_one_that_was_seen_and_is_shown_no_more_is_anothers_only_if_it_can_have_been() -> None:
    suspects = {"it"}
    for telling in (None, told(**AN_HOUR_BEFORE), told(instance_id=OTHER_INSTANCE)):
        conclusion = weigh(beside(telling, suspects=suspects), NOTHING_SEEN)
        assert isinstance(conclusion, Unknown)
        assert "shown no more" in conclusion.why
    assert isinstance(weigh(beside(told(), suspects=suspects), NOTHING_SEEN), NeverBegan)


def test_the_journals_are_asked_only_for_ids_that_bear_on_the_question() -> None:
    doubt = replace(DOUBT, ours={"shown", "it", "old", "elsewhere", "seen"}, suspects={"seen"})
    sight = replace(
        seeing(OURS, job(job_id="old", **LONG_AGO), job(job_id="elsewhere", instance_id=OTHER_INSTANCE)),
        named=(job(job_id="unknown"),),
    )
    assert known_elsewhere(doubt, sight) == {"it", "seen"}


# --- rule 3: the version says that it happened ------------------------------------------------------------------------


def test_the_version_says_that_it_happened_but_the_job_is_looked_for_first() -> None:
    assert isinstance(weigh(replace(DOUBT, period_over=False), seeing(version=NEW)), Unknown)
    conclusion = weigh(DOUBT, seeing(version=NEW))
    assert isinstance(conclusion, Happened)
    assert conclusion.evidence == "version only, workflow_id not recovered"


@pytest.mark.parametrize("sight", [seeing(version=NEW, complete=False), seeing(version=NEW, shown=False)])
def test_for_that_the_list_need_prove_nothing(sight: Sight) -> None:
    assert isinstance(weigh(DOUBT, sight), Happened)


def test_while_a_job_runs_there_its_end_is_waited_for_whatever_the_version() -> None:
    conclusion = weigh(DOUBT, seeing(job(name="Backup"), version=NEW))
    assert isinstance(conclusion, Unknown)
    assert conclusion.began


def test_what_was_accepted_began_whatever_else_is_seen() -> None:
    accepted = replace(DOUBT, accepted=True)
    for sight in (NOTHING_SEEN, replace(NOTHING_SEEN, listing=None), seeing(job(), job(job_id="it2"))):
        conclusion = weigh(accepted, sight)
        assert isinstance(conclusion, Unknown)
        assert conclusion.began


def test_several_candidates_forbid_to_send_again_whatever_the_version() -> None:
    for version in (OLD, NEW):
        assert isinstance(weigh(DOUBT, seeing(job(), job(job_id="it2"), version=version)), Unknown)


def test_of_several_candidates_none_is_adopted_but_the_version_still_says_that_it_happened() -> None:
    ended = {"status": "Completed", "ended_at": AT + timedelta(minutes=5)}
    sight = seeing(job(**ended), job(job_id="it2", **ended), version=NEW)
    assert isinstance(weigh(replace(DOUBT, period_over=False), sight), Unknown)
    passed_over = "several jobs could be it: it, it2, and none was taken for it"
    assert weigh(DOUBT, sight) == Happened(NEW, f"version only, workflow_id not recovered; {passed_over}")


HOURS_OFF = {"created_at": AT + timedelta(hours=8), "ended_at": AT + timedelta(hours=9), "status": "Completed"}
SPAN = "what was sent can have begun it from 2026-03-01 21:55:00+00:00 to 2026-03-01 22:20:00+00:00, and it was created"


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (job(**HOURS_OFF), f"{SPAN} 2026-03-02 06:00:00+00:00, ended 2026-03-02 07:00:00+00:00"),
        (job(**HOURS_OFF, extend_fields=PROXY), f"{SPAN} 2026-03-02 06:00:00+00:00, ended 2026-03-02 07:00:00+00:00"),
        (job(status="Completed", created_at=None, ended_at=AT), f"{SPAN} at no known time, ended 2026-03-01 22:00:00"),
        (A_MINUTE_AGO, f"{SPAN} 2026-03-01 21:58:59+00:00, ended 2026-03-01 21:59:08+00:00"),
        (job(**LONG_AGO), None),
        (job(status="Completed", ended_at=AT + timedelta(minutes=1), extend_fields=OTHER_PROXY), "nothing shows that"),
    ],
)
def test_a_job_that_is_not_adopted_beside_the_version_is_named_with_what_speaks_against_it(
    found: Job, why: str | None
) -> None:
    conclusion = weigh(replace(DOUBT, not_before=AT - timedelta(minutes=10)), seeing(found, version=NEW))
    assert isinstance(conclusion, Happened)
    told = "; job it on the instance could be it, and was not taken for it: "
    assert conclusion.evidence.startswith("version only, workflow_id not recovered")
    assert (told in conclusion.evidence, (why or "") in conclusion.evidence) == (why is not None, True)


# --- everything together ----------------------------------------------------------------------------------------------

jobs = st.builds(
    Job,
    job_id=st.sampled_from(["shown", "it", "it2", "elsewhere"]),
    name=st.sampled_from([NAME, "Backup", None]),
    status=st.sampled_from(["Running", "Completed", "Failed", "Unauthorized", "?"]),
    instance_id=st.sampled_from([INSTANCE, OTHER_INSTANCE, None]),
    created_at=st.sampled_from([None, AT, AT - timedelta(hours=1), AT + timedelta(minutes=1)]),
    ended_at=st.sampled_from([None, AT - timedelta(minutes=1), AT + timedelta(minutes=2)]),
    extend_fields=st.sampled_from([None, PROXY, OTHER_PROXY]),
)


@given(
    listed=st.none() | st.lists(jobs, max_size=4, unique_by=lambda job: job.job_id),
    complete=st.booleans(),
    version=st.sampled_from([None, OLD, NEW, "2.23.13.000"]),
    active=st.sampled_from([None, ACTIVE, ProxyHealth(status="ABNORMAL")]),
    alone=st.booleans(),
    accepted=st.booleans(),
    period_over=st.booleans(),
)
def test_it_is_sent_again_only_with_all_the_evidence(
    listed: Any, complete: bool, version: Any, active: Any, alone: bool, accepted: bool, period_over: bool
) -> None:
    doubt = replace(DOUBT, alone=alone, accepted=accepted, period_over=period_over)
    listing = None if listed is None else JobList(tuple(listed), AT, AT, complete=complete)
    sight = Sight(listing=listing, version=version and ProxyVersion(current_version=version), health=active)
    conclusion = weigh(doubt, sight)
    if isinstance(conclusion, NeverBegan):
        assert listing is not None
        assert complete
        assert period_over
        assert not accepted
        assert version == OLD
        assert active is ACTIVE
        assert "shown" in {each.key for each in listing.jobs}
        strangers = [each for each in listing.of_instance(INSTANCE) if each.job_id not in doubt.ours]
        assert all(each.status in ("Completed", "Failed") for each in strangers)
        assert not any(
            each.extend_fields == PROXY and not each.ended_at for each in listing.jobs if each.job_id != "shown"
        )
    if isinstance(conclusion, Adopt):
        assert listing is not None
        found = next(each for each in listing.jobs if each.job_id in conclusion.workflow_ids)
        assert found.instance_id == INSTANCE or (not found.instance_id and found.extend_fields == PROXY)
        assert found.job_id not in doubt.ours
    if isinstance(conclusion, Happened):
        assert version == NEW
        assert period_over


def test_a_job_created_after_the_doubt_period_is_not_it() -> None:
    ends = DOUBT.latest
    assert isinstance(weigh(DOUBT, seeing(job(created_at=ends + timedelta(minutes=5)))), Adopt)
    later = weigh(DOUBT, seeing(job(created_at=ends + timedelta(minutes=5, seconds=1))))
    assert isinstance(later, Unknown)
    assert "could be it" in later.why
