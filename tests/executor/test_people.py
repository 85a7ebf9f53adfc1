"""Holds and settlements by a person, beside a running session."""

from datetime import timedelta
from typing import Any

from fakes import acts
from fakes.acts import Fate
from fakes.clock import START
from fakes.clouds import FakeCloud
from fakes.rollouts import released, stage_of
from fakes.stage import later

from orchestrator.executor.dispatch import Dispatcher
from orchestrator.model.plan.plan import Limits
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import (
    CommandIgnored,
    HoldReleased,
    HoldSet,
    Intent,
    Record,
    ReturnedToWaiting,
    Settled,
)


def test_a_person_holds_a_running_process() -> None:
    async def hold(dispatcher: Dispatcher) -> None:
        now = dispatcher.session.clock.now()
        await dispatcher.session.ledger.record(HoldSet(at=now, cause="person", reason="held by ann", by="ann"))

    stage = stage_of(40, limits=Limits(ramp=False, rate=2.0))
    stage.script = (later(10.0, hold),)
    played = stage.play()
    assert played.code == 3
    assert set(played.outcomes()) == {"succeeded", "waiting"}
    assert max(record.at for record in played.of(Intent)) <= START + timedelta(seconds=10.1)
    assert released(stage, played).outcomes() == {"succeeded": 40}


def test_a_hold_released_in_the_same_session_goes_on() -> None:
    async def hold(dispatcher: Dispatcher) -> None:
        ledger, clock = dispatcher.session.ledger, dispatcher.session.clock
        await ledger.record(HoldSet(at=clock.now(), cause="person", reason="held by ann", by="ann"))
        await clock.sleep(30.0)
        await ledger.record(HoldReleased(at=clock.now(), by="ann", note="go"))

    stage = stage_of(40, limits=Limits(ramp=False, rate=2.0))
    stage.script = (later(10.0, hold),)
    assert stage.play().outcomes() == {"succeeded": 40}


def settle_later(number: int, seconds: float, record: type[Record], **fields: Any) -> Any:
    async def settle(dispatcher: Dispatcher) -> None:
        session = dispatcher.session
        state = session.run.state(list(session.run.targets)[number])
        about = {"at": session.clock.now(), "target": state.key, "attempt": len(state.attempts)}
        await dispatcher.overrule(record(**about, **fields))  # type: ignore[arg-type]

    return later(seconds, settle)


def test_a_person_settles_an_open_target_and_its_slot_is_free() -> None:
    def setup(cloud: FakeCloud) -> None:
        cloud.default_fate = Fate(duration_s=1e7, flips=None)

    stage = stage_of(2, setup, per_instance=2)
    fields = {"outcome": Outcome.FAILED, "settled_by": "ann", "note": "looked"}
    stage.script = tuple(settle_later(number, at, Settled, **fields) for number in (0, 1) for at in (1000.0, 2000.0))
    played = stage.play()
    assert played.outcomes() == {"failed": 2}
    assert played.cloud.counts["upgrade"] == 2


def test_a_person_returns_a_target_and_it_is_sent_again() -> None:
    def setup(cloud: FakeCloud) -> None:
        cloud.acts[next(iter(cloud.proxies))] = [acts.LOST_REQUEST]

    stage = stage_of(1, setup)
    stage.script = (settle_later(0, 300.0, ReturnedToWaiting, settled_by="ann", note="not there"),)
    played = stage.play()
    assert played.outcomes() == {"succeeded": 1}
    assert played.state(0).attempts[1].intent.at >= START + timedelta(seconds=300)


def test_a_target_whose_answer_is_under_way_cannot_be_settled_yet() -> None:
    slow = acts.Act(acts.ACCEPT.reply, effect=True, latency_s=25.0)

    def setup(cloud: FakeCloud) -> None:
        cloud.default_act = slow

    stage = stage_of(1, setup)
    stage.script = (settle_later(0, 10.0, ReturnedToWaiting, settled_by="ann", note="?", command=7),)
    played = stage.play()
    assert played.outcomes() == {"succeeded": 1}
    assert [record.command for record in played.of(CommandIgnored)] == [7]
    assert played.cloud.counts["upgrade"] == 1


def test_what_was_sent_cannot_be_returned_and_is_followed_on() -> None:
    stage = stage_of(1)
    stage.script = (settle_later(0, 30.0, ReturnedToWaiting, settled_by="ann", note="?", command=7),)
    played = stage.play()
    assert played.outcomes() == {"succeeded": 1}
    assert len(played.of(CommandIgnored)) == 1
    assert played.cloud.counts["upgrade"] == 1


def test_who_says_not_sent_while_the_call_is_under_way_is_not_believed() -> None:
    """The answer is lost, and the upgrade has begun."""
    stage = stage_of(1, lambda cloud: cloud.acts.update({next(iter(cloud.proxies)): [acts.LOST_ANSWER]}))
    stage.script = (settle_later(0, 10.0, ReturnedToWaiting, settled_by="ann", note="?", command=7),)
    played = stage.play()
    assert [record.command for record in played.of(CommandIgnored)] == [7]
    assert played.outcomes() == {"succeeded": 1}
    assert set(played.cloud.books.values()) == {1}


def test_what_a_person_has_settled_is_followed_no_more() -> None:
    def setup(cloud: FakeCloud) -> None:
        cloud.default_fate = Fate(duration_s=3000.0)

    stage = stage_of(2, setup)
    stage.script = (settle_later(0, 1000.0, Settled, outcome=Outcome.FAILED, settled_by="ann", note="looked"),)
    played = stage.play()
    assert played.outcomes() == {"failed": 1, "succeeded": 1}
    (job_id,) = played.state(0).jobs
    polls = [(call.at - START).total_seconds() for call in played.cloud.calls if call.key == job_id]
    assert polls
    assert max(polls) <= 1000.0
    assert played.state(0).settled_by == "ann"
