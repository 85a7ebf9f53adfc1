"""Settled states are packed while a run goes on: nothing is known less for it, and nobody holds another state."""

import random
from copy import deepcopy
from math import inf

from fakes.eventful import EventfulRun
from fakes.plausible import PlausibleRun
from fakes.same_run import knowledge
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import AnswerMissing, Record, Settled
from orchestrator.model.run.run import Run
from orchestrator.model.run.state import TargetState
from orchestrator.model.run.states.packed_state import Packed

MANY = 30


def new_run(live: PlausibleRun, most_unpacked: float) -> Run:
    return Run(
        live.targets,
        waves=list(live.run.waves),
        scopes=list(live.run.scopes),
        failures=live.plan.failures,
        most_unpacked=most_unpacked,
    )


def folded(live: PlausibleRun, most_unpacked: float) -> Run:
    run = new_run(live, most_unpacked)
    for record in live.records:
        run.apply(record)
    return run


def all_settled(live: PlausibleRun) -> Run:
    """A run that packs at once, and in which every target has its outcome."""
    run = folded(live, 0)
    for target in live.targets:
        run.apply(settled(live, target.proxy_id))
    return run


def settled(live: PlausibleRun, proxy_id: str) -> Record:
    return Settled(at=live.records[-1].at, target=proxy_id, outcome=Outcome.SUCCEEDED, settled_by="ann", wave="canary")


def packed(run: Run) -> list[str]:
    return [key for key, state in run.states.known() if isinstance(state, Packed)]


@given(st.integers(0, 1 << 32), st.sampled_from([0, 1, 3]))
@settings(max_examples=25)
def test_a_run_that_packs_knows_what_one_knows_that_does_not(seed: int, most_unpacked: int) -> None:
    live, chance, held = EventfulRun(seed, count=6).steps(80), random.Random(seed), dict[str, TargetState]()
    run = new_run(live, most_unpacked)
    for record in live.records:
        run.apply(record)
        if record.target is not None and record.target in run.states and chance.random() < 0.5:
            held[record.target] = run.states[record.target]
        if held and chance.random() < 0.3:
            del held[chance.choice(list(held))]
        assert all(run.states[key] is state for key, state in held.items())
    assert knowledge(run) == knowledge(folded(live, inf))


def test_all_that_have_their_outcome_are_packed_but_the_latest() -> None:
    live = PlausibleRun(7, count=MANY)
    run = new_run(live, 4)
    for target in live.targets:
        run.apply(settled(live, target.proxy_id))
    assert packed(run) == [target.proxy_id for target in live.targets[:-4]]
    assert sum(1 for _ in run.states.unpacked()) == 4


def test_what_is_asked_for_is_unpacked_once_and_packed_again_by_and_by() -> None:
    live = PlausibleRun(7, count=MANY)
    run = all_settled(live)
    assert len(packed(run)) == MANY
    key = live.targets[3].proxy_id
    assert run.states[key] is run.states[key]
    assert len(packed(run)) == MANY - 1
    run.apply(settled(live, live.targets[4].proxy_id))
    assert len(packed(run)) == MANY


def test_who_holds_a_state_that_is_packed_sees_what_is_folded_into_it_afterwards() -> None:
    """A story holds the state of its target from its beginning to its end, and decides by it."""
    live = PlausibleRun(7, count=MANY)
    run = new_run(live, 0)
    key = live.targets[3].proxy_id
    story = run.state(key)
    run.apply(settled(live, key))
    assert packed(run) == [key]
    before = story.folded
    run.apply(settled(live, key))
    assert story.folded == before + 1
    assert run.states[key] is story


def test_one_that_has_lost_its_outcome_is_not_packed() -> None:
    live = PlausibleRun(7, count=MANY)
    run = new_run(live, 1)
    first, *others = (target.proxy_id for target in live.targets)
    run.apply(settled(live, first))
    run.apply(AnswerMissing(at=live.records[-1].at, target=first, attempt=99))  # which cannot be applied
    for key in others:
        run.apply(settled(live, key))
    assert packed(run) == others[:-1]
    assert [state.key for state in run.set_aside()] == [first]


def test_a_glance_leaves_packed_what_is_packed() -> None:
    live = PlausibleRun(7, count=MANY)
    run = all_settled(live)
    assert len(list(run.states.glances(run.targets))) == MANY
    assert len(list(run.states.ended_in([Outcome.SUCCEEDED]))) == MANY
    assert len(packed(run)) == MANY


def test_states_that_are_asked_the_same_are_of_one_kind() -> None:
    live = PlausibleRun(7, count=MANY)
    run = new_run(live, 0)
    for target in live.targets:
        run.apply(settled(live, target.proxy_id))
    assert len({id(state.kind) for _, state in run.states.known() if isinstance(state, Packed)}) == 1


def test_a_packed_state_says_of_itself_what_it_says_unpacked() -> None:
    live = EventfulRun(11, count=MANY).steps(400)
    run, whole = folded(live, 0), folded(live, inf)
    assert packed(run)
    for key, state in run.states.known():
        if isinstance(state, Packed):
            names = ("wave", "outcome", "refused", "settled", "taken_for", "ended_otherwise", "unmeasured", "ended_s")
            for name in (*names, "standing"):
                assert getattr(state, name) == getattr(whole.states[key], name), name


def test_a_copy_of_a_run_has_states_of_its_own() -> None:
    """A rehearsal goes on in a copy, while what is held of the run itself stays as it is."""
    live = PlausibleRun(7, count=MANY)
    run = all_settled(live)
    key = live.targets[3].proxy_id
    held = run.states[key]
    run.apply(settled(live, live.targets[4].proxy_id))
    assert key in packed(run)
    copy = deepcopy(run)
    assert copy.states[key] is not held
    assert copy.states[key] == held
