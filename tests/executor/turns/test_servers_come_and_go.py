"""Hosts that serve scopes die and come late: who comes next goes on, and what nobody serves keeps no session."""

from datetime import timedelta

import pytest
from fakes.acts import Fate
from fakes.clock import START
from fakes.shared_stage import SharedStage, shared_plan
from fakes.stage import Played, Stage
from msgspec import structs

from orchestrator.errors import ExitCode
from orchestrator.executor.hosts.scopes_of_others import PATIENCE_S
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Plan, Wave
from orchestrator.model.record.record import (
    Intent,
    Rested,
    Reverified,
    ScopeGivenUp,
    ScopePaused,
    ScopeServed,
    SessionEnded,
    TurnGiven,
    TurnReturned,
)

PLAN = shared_plan(8, hosts={"bj": (), "sh": ("sh-*",)})
OWN = {target.proxy_id for target in PLAN.proxies if target.scope == "sh"}
OF_LEAD = {target.proxy_id for target in PLAN.proxies} - OWN

#: Then a host that is slow has used some of its turns, and not all.
DIES_S = 9.0


def slow(plan: Plan = PLAN) -> Plan:
    """Turns are used up slowly, so that a host may die with some."""
    return structs.replace(plan, limits=structs.replace(plan.limits, rate=1.0))


def play(
    plan: Plan, *hosts: str, dies_s: dict[str, float] | None = None, comes_s: dict[str, float] | None = None
) -> Played:
    stage = Stage(plan=plan, host="bj-1")
    return SharedStage(lead=stage, hosts=hosts, dies_s=dies_s or {}, comes_s=comes_s or {}).play()


def each_once(played: Played) -> bool:
    books = [number for cloud in played.clouds.values() for number in cloud.books.values()]
    return books == [1] * len(played.run.targets)


def test_a_host_dies_with_turns_and_open_targets_and_the_next_one_goes_on_with_both() -> None:
    played = play(slow(), "sh-1", "sh-2", dies_s={"sh-1": DIES_S}, comes_s={"sh-2": DIES_S + 15})
    assert (played.code, played.outcomes()) == (ExitCode.DONE, {"succeeded": 8})
    assert each_once(played)
    assert [*dict.fromkeys(each.host for each in played.of(ScopeServed))] == ["sh-1", "sh-2"]
    second = played.records.index(played.of(ScopeServed)[1])
    before, after = played.records[:second], played.records[second:]
    given = {each.target for each in before if isinstance(each, TurnGiven)}
    begun = {each.target for each in before if isinstance(each, Intent)} & OWN
    assert set() < begun < given == OWN
    assert {each.target for each in after if isinstance(each, Intent)} == given - begun
    assert {played.run.state(str(key)).last.host for key in given - begun} == {"sh-2"}
    assert not played.of(ScopeGivenUp)
    assert [each.why for each in played.of(ScopePaused)] == [
        "host sh-1, which served it, is gone; another one may go on"
    ]


def test_what_nobody_serves_is_given_up_after_a_while_and_its_turns_come_back() -> None:
    played = play(slow(), "sh-1", dies_s={"sh-1": DIES_S})
    assert played.code == ExitCode.SCOPE_UNUSABLE
    [given_up] = played.of(ScopeGivenUp)
    silent_s = (given_up.at - START).total_seconds() - DIES_S
    assert PATIENCE_S + 10.0 <= silent_s <= PATIENCE_S + 13.0
    begun = {each.target for each in played.of(Intent)} & OWN
    assert {each.target for each in played.of(TurnReturned)} == OWN - begun
    assert not played.run.turns
    assert not played.dispatcher.session.rollout.queue.starting
    assert played.run.tally.fleet.open == len(begun)
    assert [each.left_to for each in played.of(SessionEnded)] == [("sh-*",)]
    assert {key for key in played.run.targets if played.run.standing(key) == "succeeded"} == OF_LEAD


def test_what_nobody_has_ever_served_is_given_up_too_and_no_turn_is_given() -> None:
    played = play(PLAN)
    assert (played.code, played.outcomes()) == (ExitCode.SCOPE_UNUSABLE, {"succeeded": 4, "waiting": 4})
    assert not played.of(TurnGiven)
    assert not played.clouds["sh"].calls


def test_a_host_that_comes_after_its_scope_was_given_up_goes_on_in_the_same_session() -> None:
    played = play(PLAN, "sh-1", comes_s={"sh-1": 60.0})
    assert (played.code, played.outcomes()) == (ExitCode.DONE, {"succeeded": 8})
    [given_up], [served] = played.of(ScopeGivenUp), played.of(ScopeServed)
    assert given_up.at + timedelta(seconds=30) < served.at
    assert [each.left_to for each in played.of(SessionEnded)] == [()]


def test_who_comes_after_its_scope_was_given_up_takes_up_what_is_open_there() -> None:
    played = play(slow(), "sh-1", "sh-2", dies_s={"sh-1": DIES_S}, comes_s={"sh-2": 60.0})
    assert (played.code, played.outcomes()) == (ExitCode.DONE, {"succeeded": 8})
    assert each_once(played)


def test_the_last_reading_of_a_wave_is_asked_of_the_next_host_when_one_dies_over_it() -> None:
    waves = (Wave(name="first", size=Amount(4), soak_s=60.0), Wave(name="rest"))
    plan = structs.replace(PLAN, waves=waves)
    whole = play(plan, "sh-1")
    soaked = next(each.at for each in whole.of(Reverified))
    dies_s = {"sh-1": (soaked - START).total_seconds() - 0.05}
    played = play(plan, "sh-1", "sh-2", dies_s=dies_s, comes_s={"sh-2": 1.0})
    assert (played.code, played.outcomes()) == (ExitCode.DONE, {"succeeded": 8})
    again = [each.target for each in played.of(Reverified)]
    assert sorted(again) == sorted(played.run.waves["first"].targets)


def test_a_target_that_only_new_evidence_can_move_keeps_no_session_though_another_host_serves_it() -> None:
    stage = Stage(plan=shared_plan(1, hosts={"sh": ("sh-*",)}, waves=(Wave(name="all"),)), host="bj-1")

    def lost(cloud: object) -> None:
        for key in cloud.proxies:  # type: ignore[attr-defined]
            cloud.fates[key] = Fate(duration_s=1e7, flips=None)  # type: ignore[attr-defined]

    stage.cloud_of = lost
    played = SharedStage(lead=stage, hosts=("sh-1",)).play()
    assert played.code == ExitCode.PERSON_NEEDED
    assert played.of(Rested)


@pytest.mark.parametrize(("until_s", "joins"), [(4.0, range(1, 2)), (12.0, range(2, 4)), (40.0, range(2, 12))])
def test_a_host_that_was_taken_for_gone_and_lives_serves_on(until_s: float, joins: range) -> None:
    """Its signs of life did not come through, as with a slow database: its scope pauses, or is given up meanwhile."""
    stage = SharedStage(lead=Stage(plan=PLAN, host="bj-1"), hosts=("sh-1",), unseen_s={"sh-1": (1.0, until_s)})
    played = stage.play()
    assert (played.code, played.outcomes()) == (ExitCode.DONE, {"succeeded": len(PLAN.proxies)})
    assert len(played.of(ScopeServed)) in joins
    assert set(played.clouds["sh"].books.values()) == {1}
