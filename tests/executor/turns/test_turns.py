"""Several hosts over one log: one decides, others serve the scopes that it may not, and nothing of a run differs."""

from fakes.shared_stage import SharedStage
from fakes.stage import Played, Stage, plan_of, targets_of
from msgspec import structs

from orchestrator.errors import ExitCode
from orchestrator.model.plan.plan import Plan, Wave
from orchestrator.model.record.record import ScopeGivenUp, ScopeServed, TurnGiven

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
