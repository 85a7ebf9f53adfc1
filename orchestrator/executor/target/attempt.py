"""One attempt: slot, rate and token first; then the intent; then nothing but the send; then the answer on disk.

From the intent on nothing but death interrupts it, so that a stop never makes a doubt.
"""

from collections.abc import Container
from datetime import datetime
from typing import Self

import anyio
import msgspec

from orchestrator.errors import place_of
from orchestrator.executor.crash_points import Point
from orchestrator.executor.intents import Go
from orchestrator.executor.ports import Pending
from orchestrator.executor.rate.lane import Lane
from orchestrator.executor.scope.gate import Yielded
from orchestrator.executor.scope.jobs.job_list import Board
from orchestrator.executor.scope.poll_schedule import stale
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.executor.session import Session
from orchestrator.executor.target.answer_verdict import UpgradeReply, judge, stray_workflows
from orchestrator.executor.target.preflight import Ready
from orchestrator.model.record.record import AnswerSeen, Intent, Verdict
from orchestrator.model.reply.reply import Answered, Exchange, NotSent, Refused
from orchestrator.model.run.state import TargetState

_STOOD_STILL = "nothing was sent: the intent took too long to be on record, and another host may have taken over since"


async def attempt(state: TargetState, session: Session, ready: Ready) -> None:
    """Send the upgrade, once. If anything speaks against it by now, nothing is sent and nothing is recorded.

    Raises:
        Yielded, ScopeGone: the scope cannot be used now; nothing was sent.
    """
    calls = session.calls(state)
    known = await session.known_workflows()
    async with _Slot(calls, session) as slot:
        session.reached(Point.SLOT_TAKEN)
        if _stale(ready, session, calls.lanes.pacer.rate):
            raise Yielded("what was read has grown old")
        with anyio.CancelScope(shield=True):
            await _send(state, session, ready, known, slot)


class _There(msgspec.Struct, frozen=True):
    """Workflows, as they are compared, that were there before the call: none can be what it starts. Only looked up.

    Attributes:
        known: of the state folder; they may be a million.
        astray: that answers to other questions named.
        board: of the scope; what its lists had shown.
        sent: when the call left.
    """

    known: Container[str]
    astray: Container[str]
    board: Board
    sent: datetime

    def __contains__(self, workflow: object) -> bool:
        listed = isinstance(workflow, str) and self.board.showed(workflow, self.sent)
        return listed or workflow in self.known or workflow in self.astray


class _Slot:
    """A slot of the concurrency, had when it is the scope's turn by its rate.

    One target of a scope waits for both at a time, so that a slow scope leaves no more than one slot idle. An upgrade
    that was accepted goes to disk without its slot, so that a slow disk makes no fewer calls; any other answer may be
    what holds the fleet, and keeps its slot until it counts.
    """

    __slots__ = ("_calls", "_held", "_session")

    def __init__(self, calls: ScopeCalls, session: Session) -> None:
        self._calls = calls
        self._session = session
        self._held = False

    async def __aenter__(self) -> Self:
        async with self._calls.line:
            await self._have_permit()
            self._held = True
            try:
                await self._session.ledger.room()  # before its turn by the rate: a call that waits then comes too late
                await self._ready()
            except BaseException:
                self.free()
                raise
        return self

    async def _have_permit(self) -> None:
        try:
            self._session.sending.acquire_on_behalf_of_nowait(self)  # the other way costs a turn of the loop
        except anyio.WouldBlock:
            await self._session.sending.acquire_on_behalf_of(self)

    async def _ready(self) -> None:
        if await self._calls.ready(Lane.SEND) is not None:
            raise Yielded("credentials")

    async def __aexit__(self, *_error: object) -> None:
        self.free()

    def free(self) -> None:
        """Give the slot back, once."""
        if self._held:
            self._held = False
            self._session.sending.release_on_behalf_of(self)


def _stale(ready: Ready, session: Session, rate: float) -> bool:
    age_s = (session.clock.now() - ready.read_at).total_seconds()
    return stale(age_s, rate)


async def _send(state: TargetState, session: Session, ready: Ready, known: Container[str], slot: _Slot) -> None:
    source_version = ready.source_version
    decision = await session.ledger.intent(state, source_version, session.new_token(), folded=ready.folded)
    if not isinstance(decision, Go):
        return
    session.reached(Point.INTENT_WRITTEN)
    target, plan = state.target, session.plan
    there = _There(known, session.run.astray, session.board(state), decision.intent.at)
    answer = _Answer(decision.intent, session, target.instance_id, there, slot)
    if decision.late:
        answer.keep(NotSent(_STOOD_STILL, Exchange()))
        await answer.on_disk()
        return
    try:
        await session.calls(state).post(
            lambda api: api.upgrade(target.instance_id, target.proxy_id, source_version, plan.target_version),
            state.key,
            answer.keep,
        )
    finally:
        await answer.on_disk()
    session.reached(Point.ANSWER_WRITTEN)


class _Answer(msgspec.Struct):
    """The answer to an intent: handed to the journal as it came, before anything that can fail is made of it.

    `known`: workflows, in small letters, that were there before it was asked for.
    """

    intent: Intent
    session: Session
    instance_id: str
    known: Container[str]
    slot: _Slot
    strays: tuple[str, ...] = ()
    pending: Pending | None = None
    error: Exception | None = None

    def keep(self, reply: UpgradeReply) -> None:
        """Hand it over, whatever fails meanwhile."""
        verdict, reason = self._judged(reply)
        try:
            self.session.reached(Point.ANSWER_RECEIVED)
        finally:
            record = answer_record(self.intent, reply, verdict, reason, self.session, self.strays)
            self.pending = self.session.ledger.note(record)
            if verdict == "accepted":
                self.slot.free()

    def _judged(self, reply: UpgradeReply) -> tuple[Verdict, str | None]:
        try:
            self.strays = tuple(stray_workflows(reply, self.instance_id, self.known))
            return judge(reply, self.instance_id, self.known)
        except Exception as error:  # noqa: BLE001  # the answer counts more than what is thought of it
            self.error = error
            return "in_doubt", f"the answer could not be judged: {place_of(error)}"

    async def on_disk(self) -> None:
        """Return when it is on disk.

        Raises:
            StateError: it could not be written.
            Exception: it could not be judged, or counted, which is for the target's bulkhead.
        """
        if self.pending is not None:
            await self.session.ledger.counted(self.intent, self.pending)
        if self.error is not None:
            raise self.error


def answer_record(
    intent: Intent,
    reply: UpgradeReply,
    verdict: Verdict,
    reason: str | None,
    session: Session,
    strays: tuple[str, ...] = (),
) -> AnswerSeen:
    """The record of a reply, with every entry word for word."""
    exchange: Exchange = reply.exchange
    return AnswerSeen(
        at=session.clock.now(),
        target=intent.target,
        attempt=intent.attempt,
        verdict=verdict,
        reason=reason,
        http_status=exchange.http_status,
        request_id=exchange.request_id,
        error_code=exchange.error_code,
        error_msg=exchange.error_msg,
        duration_ms=exchange.duration_ms,
        cloud_offset_s=exchange.cloud_offset_s,
        already_latest=isinstance(reply, Refused) and reply.already_latest,
        update_result=reply.value if isinstance(reply, Answered) else (),
        strays=strays,
    )
