"""What an intent has to wait for and come to, where hosts share a log and where they do not.

In a file an intent counts from the moment it is handed over. In a log that hosts share it counts in the order of the
log, for another host's record may come before it: it may be overtaken, and so many calls as the plan allows may be
under way there already, whoever makes them. A reservation holds its slot until then.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from math import inf
from typing import TypeAlias

import anyio
import msgspec

from orchestrator.executor.decide.one_target.intent_gate import may_trip
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.ports import Clock, Pending
from orchestrator.model.record.record import AnswerMissing, AnswerSeen, Clocks, Intent, Record
from orchestrator.model.run.state import TargetState

#: How long an intent waits for an answer to another one, of whatever host, before it is refused.
_ROOM_WITHIN_S = 5.0


class Go(msgspec.Struct, frozen=True):
    """The intent is on disk: send, unless that took so `late` that another host may be looking for its job already."""

    intent: Intent
    late: bool = False


class IntentRefused(msgspec.Struct, frozen=True):
    """The intent was not written, and nothing may be sent."""

    reason: str


class Seen(msgspec.Struct, frozen=True):
    """The target has an intent that is still open: nothing may be sent beside it."""

    record: Intent


Decision: TypeAlias = Go | IntentRefused | Seen


class Intents:
    """The intents of a session on their way to the journal, and what they wait for.

    Attributes:
        shared: whether other hosts add to the journal too.
        send_within_s: how long after an intent was asked for its call may leave.
    """

    def __init__(self, rollout: Rollout, clock: Clock) -> None:
        self.shared = False
        self.send_within_s = inf
        self._rollout = rollout
        self._clock = clock
        self._calls = CallsUnderWay()
        self._harm: Pending | None = None
        self._overtaken: set[str] = set()

    def attach(self, *, send_within_s: float, shared: bool) -> None:
        """The journal is known from now on."""
        self.shared, self.send_within_s = shared, send_within_s
        if shared:
            self._calls.begin(self._rollout.run.open_states())

    def handed_over(self, record: Record, pending: Pending) -> None:
        """A record of this host goes to the journal."""
        if may_trip(self._rollout.plan.failures, record):
            self._harm = pending
        if self.shared:
            self._calls.handed_over(record)
        if isinstance(record, Intent):
            self._overtaken.discard(str(record.target))

    def at_once(self, record: Record) -> bool:
        """Whether a record counts when it is handed over, as far as that depends on who else writes."""
        return not (self.shared and isinstance(record, Intent))

    def counts(self, state: TargetState) -> None:
        """A record of a target counts."""
        if self.shared:
            self._calls.follow(state)

    def overtaken(self, record: Record) -> None:
        """An intent was not written: a record of another host came before it."""
        self._overtaken.add(str(record.target))
        self._calls.drop(str(record.target))

    def was_overtaken(self, intent: Intent) -> bool:
        """Whether an intent that was waited for is not written; told once."""
        if intent.target not in self._overtaken:
            return False
        self._overtaken.discard(intent.target)
        return True

    def new(self, state: TargetState, source_version: str, token: str, clocks: Clocks) -> Intent:
        """The intent of a target's next attempt."""
        return Intent(
            at=self._clock.now(),
            target=state.key,
            attempt=len(state.attempts) + 1,
            wave=self._rollout.queue.starting[state.key],
            token=token,
            source_version=source_version,
            target_version=self._rollout.plan.target_version,
            clocks=clocks,
            ahead_s=self._rollout.ahead().total_seconds(),
        )

    async def harm_known(self) -> None:
        """Return when no record is on its way that may be the one for which the fleet is held."""
        while (harm := self._harm) is not None:
            await harm.wait()
            self._harm = None if self._harm is harm else self._harm

    async def room(self) -> None:
        """Return when there is room for one more call beside those of all hosts, or there was none for a while."""
        if self._is_full():
            with anyio.move_on_after(_ROOM_WITHIN_S):
                while self._is_full():
                    await self._calls.fewer()

    def full(self) -> str | None:
        """Why there is no room now. By the rate it is the turn of its call, which would come too late if it waited."""
        return f"no slot: concurrency {self._most} over all hosts" if self._is_full() else None

    def _is_full(self) -> bool:
        return self.shared and self._calls.number(self._clock.now(), self._longest) >= self._most

    @property
    def _most(self) -> int:
        return self._rollout.plan.limits.concurrency

    @property
    def _longest(self) -> timedelta:
        """No call is under way so long after its intent, whatever has become of the host that made it."""
        http = self._rollout.plan.http
        return timedelta(seconds=self.send_within_s + http.connect_timeout_s + http.timeout_s)


class CallsUnderWay:
    """Upgrade calls of all hosts that wait for their answer: `limits.concurrency` bounds them.

    Those of another host count from their record on, those of this one already when they are handed over: so does
    their answer, for it stands in the log before the intent that comes after it.
    """

    def __init__(self) -> None:
        self._sent: dict[str, datetime] = {}
        self._fewer = anyio.Event()

    def begin(self, states: Iterable[TargetState]) -> None:
        """Take over those that earlier sessions have left."""
        for state in states:
            self.follow(state)

    def handed_over(self, record: Record) -> None:
        """A record of this host goes to the log."""
        match record:
            case Intent(target=str(key), at=at):
                self._sent[key] = at
            case AnswerSeen(target=str(key)) | AnswerMissing(target=str(key)):
                self.drop(key)
            case _:
                pass

    def follow(self, state: TargetState) -> None:
        """A record of a target counts."""
        if state.unanswered and not state.set_aside:
            self._sent[state.key] = state.last.intent.at
        else:
            self.drop(state.key)

    def drop(self, key: str) -> None:
        """Nothing is waited for any more."""
        if self._sent.pop(key, None) is not None:
            self._fewer.set()
            self._fewer = anyio.Event()

    def number(self, now: datetime, longest: timedelta) -> int:
        """How many may still be under way."""
        return sum(now - at < longest for at in self._sent.values())

    async def fewer(self) -> None:
        """Return when an answer has come."""
        await self._fewer.wait()
