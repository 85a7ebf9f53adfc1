"""The ledger: what counts when, and what an intent is refused for."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import anyio
import msgspec
import pytest
from fakes.clock import START, VirtualClock, run_virtual
from fakes.clouds import NEW, OLD, FakeCloud
from fakes.stage import Stage, open_dispatcher, plan_of, targets_of
from msgspec.structs import replace

from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.intents import Decision, Go, IntentRefused, Seen
from orchestrator.executor.ledger import Ledger
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Freeze, Limits, Wave, Window
from orchestrator.model.record.outcome import Outcome, Phase
from orchestrator.model.record.record import (
    AnswerSeen,
    DoubtRemains,
    FollowTimedOut,
    HoldReleased,
    HoldSet,
    PartFailed,
    PreflightDone,
    Record,
    Reverified,
    ScopeGivenUp,
    ScopeOpened,
    ScopePaused,
    Settled,
    WaveOpened,
)
from orchestrator.model.reply.reply import Entry
from orchestrator.model.run.state import TargetState


class Desk:
    """A ledger over a slow disk, with targets that hold reservations."""

    def __init__(self, ledger: Ledger, rollout: Rollout, clock: VirtualClock) -> None:
        self.ledger, self.rollout, self.clock = ledger, rollout, clock
        self.states = [self.reserve() for _ in range(3)]

    def reserve(self) -> TargetState:
        queue = self.rollout.queue
        target = queue.peek("rest", self.clock.now(), scopes=["default"], blocked=lambda _target: None)
        assert target is not None
        queue.take(target)
        queue.begin(target, "rest")
        return self.rollout.run.state(target.proxy_id)

    async def intent(self, number: int = 0) -> Decision:
        state = self.states[number]
        return await self.ledger.intent(state, OLD, f"token-{number}", folded=state.folded)

    def settled(self, number: int, outcome: Outcome) -> Settled:
        return Settled(at=self.clock.now(), target=self.states[number].key, outcome=outcome, wave="rest")


def version_read(state: TargetState) -> PreflightDone:
    return PreflightDone(
        at=START, target=state.key, wave="rest", current_version=OLD, latest_version=NEW, can_upgrade=True
    )


def at_desk(story: Callable[[Desk], Awaitable[None]], **changes: Any) -> None:
    values = {
        "waves": (Wave(name="rest"),),
        "limits": Limits(ramp=False, in_flight=Amount(10)),
        "failures": Failures(max=Amount(5), max_rejected=Amount(5)),
        "cloud_events": "off",
        **changes,
    }
    plan = plan_of(targets_of(6), **values)

    async def main() -> None:
        clock = VirtualClock()
        stage = Stage(plan=plan, disk_s=1.0, clouds={"default": FakeCloud(clock, plan.proxies)})
        async with open_dispatcher(stage, clock) as (dispatcher, _journal):
            session = dispatcher.session
            await session.ledger.record(WaveOpened(at=clock.now(), wave="rest"))
            await story(Desk(session.ledger, session.rollout, clock))

    run_virtual(main)


def hold() -> HoldSet:
    return HoldSet(at=START, cause="person", reason="held by ann")


def test_an_intent_is_on_disk_before_anybody_may_send() -> None:
    async def story(desk: Desk) -> None:
        began = desk.clock.monotonic()
        decision = await desk.intent()
        assert isinstance(decision, Go)
        assert decision.intent.attempt == 1
        assert desk.clock.monotonic() - began >= 1.0
        assert isinstance(await desk.intent(), Seen)

    at_desk(story)


def test_an_intent_counts_from_the_moment_it_is_handed_over() -> None:
    async def story(desk: Desk) -> None:
        decisions: list[Decision] = []

        async def one(number: int) -> None:
            decisions.append(await desk.intent(number))

        async with anyio.create_task_group() as group:
            for number in range(3):
                group.start_soon(one, number)
            await anyio.sleep(0.5)
            assert desk.rollout.run.tally.fleet.open == 3
        assert len(decisions) == 3

    at_desk(story)


def test_what_befalls_a_scope_counts_in_its_order() -> None:
    """Else the session waits for ever for a scope that is gone."""

    async def story(desk: Desk) -> None:
        for record in (
            ScopePaused(at=START, scope="default", why="refused"),
            ScopeOpened(at=START, scope="default"),
            ScopeGivenUp(at=START, scope="default", why="refused again"),
        ):
            desk.ledger.note(record)
        scope = desk.rollout.run.scopes["default"]
        assert scope.given_up == "refused again"
        await anyio.sleep(5)
        assert scope.given_up == "refused again"

    at_desk(story)


def test_an_answer_counts_only_when_it_is_on_disk() -> None:
    async def story(desk: Desk) -> None:
        await desk.intent()
        state = desk.states[0]
        entry = Entry(workflow_id="w", state="ACCEPT")
        desk.ledger.note(AnswerSeen(at=START, target=state.key, attempt=1, verdict="accepted", update_result=(entry,)))
        assert state.accepted_at is None
        await anyio.sleep(2.5)
        assert state.accepted_at is not None

    at_desk(story)


def test_a_hold_counts_from_the_moment_it_is_handed_over() -> None:
    async def story(desk: Desk) -> None:
        desk.ledger.note(hold())
        decision = await desk.intent()
        assert isinstance(decision, IntentRefused)
        assert "held by ann" in decision.reason
        await desk.ledger.record(HoldReleased(at=START, by="ann", note="go"))
        assert isinstance(await desk.intent(), Go)

    at_desk(story)


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.MISMATCH, Outcome.REJECTED])
def test_no_intent_overtakes_the_harm_for_which_the_fleet_is_held(outcome: Outcome) -> None:
    async def story(desk: Desk) -> None:
        desk.ledger.note(desk.settled(1, outcome))
        decision = await desk.intent(0)
        assert isinstance(decision, IntentRefused)
        assert "allowed for the fleet" in decision.reason

    at_desk(story, failures=Failures(max=Amount(0), max_rejected=Amount(0), mode="soft"))


async def _sent(desk: Desk, number: int) -> AnswerSeen:
    """An attempt is on disk; what may be answered to it."""
    await desk.intent(number)
    return AnswerSeen(at=desk.clock.now(), target=desk.states[number].key, attempt=1, verdict="in_doubt")


async def _stays_in_doubt(desk: Desk) -> Record:
    await desk.ledger.record(await _sent(desk, 1))
    return DoubtRemains(at=desk.clock.now(), target=desk.states[1].key, attempt=1, why="no evidence")


async def _times_out(desk: Desk) -> Record:
    await _sent(desk, 1)
    return FollowTimedOut(at=desk.clock.now(), target=desk.states[1].key, attempt=1, why="no end")


async def _spoils(desk: Desk) -> Record:
    await desk.ledger.record(desk.settled(1, Outcome.SUCCEEDED))
    return Reverified(at=desk.clock.now(), target=desk.states[1].key, healthy=False, finding="node ABNORMAL")


async def _says_something_new(desk: Desk) -> Record:
    entry = Entry(state="REJECT", error_message="never heard")
    return replace(await _sent(desk, 1), verdict="rejected", update_result=(entry,))


HARM = {
    "stays in doubt": (_stays_in_doubt, "1 failure, 0 allowed for the fleet"),
    "times out": (_times_out, "1 failure, 0 allowed for the fleet"),
    "unhealthy after the soak": (_spoils, "1 failure, 0 allowed for the fleet"),
    "new reject": (_says_something_new, "a REJECT reason never seen before: never heard"),
}


@pytest.mark.parametrize(("harm", "words"), HARM.values(), ids=HARM)
def test_no_intent_overtakes_harm_that_is_no_outcome_yet(harm: Callable[[Desk], Awaitable[Record]], words: str) -> None:
    async def story(desk: Desk) -> None:
        record = await harm(desk)
        desk.ledger.note(record)
        decision = await desk.intent(0)
        assert isinstance(decision, IntentRefused)
        assert words in decision.reason

    at_desk(story, failures=Failures(max=Amount(0), max_rejected=Amount(5), mode="soft", new_reject="hold"))


def test_a_success_keeps_nobody_waiting() -> None:
    async def story(desk: Desk) -> None:
        await anyio.sleep(0.5)
        desk.ledger.note(desk.settled(1, Outcome.SUCCEEDED))
        began = desk.clock.monotonic()
        assert isinstance(await desk.intent(0), Go)
        assert desk.clock.monotonic() - began <= 1.0

    at_desk(story)


def _stop(desk: Desk) -> None:
    desk.rollout.stop = "stopped by SIGTERM"


def _time_is_up(desk: Desk) -> None:
    desk.rollout.until = desk.clock.now()


def _reservation_lost(desk: Desk) -> None:
    desk.rollout.queue.back(desk.states[0].target)


REFUSALS: dict[str, tuple[Callable[[Desk], None], dict[str, Any], str]] = {
    "stop": (_stop, {}, "stopped by SIGTERM"),
    "bound": (_time_is_up, {}, "time for starts"),
    "window": (
        lambda _desk: None,
        {"windows": (Window(opens=60, closes=120, timezone="UTC"),)},
        "window opens",
    ),
    "freeze": (
        lambda _desk: None,
        {"freezes": (Freeze(start="2026-03-01", end="2026-03-02", timezone="UTC"),)},
        "frozen",
    ),
    "instance": (lambda _desk: None, {"windows": "instance"}, "no maintenance window"),
    "cap": (lambda _desk: None, {"limits": Limits(ramp=False, in_flight=Amount(2))}, "no slot: in_flight 2"),
    "strict": (lambda _desk: None, {"failures": Failures(max=Amount(1), max_rejected=Amount(5))}, "no slot: strict"),
    "reservation": (_reservation_lost, {}, "no reservation"),
}


@pytest.mark.parametrize(("prepare", "changes", "words"), REFUSALS.values(), ids=REFUSALS)
def test_an_intent_is_refused_when_anything_speaks_against_it(
    prepare: Callable[[Desk], None], changes: dict[str, Any], words: str
) -> None:
    async def story(desk: Desk) -> None:
        prepare(desk)
        decision = await desk.intent()
        assert isinstance(decision, IntentRefused)
        assert words in decision.reason
        assert desk.states[0].phase is Phase.WAITING
        assert not desk.states[0].attempts

    at_desk(story, **changes)


def test_a_refused_intent_leaves_the_others_their_room() -> None:
    async def story(desk: Desk) -> None:
        assert isinstance(await desk.intent(0), IntentRefused)
        desk.rollout.queue.back(desk.states[0].target, desk.clock.now() + timedelta(seconds=1))
        assert isinstance(await desk.intent(1), Go)
        assert isinstance(await desk.intent(2), Go)

    at_desk(story, limits=Limits(ramp=False, in_flight=Amount(2)))


def test_the_target_version_is_the_plans() -> None:
    async def story(desk: Desk) -> None:
        decision = await desk.intent()
        assert isinstance(decision, Go)
        assert (decision.intent.source_version, decision.intent.target_version) == (OLD, NEW)

    at_desk(story)


def test_what_cannot_be_written_fails_where_it_is_made() -> None:
    async def story(desk: Desk) -> None:
        with pytest.raises(TypeError, match="the field outcome"):
            await desk.ledger.record(replace(desk.settled(0, Outcome.FAILED), outcome=object()))
        byte = b"\xff".decode("utf-8", "surrogateescape")
        await desk.ledger.record(replace(desk.settled(1, Outcome.FAILED), reason=byte))
        assert desk.states[1].reason == "\\udcff"

    at_desk(story)


def test_a_preflight_wakes_nobody_and_every_other_record_the_loop_once() -> None:
    async def story(desk: Desk) -> None:
        woken = list[str]()

        class Kept:
            def append_nowait(self, _record: Record) -> Any: ...

        ledger = Ledger(
            desk.rollout, desk.clock, changed=lambda: woken.append("the loop"), observe=lambda _record: None
        )
        ledger.attach(Kept())
        ledger.note(version_read(desk.states[0]))
        assert woken == []
        ledger.note(HoldSet(at=desk.clock.now(), step="hold", cause="person", reason="wait", by="me"))
        assert woken == ["the loop"]

    at_desk(story)


def test_every_record_is_searched_for_secrets_where_it_enters() -> None:
    written: list[Record] = []

    async def story(desk: Desk) -> None:
        ledger = Ledger(
            desk.rollout,
            desk.clock,
            changed=lambda: None,
            observe=lambda _record: None,
            mask=lambda record: replace(record, reason="hidden") if isinstance(record, HoldSet) else record,
        )

        class Kept:
            def append_nowait(self, record: Record) -> Any:
                written.append(record)

        ledger.attach(Kept())
        ledger.note(HoldSet(at=desk.clock.now(), step="hold", cause="person", reason="hush-hush", by="me"))
        assert desk.rollout.run.hold is not None
        assert desk.rollout.run.hold.reason == "hidden"

    at_desk(story)
    assert [record.reason for record in written if isinstance(record, HoldSet)] == ["hidden"]


def test_an_answer_that_cannot_be_searched_for_secrets_is_kept_without_its_texts() -> None:
    written: list[Record] = []

    def fails(record: Record) -> Record:
        raise ZeroDivisionError(record.target)

    async def story(desk: Desk) -> None:
        ledger = Ledger(desk.rollout, desk.clock, changed=lambda: None, observe=lambda _record: None, mask=fails)

        class Kept:
            def append_nowait(self, record: Record) -> Any:
                written.append(record)

        ledger.attach(Kept())
        ours, theirs = "375ac6a4-4e0b-4a6f-8d2e-0f1b2c3d4e5f", "hush-hush"
        entries = tuple(
            Entry(instance_id=None, workflow_id=each, state="ACCEPT", error_message="hush-hush")
            for each in (ours, theirs)
        )
        ledger.note(
            AnswerSeen(
                at=desk.clock.now(),
                target=desk.states[0].key,
                attempt=1,
                verdict="accepted",
                reason="hush-hush",
                request_id="hush-hush",
                error_msg="hush-hush",
                update_result=entries,
            )
        )
        assert "internal error" in (desk.rollout.stop or "")
        with pytest.raises(ZeroDivisionError):
            ledger.note(HoldSet(at=desk.clock.now(), step="hold", cause="person", reason="hush-hush", by="me"))

    at_desk(story)
    (answer,) = written
    assert isinstance(answer, AnswerSeen)
    assert [entry.workflow_id for entry in answer.update_result] == ["375ac6a4-4e0b-4a6f-8d2e-0f1b2c3d4e5f", None]
    assert b"hush" not in msgspec.json.encode(answer)


def test_an_answer_that_cannot_be_searched_for_secrets_ends_the_session_as_a_bug_does() -> None:
    written: list[Record] = []

    def fails(record: Record) -> Record:
        return replace(record, at=1 // 0) if isinstance(record, AnswerSeen) else record

    async def story(desk: Desk) -> None:
        ledger = Ledger(desk.rollout, desk.clock, changed=lambda: None, observe=lambda _record: None, mask=fails)

        class Kept:
            def append_nowait(self, record: Record) -> Any:
                written.append(record)

        ledger.attach(Kept())
        ledger.note(AnswerSeen(at=desk.clock.now(), target=desk.states[0].key, attempt=1, verdict="accepted"))
        assert (desk.rollout.stop or "").startswith("internal error: the search for secrets: ZeroDivisionError at ")

    at_desk(story)
    answer, failed = written
    assert isinstance(answer, AnswerSeen)
    assert isinstance(failed, PartFailed)
    assert (failed.part, failed.ends, failed.host) == ("the search for secrets", True, "")


@pytest.mark.parametrize("waits", [True, False], ids=["folded meanwhile", "on its way to the disk"])
def test_an_intent_is_refused_when_its_story_does_not_know_every_record_of_its_target(waits: bool) -> None:
    async def story(desk: Desk) -> None:
        state = desk.states[0]
        known = state.folded
        news = version_read(state)
        if waits:
            await desk.ledger.record(news)
        else:
            desk.ledger.note(news)
        decision = await desk.ledger.intent(state, OLD, "t", folded=known)
        assert decision == IntentRefused("something has been written of it meanwhile")

    at_desk(story)
