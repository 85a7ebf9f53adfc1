"""The fold: what it keeps, that it never contradicts itself, and that it does not depend on how often it is done."""

from datetime import timedelta
from typing import get_args

import pytest
from fakes.plausible import PlausibleRun
from fakes.recorded import BEGIN, NEW, OLD, empty_run, make_plan, make_targets, run_started
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from orchestrator.model.record import record as r
from orchestrator.model.record.moment import Moment
from orchestrator.model.record.outcome import NOT_RECOVERED, Outcome, Phase
from orchestrator.model.reply.reply import Entry
from orchestrator.model.run import fold
from orchestrator.model.run.run import Run
from orchestrator.model.run.state import TargetState
from orchestrator.tracker.report.rejects import refusals_of

KEY = make_targets(1)[0].proxy_id


def fresh(count: int = 2) -> Run:
    targets = make_targets(count)
    return empty_run(make_plan(targets), targets)


def intent(attempt: int = 1) -> r.Intent:
    return r.Intent(
        at=BEGIN,
        target=KEY,
        attempt=attempt,
        wave="canary",
        token=f"t{attempt}",
        source_version=OLD,
        target_version=NEW,
    )


def answer(verdict: r.Verdict, *entries: Entry, attempt: int = 1, error_msg: str | None = None) -> r.AnswerSeen:
    return r.AnswerSeen(
        at=BEGIN, target=KEY, attempt=attempt, verdict=verdict, update_result=entries, error_msg=error_msg
    )


ACCEPT = Entry(instance_id="i", workflow_id="w1", state="ACCEPT")
REJECT = Entry(instance_id="i", state="REJECT", error_message="no subnet ip")


def after(*records: r.Record) -> Run:
    run = fresh()
    for record in records:
        run.apply(record)
    return run


@given(st.integers(0, 10_000), st.integers(0, 120))
def test_outcomes_and_open_and_waiting_always_add_up(seed: int, steps: int) -> None:
    run = PlausibleRun(seed).steps(steps).run
    states = [run.state(proxy_id) for proxy_id in run.targets]
    assert run.settled == sum(state.phase is Phase.SETTLED for state in states)
    assert run.waiting == sum(state.phase is Phase.WAITING for state in states)
    assert run.tally.fleet.open == sum(state.is_open for state in states)
    assert run.settled + run.waiting + run.tally.fleet.open == run.total


def test_a_target_that_nothing_strange_happened_to_keeps_no_set_of_its_own() -> None:
    state = after(intent(), answer("accepted", replace(ACCEPT, instance_id=None))).states[KEY]
    assert state.jobs
    untouched = TargetState(state.target)
    for name in ("suspects", "disowned", "shared"):
        assert getattr(state, name) is getattr(untouched, name)


def test_a_workflow_that_is_kept_in_several_places_is_one_object() -> None:
    run = after(intent(), answer("accepted", replace(ACCEPT, instance_id=None)))
    state = run.states[KEY]
    kept = [*state.jobs, *run.workflows, *run.accepted, *run.accepted_on.of(state.target.instance_id)]
    assert kept == ["w1"] * 4
    assert len(set(map(id, kept))) == 1


@given(st.integers(0, 10_000), st.integers(0, 120))
def test_a_target_is_settled_exactly_when_it_has_an_outcome(seed: int, steps: int) -> None:
    run = PlausibleRun(seed).steps(steps).run
    for state in run.states.values():
        assert (state.phase is Phase.SETTLED) == (state.outcome is not None)


@given(st.integers(0, 10_000), st.integers(0, 120))
def test_folding_the_same_records_again_gives_the_same_state(seed: int, steps: int) -> None:
    live = PlausibleRun(seed).steps(steps)
    again = empty_run(live.plan, live.targets)
    for record in live.records:
        again.apply(record)
    assert {key: asdict(state) for key, state in again.states.items() if state.attempts} == {
        key: asdict(state) for key, state in live.run.states.items() if state.attempts
    }
    assert again.tally == live.run.tally
    assert again.hold == live.run.hold
    assert again.workflows == live.run.workflows


def test_an_acceptance_makes_its_workflow_ours() -> None:
    run = after(intent(), answer("accepted", ACCEPT))
    assert run.workflows == {"w1": KEY}
    assert run.state(KEY).unfinished_jobs == ["w1"]


def test_a_partial_answer_keeps_both_entries_and_counts_the_reason() -> None:
    run = after(intent(), answer("partial", ACCEPT, REJECT))
    assert run.state(KEY).entries == (ACCEPT, REJECT)
    assert run.rejects == {"no subnet ip": 1}
    assert list(run.state(KEY).jobs) == ["w1"]


def test_an_answer_that_comes_after_a_person_settled_changes_no_outcome_but_is_kept() -> None:
    settled = r.Settled(at=BEGIN, target=KEY, outcome=Outcome.FAILED, settled_by="ann", note="looked")
    run = after(intent(), settled, answer("accepted", ACCEPT))
    state = run.state(KEY)
    assert (state.phase, state.outcome, list(state.jobs)) == (Phase.SETTLED, Outcome.FAILED, ["w1"])
    assert run.tally.fleet.open == 0


def test_the_version_of_the_latest_preflight_is_kept() -> None:
    seen = r.PreflightDone(
        at=BEGIN, target=KEY, wave="canary", current_version=OLD, latest_version=NEW, can_upgrade=None
    )
    assert after(seen).state(KEY).read_version == OLD


def test_a_failed_second_verification_turns_the_outcome() -> None:
    settled = r.Settled(at=BEGIN, target=KEY, outcome=Outcome.SUCCEEDED, wave="canary")
    reverified = r.Reverified(at=BEGIN, target=KEY, healthy=False, finding="node ABNORMAL")
    run = after(settled, reverified)
    assert run.state(KEY).outcome is Outcome.FAILED
    assert run.tally.waves["canary"].failed == 1


def test_what_was_read_last_is_told() -> None:
    settled = r.Settled(at=BEGIN, target=KEY, outcome=Outcome.SUCCEEDED, wave="canary", verified_version=NEW)
    gone_back = r.Reverified(at=BEGIN, target=KEY, healthy=False, finding="it runs the old one", version=OLD)
    unread = r.Reverified(at=BEGIN, target=KEY, healthy=False, finding="node ABNORMAL")
    assert after(settled, gone_back).state(KEY).verified_version == OLD
    assert after(settled, unread).state(KEY).verified_version == NEW


def test_a_new_attempt_has_no_reason_of_the_one_before() -> None:
    busy = r.Postponed(at=BEGIN, target=KEY, wave="canary", why="backup", until=BEGIN, busy=True, error_code="DBS.1")
    state = after(busy, intent()).state(KEY)
    assert (state.reason, state.error_code) == (None, None)


def test_a_release_knows_every_reason_seen_so_far() -> None:
    run = after(intent(), answer("rejected", REJECT), r.HoldReleased(at=BEGIN, by="ann", note="fine"))
    assert run.known_rejects == {"no subnet ip"}


def test_a_reason_that_differs_in_a_number_from_one_known_is_not_new() -> None:
    told = [Entry(state="REJECT", error_message=f"subnet: {free} free") for free in range(1, 11)]
    run = after(
        *(each for n, entry in enumerate(told, 1) for each in (intent(n), answer("rejected", entry, attempt=n)))
    )
    assert run.rejects == {"subnet: # free": 10}
    assert run.new_rejects == {"subnet: # free": "subnet: 1 free"}


def test_what_an_older_journal_knows_word_for_word_is_known_by_its_signature() -> None:
    run = fresh()
    run.apply(run_started(2, known_rejects=("subnet: 1 free",)))
    for record in (intent(), answer("rejected", Entry(state="REJECT", error_message="subnet: 2 free"))):
        run.apply(record)
    assert run.known_rejects == {"subnet: # free"}
    assert not run.new_rejects


def test_releasing_a_failed_wave_passes_it() -> None:
    hold = r.HoldSet(at=BEGIN, cause="wave_failed", reason="nothing succeeded", wave="canary")
    run = after(hold, r.HoldReleased(at=BEGIN, by="ann", note="fine"))
    assert run.hold is None
    assert run.waves["canary"].passed


def test_a_release_passes_a_failed_wave_also_when_a_person_held_the_fleet_on_top_of_it() -> None:
    hold = r.HoldSet(at=BEGIN, cause="wave_failed", reason="nothing succeeded", wave="canary")
    person = r.HoldSet(at=BEGIN, cause="person", reason="wait")
    assert after(hold, person, r.HoldReleased(at=BEGIN, by="ann", note="fine")).waves["canary"].passed


def test_approving_a_wave_clears_only_its_own_hold() -> None:
    approved = r.WaveApproved(at=BEGIN, wave="rest", by="ann", note="go")
    asking = r.HoldSet(at=BEGIN, cause="approval", reason="asks", wave="rest")
    person = r.HoldSet(at=BEGIN, cause="person", reason="wait")
    assert after(asking, approved).hold is None
    assert after(person, approved).hold == person
    assert after(person, approved).waves["rest"].approved


def test_the_number_of_the_last_command_is_remembered() -> None:
    assert after(r.CommandIgnored(at=BEGIN, command=7, why="late")).commands_seen == 7


def test_a_new_session_forgets_what_scopes_could_not_do() -> None:
    paused = r.ScopePaused(at=BEGIN, scope="default", why="refused")
    session = r.SessionStarted(at=BEGIN, number=2, pid=1, host="h", orchestrator_version="0.1.0")
    assert after(paused).scopes["default"].paused == "refused"
    assert after(paused, session).scopes["default"].paused is None


def test_a_record_of_a_target_that_is_not_in_the_run_is_an_error() -> None:
    with pytest.raises(KeyError):
        after(r.DoubtLooked(at=BEGIN, target="nobody", finding="?"))


# --- doubts -----------------------------------------------------------------------------------------------------------

DOUBTED = (intent(), answer("in_doubt"))
DISPROVED = r.AttemptDisproved(at=BEGIN, target=KEY, attempt=1, evidence="not there")
LATER = BEGIN + timedelta(hours=1)


def test_a_renewed_doubt_has_a_period_of_its_own() -> None:
    renewed = r.DoubtRenewed(at=LATER, target=KEY, attempt=1, why="it shows after all")
    state = after(*DOUBTED, DISPROVED, renewed).state(KEY)
    assert (state.phase, state.doubtful_from, state.doubt_since) == (Phase.DOUBT, Moment(BEGIN, 0), Moment(LATER, 0))


def test_the_doubt_goes_back_to_the_first_doubtful_attempt_and_its_period_counts_from_the_latest() -> None:
    again = replace(intent(2), at=LATER)
    state = after(*DOUBTED, DISPROVED, again, answer("in_doubt", attempt=2)).state(KEY)
    assert (state.doubtful_from, state.doubt_since) == (Moment(BEGIN, 0), Moment(LATER, 0))


@pytest.mark.parametrize("verdict", ["rejected", "refused", "busy", "in_doubt"])
def test_after_a_doubtful_attempt_no_refusal_decides(verdict: r.Verdict) -> None:
    assert after(*DOUBTED, DISPROVED, intent(2), answer(verdict, attempt=2)).state(KEY).phase is Phase.DOUBT


def test_what_was_adopted_is_ours_but_shows_no_presence() -> None:
    adopted = r.WorkflowAdopted(at=BEGIN, target=KEY, attempt=1, workflow_id="w1", evidence="the only one")
    run = after(*DOUBTED, adopted)
    assert (run.workflows, run.accepted) == ({"w1": KEY}, set())
    assert after(intent(), answer("accepted", ACCEPT)).accepted == {"w1"}


def test_a_reject_is_no_job_of_ours_though_it_has_an_id() -> None:
    refused = replace(REJECT, instance_id=None, workflow_id="w2")  # else it would be no answer to our question
    run = after(intent(), answer("partial", ACCEPT, refused))
    assert (run.workflows, run.accepted) == ({"w1": KEY}, {"w1"})
    assert after(intent(), answer("in_doubt", refused)).state(KEY).doubtful_entries == ()


def test_a_workflow_that_two_answers_gave_away_is_nobodys_and_leaves_both_in_doubt() -> None:
    second = make_targets(2)[1].proxy_id
    run = after(intent(), answer("accepted", ACCEPT))
    run.apply(replace(intent(), target=second, token="t2"))
    run.apply(replace(answer("accepted", ACCEPT), target=second))
    assert (run.workflows, run.accepted) == ({}, set())
    assert [(run.state(key).phase, list(run.state(key).jobs)) for key in (KEY, second)] == [(Phase.DOUBT, [])] * 2


@pytest.mark.parametrize("named", [True, False])
def test_a_workflow_whose_job_names_its_proxy_is_not_lost_by_an_answer_to_another(named: bool) -> None:
    second, workflow = make_targets(2)[1].proxy_id, ACCEPT.workflow_id or ""
    adopted = r.WorkflowAdopted(at=BEGIN, target=KEY, workflow_id=workflow, evidence="e", named=named)
    settled = r.Settled(at=BEGIN, target=KEY, outcome=Outcome.ACCEPTED)
    run = after(intent(), answer("in_doubt"), adopted, settled)
    run.apply(replace(intent(), target=second, token="t2"))
    run.apply(replace(answer("accepted", ACCEPT), target=second))
    assert list(run.state(KEY).jobs) == ([workflow] if named else [])
    assert run.state(second).phase is Phase.DOUBT
    assert run.state(KEY).outcome is Outcome.ACCEPTED


def test_a_workflow_whose_job_is_shown_to_be_anothers_is_lost_though_the_job_was_followed() -> None:
    second, workflow = make_targets(2)[1].proxy_id, ACCEPT.workflow_id or ""
    seen = r.JobSeen(at=BEGIN, target=KEY, attempt=1, workflow_id=workflow, status="Running")
    run = after(intent(), answer("accepted", ACCEPT), seen)
    run.apply(replace(intent(), target=second, token="t2"))
    run.apply(replace(answer("in_doubt"), target=second))
    run.apply(r.WorkflowAdopted(at=BEGIN, target=second, workflow_id=workflow, evidence="e", named=True))
    assert [list(run.state(key).jobs) for key in (KEY, second)] == [[], [workflow]]
    assert run.state(KEY).phase is Phase.DOUBT


def test_two_answers_in_doubt_that_name_one_workflow_are_evidence_of_nothing() -> None:
    second, odd = make_targets(2)[1].proxy_id, Entry(workflow_id="w9", state="QUEUED")
    run = after(intent(), answer("in_doubt", odd))
    run.apply(replace(intent(), target=second, token="t2"))
    run.apply(replace(answer("in_doubt", odd), target=second))
    assert [run.state(key).doubtful_entries for key in (KEY, second)] == [(), ()]


def test_the_same_workflow_in_other_letters_is_not_a_second_one() -> None:
    second = make_targets(2)[1].proxy_id
    told, again = "W1", "w1"
    adopted = r.WorkflowAdopted(at=BEGIN, target=KEY, workflow_id=again, evidence="the list shows it")
    seen = r.JobSeen(at=BEGIN, target=KEY, attempt=1, workflow_id=again, status="Running")
    run = after(intent(), answer("accepted", replace(ACCEPT, workflow_id=told)), adopted, seen)
    assert list(run.state(KEY).jobs) == [told]
    run = after(intent(), answer("accepted", replace(ACCEPT, workflow_id=told)))
    run.apply(replace(intent(), target=second, token="t2"))
    run.apply(replace(answer("accepted", replace(ACCEPT, workflow_id=again)), target=second))
    assert [(run.state(key).phase, list(run.state(key).jobs)) for key in (KEY, second)] == [(Phase.DOUBT, [])] * 2
    run.apply(replace(adopted, target=second, workflow_id=told))
    assert run.workflows == {again: second}


def _given_to_both(*between: r.Record, **entry: str) -> Run:
    """The second target is answered the workflow that the first one has; a later call cannot have started it."""
    second = make_targets(3)[2].proxy_id
    run = fresh(3)
    for record in (intent(), answer("accepted", ACCEPT), *between, replace(intent(), target=second, token="t2")):
        run.apply(record)
    strayed = replace(answer("in_doubt", replace(ACCEPT, **entry)), target=second, strays=(ACCEPT.workflow_id or "",))
    run.apply(strayed)
    return run


def test_a_workflow_that_a_later_answer_gave_away_is_nobodys_unless_its_job_was_seen() -> None:
    assert (_given_to_both().state(KEY).phase, _given_to_both().workflows) == (Phase.DOUBT, {})
    seen = r.JobSeen(at=BEGIN, target=KEY, attempt=1, workflow_id=ACCEPT.workflow_id or "", status="Running")
    assert (_given_to_both(seen).state(KEY).phase, list(_given_to_both(seen).workflows.values())) == (
        Phase.IN_FLIGHT,
        [KEY],
    )


@pytest.mark.parametrize(("listed", "to", "jobs"), [(True, 2, ["w1"]), (True, 1, []), (False, 2, [])])
def test_a_job_that_was_seen_on_its_instance_is_taken_away_by_no_answer_to_a_target_of_another(
    *, listed: bool, to: int, jobs: list[str]
) -> None:
    """`to`: the target that is answered it; the second one is on the instance of the first."""
    adopted = r.WorkflowAdopted(at=BEGIN, target=KEY, workflow_id="w1", evidence="the only one", listed=listed)
    other = make_targets(3)[to]
    assert (other.instance_id == make_targets(1)[0].instance_id) is (to == 1)
    run = fresh(3)
    for record in (intent(), answer("in_doubt"), adopted, replace(intent(), target=other.proxy_id, token="t2")):
        run.apply(record)
    given = replace(answer("accepted", replace(ACCEPT, workflow_id="w1", instance_id=None)), target=other.proxy_id)
    run.apply(given)
    assert list(run.state(KEY).jobs) == jobs
    assert run.state(other.proxy_id).phase is Phase.DOUBT, "nor is it believed"


def test_an_answer_that_says_itself_whose_the_workflow_is_takes_it_from_nobody() -> None:
    run = _given_to_both(instance_id=make_targets(2)[0].instance_id)
    assert (run.state(KEY).phase, list(run.state(KEY).jobs)) == (Phase.IN_FLIGHT, [ACCEPT.workflow_id])


def test_a_look_at_a_job_from_before_another_was_given_it_makes_it_nobodys_own() -> None:
    run = _given_to_both()
    run.apply(r.JobSeen(at=BEGIN, target=KEY, attempt=1, workflow_id=ACCEPT.workflow_id or "", status="Running"))
    assert (run.state(KEY).phase, run.workflows) == (Phase.DOUBT, {})


def test_what_reached_the_version_stays_begun_without_a_workflow() -> None:
    run = _given_to_both(r.VersionReached(at=BEGIN, target=KEY, attempt=1, version=NEW))
    assert (run.state(KEY).phase, run.state(KEY).began, dict(run.state(KEY).jobs)) == (Phase.IN_FLIGHT, True, {})


@pytest.mark.parametrize("settled_before", [True, False])
def test_what_succeeded_says_that_its_workflow_is_not_known_any_more_and_a_neighbour_does_not_take_it(
    *, settled_before: bool
) -> None:
    reached = r.VersionReached(at=BEGIN, target=KEY, attempt=1, version=NEW)
    settled = r.Settled(at=BEGIN, target=KEY, attempt=1, outcome=Outcome.SUCCEEDED)
    run = _given_to_both(reached, *([settled] if settled_before else []))
    if not settled_before:
        run.apply(settled)
    state = run.state(KEY)
    assert (state.outcome, dict(state.jobs)) == (Outcome.SUCCEEDED, {})
    assert state.evidence == [f"workflow {ACCEPT.workflow_id} was given to another target too", NOT_RECOVERED]
    assert run.unknown_on(state.target.instance_id) == [state]


def test_a_workflow_that_was_taken_away_and_found_again_shows_that_jobs_are_listed() -> None:
    run = _given_to_both()
    assert not run.accepted
    run.apply(r.WorkflowAdopted(at=BEGIN, target=KEY, workflow_id=ACCEPT.workflow_id or "", evidence="it names it"))
    assert run.accepted == {ACCEPT.workflow_id}


def test_what_a_person_settled_as_not_sent_is_evidence_no_more() -> None:
    odd = Entry(workflow_id="w9", state="QUEUED")
    returned = r.ReturnedToWaiting(at=BEGIN, target=KEY, attempt=1, settled_by="ann", note="looked")
    state = after(intent(), answer("in_doubt", odd)).state(KEY)
    assert state.doubtful_entries == (odd,)
    state = after(intent(), answer("in_doubt", odd), returned).state(KEY)
    assert (state.doubtful_entries, state.doubtful_from, state.phase) == ((), None, Phase.WAITING)


def _settled(outcome: Outcome) -> r.Settled:
    return r.Settled(at=BEGIN, target=KEY, attempt=1, outcome=outcome)


@pytest.mark.parametrize(
    ("records", "unknown"),
    [
        ((intent(),), True),
        (DOUBTED, True),
        (
            (*DOUBTED, r.VersionAdopted(at=BEGIN, target=KEY, version=NEW, evidence=""), _settled(Outcome.SUCCEEDED)),
            True,
        ),
        ((*DOUBTED, DISPROVED), False),
        ((intent(), answer("accepted", ACCEPT)), False),
        ((intent(), answer("rejected", REJECT), _settled(Outcome.REJECTED)), False),
    ],
    ids=["under way", "in doubt", "settled without its job", "disproved", "accepted", "rejected"],
)
def test_whether_a_job_on_its_instance_may_be_one_that_is_not_known(
    records: tuple[r.Record, ...], *, unknown: bool
) -> None:
    run = after(*records)
    assert [state.key for state in run.unknown_on(run.targets[KEY].instance_id)] == ([KEY] if unknown else [])


def test_every_record_of_a_target_changes_its_state() -> None:
    of_the_session = {r.Rested}  # its story has come to an end, and it stands as it stood
    assert set(fold._CHANGES) | of_the_session == {*get_args(r.TargetRecord), r.ImpactSampled}


@pytest.mark.parametrize("seed", range(4))
def test_who_was_refused_is_whose_answers_say_no(seed: int) -> None:
    run = PlausibleRun(seed).steps(120).run
    assert run.states.refused() == {key for key, state in run.states.items() if list(refusals_of(state))}
