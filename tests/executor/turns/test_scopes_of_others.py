"""A scope that names its hosts is left alone by all others, and is gone on with by one of its own."""

from fakes.clouds import FakeCloud
from fakes.stage import Stage, later, plan_of, resume, targets_of
from msgspec import structs

from orchestrator.errors import ExitCode
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.model.plan.plan import Plan, Scope, Wave
from orchestrator.model.record.record import HoldSet, ScopeGivenUp, SessionEnded

TARGETS = targets_of(6, scopes=("bj", "sh"))
WAVES = (Wave(name="all"),)


def plan(**hosts: tuple[str, ...]) -> Plan:
    made = plan_of(TARGETS, waves=WAVES)
    scopes = (structs.replace(scope, hosts=hosts.get(scope.name, ())) for scope in made.scopes)
    return structs.replace(made, scopes=tuple(scopes))


def test_no_call_is_made_to_a_scope_of_other_hosts_and_one_of_its_own_goes_on() -> None:
    stage = Stage(plan=plan(sh=("sh-*",)), host="bj-1")
    first = stage.play()
    assert first.code == ExitCode.SCOPE_UNUSABLE
    assert first.outcomes() == {"succeeded": 3, "waiting": 3}
    assert [(record.scope, record.hosts) for record in first.of(ScopeGivenUp)] == [("sh", ("sh-*",))]
    assert not first.clouds["sh"].calls
    (ended,) = first.of(SessionEnded)
    assert (ended.left_to, ended.left_by) == (("sh-*",), ("bj-1",))
    second = resume(stage, first, host="sh-2").play()
    assert (second.code, second.outcomes()) == (ExitCode.DONE, {"succeeded": 6})
    assert not second.run.scopes["sh"].hosts
    assert second.of(SessionEnded)[-1].left_to == ()


def test_nothing_is_left_to_others_where_they_have_nothing_left_or_a_hold_is_set() -> None:
    done = Stage(plan=plan(sh=("sh-*",)), host="sh-1").play()
    down = resume(Stage(plan=plan(sh=("sh-*",))), done, host="bj-1").play()
    assert [each.left_to for each in down.of(SessionEnded)] == [(), ()]
    held = Stage(plan=plan(sh=("sh-*",)), host="bj-1", script=(later(1.0, _hold),)).play()
    assert [each.left_to for each in held.of(SessionEnded)] == [()]


def test_a_scope_that_this_host_may_serve_and_cannot_is_left_to_nobody() -> None:
    def refuse(cloud: FakeCloud) -> None:
        cloud.refuses_generation = lambda _now, _generation: True

    alone = Stage(plan=plan(bj=("bj-*",), sh=("bj-*",)), host="bj-1", cloud_of=refuse).play()
    assert alone.code == ExitCode.SCOPE_UNUSABLE
    assert [each.left_to for each in alone.of(SessionEnded)] == [()]


async def _hold(dispatcher: Dispatcher) -> None:
    at = dispatcher.session.clock.now()
    await dispatcher.session.ledger.record(HoldSet(at=at, cause="person", reason="held by ann"))


def test_what_is_under_way_in_a_scope_of_other_hosts_stays_open_until_one_of_them_follows_it() -> None:
    stage = Stage(plan=plan())
    begun = resume(stage, stage.play()).records
    sent = next(number for number, record in enumerate(begun) if type(record).__name__ == "AnswerSeen")
    stage = Stage(plan=plan(bj=("bj-1",), sh=("sh-1",)), records=begun[: sent + 1], host="nobody")
    left = stage.play()
    assert left.code == ExitCode.SCOPE_UNUSABLE
    assert left.run.tally.fleet.open == 1
    assert not any(cloud.calls for cloud in left.clouds.values())


def test_a_host_alone_with_its_state_serves_every_scope() -> None:
    assert Stage(plan=plan(bj=("bj-*",), sh=("sh-*",))).play().code == ExitCode.DONE


def test_names_may_hold_wildcards_and_letters_count() -> None:
    scope = Scope(name="s", hosts=("bj-*", "sh-?"))
    served = [host for host in ("bj-1", "bj-", "sh-1", "sh-12", "BJ-1", "x-bj-1") if scope.served_by(host)]
    assert served == ["bj-1", "bj-", "sh-1"]
    assert Scope(name="s").served_by("any")
