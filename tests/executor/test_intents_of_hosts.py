"""Hosts that share a log: an intent counts in its order; one that was overtaken is asked anew, with what was heard."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, TypeVar

import anyio
import pytest
from fakes.clock import VirtualClock, run_virtual
from fakes.clouds import OLD, FakeCloud
from fakes.shared_log import SharedJournal, SharedLog
from fakes.stage import Stage, open_dispatcher, plan_of, targets_of

from orchestrator.executor.dispatch import Dispatcher
from orchestrator.executor.intents import Decision, Go, IntentRefused
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Limits, Plan, Wave
from orchestrator.model.plan.target import Target
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import (
    AnswerMissing,
    AnswerSeen,
    HoldSet,
    Intent,
    JobSeen,
    Postponed,
    Record,
    Settled,
    WaveOpened,
)
from orchestrator.model.run.state import TargetState
from orchestrator.tracker.journal.group_commit import JournalWriter

T = TypeVar("T")
_WAY_S = 0.5


class Writer(JournalWriter):
    """The program's own, whose thread is virtual time: half of the way to the log, half of it back."""

    async def _in_thread(self, work: Callable[[], T]) -> T:
        await anyio.sleep(_WAY_S)
        done = work()
        await anyio.sleep(_WAY_S)
        return done


class Host:
    """One host, with its own fold and the reservation of one proxy."""

    def __init__(self, dispatcher: Dispatcher, journal: SharedJournal, clock: VirtualClock, number: int) -> None:
        session = dispatcher.session
        self.session, self.ledger, self.clock = session, session.ledger, clock
        self.writer = Writer(
            journal, self.ledger.on_durable, on_others=session.on_others, on_overtaken=self.ledger.on_overtaken
        )
        self.ledger.attach(self.writer, send_within_s=8.0, shared=True)
        self.state = self.reserve(number)

    def reserve(self, behind: int) -> TargetState:
        """The next in line behind so many that others take."""
        queue = self.session.rollout.queue
        *_, target = [self._first() for _ in range(behind + 1)]
        queue.begin(target, "rest")
        return self.session.run.state(target.proxy_id)

    def _first(self) -> Target:
        queue = self.session.rollout.queue
        target = queue.peek("rest", self.clock.now(), scopes=["default"], blocked=lambda _target: None)
        assert target is not None
        queue.take(target)
        return target

    async def intent(self, state: TargetState | None = None) -> Decision:
        state = state or self.state
        return await self.ledger.intent(state, OLD, f"token-{state.key}", folded=state.folded)

    def settled(self, outcome: Outcome) -> Settled:
        return Settled(at=self.clock.now(), target=self.state.key, outcome=outcome, wave="rest")

    def answer(self) -> AnswerSeen:
        return AnswerSeen(at=self.clock.now(), target=self.state.key, attempt=1, verdict="accepted")


def hosts(story: Callable[[Host, Host, SharedLog], Awaitable[None]], **changes: Any) -> None:
    """Two of them with the same epoch, which look at the log once an hour beside what they write."""
    values = {
        "waves": (Wave(name="rest"),),
        "limits": Limits(ramp=False, in_flight=Amount(10)),
        "failures": Failures(max=Amount(5), max_rejected=Amount(5)),
        "cloud_events": "off",
        **changes,
    }
    plan = plan_of(targets_of(6), **values)

    async def main() -> None:
        clock, log = VirtualClock(), SharedLog(looks_every_s=3600.0)
        log.take()
        async with AsyncExitStack() as stack:
            here, there = [await _opened(stack, plan, clock, log, number) for number in range(2)]
            async with anyio.create_task_group() as group:
                for host in (here, there):
                    group.start_soon(host.writer.run)
                await story(here, there, log)
                group.cancel_scope.cancel()

    run_virtual(main)


async def _opened(stack: AsyncExitStack, plan: Plan, clock: VirtualClock, log: SharedLog, number: int) -> Host:
    stage = Stage(plan=plan, clouds={"default": FakeCloud(clock, plan.proxies)})
    dispatcher, _ = await stack.enter_async_context(open_dispatcher(stage, clock))
    await dispatcher.session.ledger.record(WaveOpened(at=clock.now(), wave="rest"))
    return Host(dispatcher, SharedJournal(log, log.epoch, 0, lambda _records: None), clock, number)


def intents(log: SharedLog) -> list[str | None]:
    return [record.target for record in log.records if isinstance(record, Intent)]


def test_an_intent_counts_only_when_it_is_in_the_log() -> None:
    async def story(here: Host, _there: Host, _log: SharedLog) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(here.intent)
            await anyio.sleep(_WAY_S / 2)
            assert not here.state.attempts
            assert here.state.key in here.session.rollout.queue.starting
        assert here.state.is_open
        assert here.state.key not in here.session.rollout.queue.starting

    hosts(story)


def test_one_that_was_overtaken_by_an_unrelated_intent_is_asked_again_and_sent() -> None:
    async def story(here: Host, there: Host, log: SharedLog) -> None:
        assert isinstance(await here.intent(), Go)
        began_s = there.clock.monotonic()
        decision = await there.intent()
        assert isinstance(decision, Go)
        assert not decision.late
        assert there.clock.monotonic() - began_s == pytest.approx(4 * _WAY_S)
        assert intents(log) == [here.state.key, there.state.key]
        assert there.session.run.tally.fleet.open == 2

    hosts(story)


HARM: dict[str, tuple[Callable[[Host], Record], str]] = {
    "a failure that spends the strict budget": (lambda host: host.settled(Outcome.FAILED), "1 failure, 0 allowed"),
    "a hold": (lambda host: HoldSet(at=host.clock.now(), cause="person", reason="by ann"), "held: by ann"),
}


@pytest.mark.parametrize(("harm", "words"), HARM.values(), ids=HARM)
def test_one_that_was_overtaken_by_what_speaks_against_it_is_refused(
    harm: Callable[[Host], Record], words: str
) -> None:
    async def story(here: Host, there: Host, log: SharedLog) -> None:
        await here.ledger.record(harm(here))
        decision = await there.intent()
        assert isinstance(decision, IntentRefused)
        assert words in decision.reason
        assert intents(log) == []

    hosts(story, failures=Failures(max=Amount(0), max_rejected=Amount(5), mode="strict"))


def test_the_last_slot_is_taken_by_one_host_alone() -> None:
    async def story(here: Host, there: Host, log: SharedLog) -> None:
        decisions: list[Decision] = []

        async def ask(host: Host) -> None:
            decisions.append(await host.intent())

        async with anyio.create_task_group() as group:
            group.start_soon(ask, here)
            group.start_soon(ask, there)
        assert len(intents(log)) == 1
        (refused,) = [each for each in decisions if isinstance(each, IntentRefused)]
        assert "in_flight 1" in refused.reason

    hosts(story, limits=Limits(ramp=False, in_flight=Amount(1)))


def test_one_whose_target_another_host_has_written_of_is_refused() -> None:
    async def story(here: Host, there: Host, log: SharedLog) -> None:
        await here.ledger.record(
            JobSeen(at=here.clock.now(), target=there.state.key, workflow_id="w", status="Running")
        )
        decision = await there.intent()
        assert decision == IntentRefused("something has been written of it meanwhile")
        assert intents(log) == []

    hosts(story)


def test_one_that_gathers_while_another_host_is_heard_is_overtaken_and_asked_again() -> None:
    async def story(here: Host, there: Host, log: SharedLog) -> None:
        assert isinstance(await here.intent(), Go)
        async with anyio.create_task_group() as group:
            group.start_soon(
                there.ledger.record,
                Postponed(
                    at=there.clock.now(), target=there.reserve(1).key, wave="rest", why="busy", until=there.clock.now()
                ),
            )
            await anyio.sleep(_WAY_S / 2)
            decision = await there.intent()
        assert isinstance(decision, Go)
        assert intents(log) == [here.state.key, there.state.key]

    hosts(story)


def test_two_of_one_host_on_their_way_together_respect_what_each_other_takes() -> None:
    async def story(here: Host, _there: Host, log: SharedLog) -> None:
        second, decisions = here.reserve(1), list[Decision]()

        async def ask(state: TargetState) -> None:
            decisions.append(await here.intent(state))

        async with anyio.create_task_group() as group:
            group.start_soon(ask, here.state)
            group.start_soon(ask, second)
        assert [type(each) for each in decisions] == [IntentRefused, IntentRefused]
        here.session.rollout.queue.back(second.target)
        assert isinstance(await here.intent(), Go)
        assert len(intents(log)) == 1

    hosts(story, failures=Failures(max=Amount(0), max_rejected=Amount(5), mode="strict"))


ONE = {"limits": Limits(ramp=False, in_flight=Amount(10), concurrency=1)}


def test_with_a_concurrency_of_one_a_call_waits_for_the_answer_to_that_of_another_host() -> None:
    async def story(here: Host, there: Host, log: SharedLog) -> None:
        assert isinstance(await here.intent(), Go)
        await there.ledger.record(HoldSet(at=there.clock.now(), cause="person", reason="only to hear of it"))
        there.session.run.hold = None
        decisions: list[Decision] = []

        async def ask() -> None:
            await there.ledger.room()
            decisions.append(await there.intent())

        async with anyio.create_task_group() as group:
            group.start_soon(ask)
            await anyio.sleep(1)
            await here.ledger.record(here.answer())
            assert decisions == []
            await there.ledger.record(there.session.run.started or here.answer())  # brings the answer along
        assert isinstance(decisions[0], Go)
        assert len(intents(log)) == 2

    hosts(story, **ONE)


def test_a_call_waits_five_seconds_at_most_for_that_of_another_host() -> None:
    async def story(here: Host, there: Host, log: SharedLog) -> None:
        assert isinstance(await here.intent(), Go)
        turn_s = there.clock.monotonic()
        assert await there.intent() == IntentRefused("no slot: concurrency 1 over all hosts"), (
            "the turn of its call is now"
        )
        assert there.clock.monotonic() - turn_s == pytest.approx(2 * _WAY_S), "by the rate it is its turn: nothing else"
        began_s = there.clock.monotonic()
        await there.ledger.room()
        assert there.clock.monotonic() - began_s == pytest.approx(5)
        assert intents(log) == [here.state.key]

    hosts(story, **ONE)


def test_an_answer_that_is_on_its_way_to_the_log_frees_its_call_for_the_next_one_of_the_same_host() -> None:
    async def story(here: Host, _there: Host, log: SharedLog) -> None:
        second = here.reserve(1)
        assert isinstance(await here.intent(), Go)
        began_s = here.clock.monotonic()
        here.ledger.note(here.answer())
        assert isinstance(await here.intent(second), Go)
        assert here.clock.monotonic() - began_s == pytest.approx(2 * _WAY_S)
        assert len(intents(log)) == 2

    hosts(story, **ONE)


def test_what_a_dead_host_left_unanswered_keeps_nobody_waiting_for_ever() -> None:
    async def story(here: Host, there: Host, log: SharedLog) -> None:
        assert isinstance(await here.intent(), Go)
        assert isinstance(await there.intent(), IntentRefused)
        left = there.session.run.state(here.state.key)
        there.ledger.note(AnswerMissing(at=there.clock.now(), target=left.key, attempt=1))
        assert isinstance(await there.intent(), Go)
        assert len(intents(log)) == 2

    hosts(story, **ONE)


def test_no_call_is_under_way_for_longer_than_a_call_can_take() -> None:
    async def story(here: Host, there: Host, log: SharedLog) -> None:
        assert isinstance(await here.intent(), Go)
        assert isinstance(await there.intent(), IntentRefused)
        await anyio.sleep(timedelta(seconds=8 + 5 + 30).total_seconds())
        assert isinstance(await there.intent(), Go)
        assert len(intents(log)) == 2

    hosts(story, **ONE)
