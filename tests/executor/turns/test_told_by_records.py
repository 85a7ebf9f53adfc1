"""What hosts tell each other by records: what people say, what gates answer, what is read of the cloud and of waves."""

from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from fakes import acts
from fakes.acts import Fate
from fakes.clock import START
from fakes.clouds import FakeCloud
from fakes.gates import KeptGates
from fakes.shared_log import SharedLog
from fakes.shared_stage import SharedStage, shared_plan
from fakes.stage import Played, Stage, later
from fakes.vpc import Vpc, in_subnet
from msgspec import structs

from orchestrator.app.session.listening import obey_commands
from orchestrator.errors import ExitCode
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.commands import Command, LimitCommand
from orchestrator.model.plan.health_gate import GateAnswer, HealthGate
from orchestrator.model.plan.limit_change import LimitChange
from orchestrator.model.plan.plan import Limits, Plan, Retry, Wave
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import (
    CloudEventsRead,
    CommandIgnored,
    Intent,
    PreflightDone,
    ReadingAsked,
    Record,
    RereadAsked,
    ReturnedToWaiting,
    Reverified,
    Settled,
    SubnetRead,
    TurnGiven,
    TurnReturned,
    WaveDone,
)
from orchestrator.model.reply.cloud_event import CloudEvent

ELSEWHERE = {"sh": ("sh-*",)}


def play(plan: Plan, *hosts: str, stage: dict[str, Any] | None = None, **changes: Any) -> Played:
    lead = Stage(plan=plan, host="bj-1", **(stage or {}))
    return SharedStage(lead=lead, hosts=hosts or ("sh-1",), **changes).play()


def seconds(at: datetime) -> float:
    return (at - START).total_seconds()


def settling(after_s: float, record: type[Record], **fields: Any) -> Any:
    """A person decides the first target then, on the host that decides."""

    async def settle(dispatcher: Dispatcher) -> None:
        state = next(iter(dispatcher.session.run.states.values()))
        about = {"at": dispatcher.session.clock.now(), "target": state.key, "attempt": len(state.attempts)}
        await dispatcher.overrule(record(**about, **fields))  # type: ignore[arg-type]

    return later(after_s, settle)


# --- people ----------------------------------------------------------------------------------------------------------


def test_a_person_settles_a_target_that_another_host_follows_and_its_story_ends_there() -> None:
    def endless(cloud: FakeCloud) -> None:
        cloud.default_fate = Fate(duration_s=2000.0)
        cloud.fates[next(iter(cloud.proxies))] = Fate(duration_s=1e7, flips=None)

    fields = {"outcome": Outcome.FAILED, "settled_by": "ann", "note": "looked"}
    stage = {"cloud_of": endless, "script": (settling(1000.0, Settled, **fields),)}
    played = play(shared_plan(2, hosts=ELSEWHERE), stage=stage)
    assert (played.code, played.outcomes()) == (ExitCode.OTHER_OUTCOMES, {"failed": 1, "succeeded": 1})
    first = next(iter(played.run.states.values()))
    settled = next(place for place, each in enumerate(played.records) if isinstance(each, Settled))
    assert not [each for each in played.records[settled + 1 :] if each.target == first.key]
    about = {first.key, first.target.instance_id, *first.jobs}
    assert not [call for call in played.cloud.calls if call.key in about and seconds(call.at) > 1005.0]


def test_an_attempt_of_another_host_is_answered_before_a_person_may_return_it() -> None:
    slow = acts.Act(acts.ACCEPT.reply, effect=True, latency_s=25.0)
    script = (settling(10.0, ReturnedToWaiting, settled_by="ann", note="?", command=7),)
    played = play(
        shared_plan(1, hosts=ELSEWHERE),
        stage={"cloud_of": lambda cloud: setattr(cloud, "default_act", slow), "script": script},
    )
    assert [record.command for record in played.of(CommandIgnored)] == [7]
    assert (played.outcomes(), played.cloud.counts["upgrade"]) == ({"succeeded": 1}, 1)


class Inbox:
    """One command of a person."""

    def __init__(self, command: Command) -> None:
        self._command = command

    def new(self, after: int = 0) -> list[tuple[int, Command]]:
        return [(1, self._command)] if after < 1 else []


async def at_once(read: Any, *args: Any) -> Any:
    return read(*args)


def test_limits_that_a_person_changes_hold_on_the_host_that_serves_too() -> None:
    command = LimitCommand(at=START, user="ann", note="slow", limits=LimitChange(rate=0.25, concurrency=3))
    script = (later(5.0, lambda dispatcher: obey_commands(Inbox(command), dispatcher, at_once)),)
    lead = Stage(plan=shared_plan(8, hosts=ELSEWHERE), host="bj-1", script=script)
    lead.plan = structs.replace(lead.plan, limits=structs.replace(lead.plan.limits, rate=2.0))
    shared = SharedStage(lead=lead, hosts=("sh-1",))
    played = shared.play()
    assert played.outcomes() == {"succeeded": 8}
    calls = [call for call in played.cloud.calls if 8.0 < seconds(call.at) <= 68.0]
    assert len(calls) <= 60 * 0.25 + 1
    (server,) = shared.servers
    assert (server.session.scopes["sh"].lanes.pacer.nominal, server.session.sending.total_tokens) == (0.25, 3)


def test_a_call_that_waited_for_one_of_another_host_comes_no_closer_to_the_next_one_than_the_rate_allows() -> None:
    slow = acts.Act(acts.ACCEPT.reply, effect=True, latency_s=1.7)
    plan = shared_plan(16, hosts={"bj": (), "sh": ("sh-*",)})
    plan = structs.replace(plan, limits=structs.replace(plan.limits, concurrency=1, rate=1.0))
    played = play(plan, stage={"cloud_of": lambda cloud: setattr(cloud, "default_act", slow)})
    assert played.outcomes() == {"succeeded": 16}
    for cloud in played.clouds.values():
        calls = [call.at for call in cloud.calls]
        assert min(later - earlier for earlier, later in pairwise(calls)) >= timedelta(seconds=0.9)


# --- gates -----------------------------------------------------------------------------------------------------------

ORDERS = HealthGate(name="orders", command=("check",), every_s=5.0, timeout_s=1.0)


def answering(*closed: tuple[float, float]) -> KeptGates:
    def answer(_gate: str, at: datetime) -> GateAnswer:
        return "fails" if any(start <= seconds(at) < end for start, end in closed) else "passes"

    return KeptGates(answer)


def test_a_turn_says_when_the_gates_let_it_through_and_the_host_that_serves_goes_by_that() -> None:
    limits = Limits(in_flight=Amount(2), ramp=False)
    gates = answering((5.0, 1000.0))
    played = play(shared_plan(6, hosts=ELSEWHERE, gates=(ORDERS,), limits=limits), stage={"gates": gates})
    assert played.outcomes() == {"succeeded": 6}
    turns = {turn.target: seconds(turn.answered["orders"]) for turn in played.of(TurnGiven)}
    starts = {intent.target: seconds(intent.at) for intent in played.of(Intent)}
    assert all(turns[key] <= at <= turns[key] + ORDERS.fresh_s for key, at in starts.items())
    assert not [at for at in starts.values() if 12.0 < at < 1000.0]


@pytest.mark.parametrize("hosts", [("bj-*",), ("sh-*",)])
def test_a_start_that_takes_longer_than_a_gates_answer_counts_goes_by_the_next_answer(hosts: tuple[str, ...]) -> None:
    """Wherever it is served; in front of it stands nobody whose turn would tell."""

    def slow(cloud: FakeCloud) -> None:
        cloud.latency_s = 1.5 * ORDERS.fresh_s

    gates = answering()
    plan = shared_plan(1, hosts={"here": hosts}, gates=(ORDERS,))
    played = play(plan, stage={"gates": gates, "cloud_of": slow})
    assert played.outcomes() == {"succeeded": 1}
    assert len(played.of(PreflightDone)) == 1
    assert not played.of(TurnReturned)
    [intent] = played.of(Intent)
    last = max(at for at, _, _ in gates.given if at <= intent.at)
    assert intent.at - last <= timedelta(seconds=ORDERS.fresh_s)


def test_a_start_whose_gate_closes_on_the_way_comes_back() -> None:
    def slow(cloud: FakeCloud) -> None:
        cloud.latency_s = 1.5 * ORDERS.fresh_s

    played = play(
        shared_plan(1, hosts=ELSEWHERE, gates=(ORDERS,)), stage={"gates": answering((12.0, 300.0)), "cloud_of": slow}
    )
    assert played.outcomes() == {"succeeded": 1}
    assert played.of(TurnReturned)
    [intent] = played.of(Intent)
    assert seconds(intent.at) >= 300.0


# --- what is read of the cloud ---------------------------------------------------------------------------------------


def test_the_clouds_own_events_of_a_scope_are_read_by_the_host_that_serves_it() -> None:
    plan = shared_plan(2, hosts=ELSEWHERE, cloud_events="wait")
    first, starts, ends = plan.proxies[0], START - timedelta(minutes=50), START + timedelta(minutes=10)
    event = CloudEvent(instance_id=first.instance_id, what="db_upgrade", starts=starts, ends=ends)
    played = play(plan, stage={"cloud_of": lambda cloud: cloud.planned.append(event), "wait_s": 7200.0})
    assert played.outcomes() == {"succeeded": 2}
    begun = {intent.target: seconds(intent.at) for intent in played.of(Intent)}
    assert begun.pop(first.proxy_id) >= 600.0
    assert max(begun.values()) < 60.0
    asked = [each for each in played.of(ReadingAsked) if each.kind == "events"]
    assert asked
    assert {each.scope for each in played.of(CloudEventsRead)} == {"sh"}


def test_the_addresses_of_a_subnet_are_read_by_the_host_that_serves_its_scope() -> None:
    plan = shared_plan(4, hosts=ELSEWHERE)
    plan = structs.replace(plan, proxies=tuple(in_subnet(each, "s") for each in plan.proxies))
    fate = Fate(duration_s=300.0)
    played = play(plan, stage={"new_cloud": partial(Vpc, sizes={"s": 5}, default_fate=fate)})
    assert played.outcomes() == {"succeeded": 4}
    assert isinstance(played.cloud, Vpc)
    assert not played.cloud.short
    assert {(each.kind, each.value) for each in played.of(ReadingAsked)} >= {("subnet", "s")}
    assert played.of(SubnetRead)


def test_a_target_that_fits_in_no_more_is_deferred_by_the_host_that_serves_it_at_its_only_turn() -> None:
    plan = shared_plan(2, hosts=ELSEWHERE, retry=Retry(busy_for_s=300.0))
    plan = structs.replace(plan, proxies=tuple(in_subnet(each, "s") for each in plan.proxies))
    played = play(plan, stage={"new_cloud": partial(Vpc, sizes={"s": 1})})
    assert (played.code, played.outcomes()) == (ExitCode.OTHER_OUTCOMES, {"deferred": 2})
    assert (len(played.of(TurnGiven)), played.of(TurnReturned)) == (2, [])


# --- waves -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("looks_every_s", [None, 1.0])
def test_after_a_soak_every_host_reads_those_again_that_it_serves_and_only_then_the_wave_is_done(
    looks_every_s: float | None,
) -> None:
    waves = (Wave(name="first", size=Amount(4), soak_s=60.0), Wave(name="rest"))
    plan = shared_plan(8, hosts={"bj": (), "sh": ("sh-*",), "gz": ("gz-1",)}, waves=waves)
    played = play(plan, "sh-1", "gz-1", log=SharedLog(looks_every_s=looks_every_s))
    assert played.outcomes() == {"succeeded": 8}
    done = next(place for place, each in enumerate(played.records) if isinstance(each, WaveDone))
    again = [str(each.target) for each in played.records[:done] if isinstance(each, Reverified)]
    assert sorted(again) == sorted(played.run.waves["first"].targets)
    assert [each.wave for each in played.of(RereadAsked)] == ["first"]
