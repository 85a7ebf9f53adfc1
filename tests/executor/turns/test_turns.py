"""Several hosts over one log: one decides, others serve the scopes that it may not, and nothing of a run differs."""

from datetime import timedelta

import pytest
from fakes.shared_stage import SharedStage, shared_plan
from fakes.stage import Played, Stage, fold_all, plan_of, resume, targets_of
from msgspec import structs

from orchestrator.errors import ExitCode
from orchestrator.model.plan.amount import Rate
from orchestrator.model.plan.limit_change import LimitChange
from orchestrator.model.plan.plan import Plan, Wave
from orchestrator.model.record.record import LimitsChanged, ScopeGivenUp, ScopeServed, TurnGiven

WAVES = (Wave(name="all"),)


def plan_for(count: int = 6, **hosts: tuple[str, ...]) -> Plan:
    made = plan_of(targets_of(count, scopes=("bj", "sh")), waves=WAVES)
    scopes = (structs.replace(scope, hosts=hosts.get(scope.name, ())) for scope in made.scopes)
    return structs.replace(made, scopes=tuple(scopes))


def play(plan: Plan, *hosts: str) -> Played:
    return SharedStage(lead=Stage(plan=plan, host=hosts[0]), hosts=hosts[1:]).play()


def test_a_scope_of_another_host_is_served_there_in_the_same_session() -> None:
    played = play(plan_for(sh=("sh-*",)), "bj-1", "sh-1")
    assert (played.code, played.outcomes()) == (ExitCode.DONE, {"succeeded": 6})
    assert [(each.scope, each.host) for each in played.of(ScopeServed)] == [("sh", "sh-1")]
    assert len(played.of(TurnGiven)) == 3
    assert not played.of(ScopeGivenUp)
    assert {state.last.host for state in played.run.states.values()} == {"bj-1", "sh-1"}


def reserved(played: Played, within: timedelta) -> int:
    """How many turns were given and not used at most, in the first time after a host has joined."""
    run, most, joined = fold_all(played.dispatcher.session.plan, ()), 0, played.of(ScopeServed)[0].at
    for record in played.records:
        run.apply(record)
        most = max(most, len(run.turns)) if record.at <= joined + within else most
    return most


@pytest.mark.parametrize(("rate", "most", "within_s"), [(0.1, 1, 1e6), (0.25, 3, 1e6), (4.0, 24, 1e6), ("auto", 10, 6)])
def test_no_more_turns_are_given_than_the_host_that_serves_can_use_soon(rate: Rate, most: int, within_s: float) -> None:
    """Also before it has used any: each holds a place that others wait for."""
    plan = shared_plan(24, hosts={"sh": ("sh-*",)})
    plan = structs.replace(plan, limits=structs.replace(plan.limits, rate=rate))
    played = play(plan, "bj-1", "sh-1")
    assert played.outcomes() == {"succeeded": 24}
    assert reserved(played, timedelta(seconds=within_s)) == most


def test_a_rate_that_is_found_out_is_told_as_it_grows_and_more_turns_are_given() -> None:
    plan = shared_plan(100, hosts={"sh": ("sh-*",)})
    played = play(structs.replace(plan, limits=structs.replace(plan.limits, rate="auto")), "bj-1", "sh-1")
    assert reserved(played, timedelta(seconds=20)) > 20


def test_limits_that_were_changed_before_a_host_came_hold_there_too() -> None:
    stage = Stage(plan=plan_for(sh=("sh-*",)), host="bj-1")
    first = stage.play()
    slow = LimitsChanged(at=first.ended_at, limits=LimitChange(rate=0.5, concurrency=1), by="ann", note="", command=1)
    shared = SharedStage(lead=resume(stage, first, host="bj-1", records=[*first.records, slow]), hosts=("sh-1",))
    played = shared.play()
    assert played.outcomes() == {"succeeded": 6}
    (server,) = shared.servers
    assert (server.session.scopes["sh"].lanes.pacer.nominal, server.session.sending.total_tokens) == (0.5, 1)
    assert [each.rate_limit for each in played.of(ScopeServed)] == [0.5]
