"""The calls of one scope as the executor makes them: through the gate, in turn, counted, and GETs tried again.

Every reply is observed here once: a throttled scope waits as a whole, a refused token pauses it, and so does a
connection that could not be made.
"""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Literal, TypeAlias, TypeVar

import anyio
import msgspec

from orchestrator.executor.ports import Clock, CloudApi, MetricsApi
from orchestrator.executor.rate.lane import Lane
from orchestrator.executor.rate.lanes import Lanes
from orchestrator.executor.scope.backoff import Chance, backoff_s
from orchestrator.executor.scope.call import Call, kind_of, running_jobs
from orchestrator.executor.scope.cloud_time import STEP_S, CloudTime
from orchestrator.executor.scope.gate import Gate, GateState, Yielded
from orchestrator.executor.scope.shared_credentials import SharedCredentials
from orchestrator.executor.scope.silence import Silence
from orchestrator.executor.scope.under_way import UnderWay
from orchestrator.executor.scope.usage import Usage
from orchestrator.model.plan.plan import Retry
from orchestrator.model.record.record import ClockStepped, Record, ScopeHeard, ScopePaused, ScopeThrottled
from orchestrator.model.reply.reply import (
    Answered,
    Busy,
    Doubtful,
    Exchange,
    Failure,
    NotSent,
    Refused,
    Reply,
    Throttled,
    Unauthenticated,
    plain_words,
)

T = TypeVar("T")
CallKind: TypeAlias = Literal["read", "upgrade"]

#: A pause that the cloud asks for is honoured so far; in a longer one, a probe is made so often.
LONGEST_PAUSE_S = 3600.0

#: A token that is refused for one read, while others get through, is tried for it once more and no oftener.
_REFUSALS_OF_A_READ = 2


class ScopeCalls(msgspec.Struct):
    """One scope's calls.

    Args:
        note: takes a record about the scope, without waiting for it to be on disk.
        chance: a number in [0, 1), for jitter.

    Attributes:
        credentials: what is known of its credentials, together with all scopes that have the same.
        eye: where metrics of its proxies are read; None when nobody will.
        line: one caller at a time waits for its turn to send an upgrade.
        throttled_in_a_row: refusals since a call of that kind got through; reads that pass say nothing of upgrades.
        turned_away: upgrade calls that closed the gate since one got through, by target.
        upgrades_let_in: whether an upgrade call got through in this session.
        got_through: calls that were let in, since the session began.
        under_way: what was begun with the cloud and has not ended.
        silence: since when it says nothing, though it is asked.
        waits: what waits for its turn, or before it tries again.
        told_until_s: the end of the latest pause that is written down of it, in monotonic seconds.
    """

    name: str
    api: CloudApi
    lanes: Lanes
    retry: Retry
    clock: Clock
    chance: Chance
    note: Callable[[Record], None]
    credentials: SharedCredentials = msgspec.field(default_factory=SharedCredentials)
    gate: Gate = msgspec.field(default_factory=Gate)
    usage: Usage = msgspec.field(default_factory=Usage)
    cloud_time: CloudTime = msgspec.field(default_factory=CloudTime)
    throttled_in_a_row: Counter[CallKind] = msgspec.field(default_factory=Counter)
    turned_away: Counter[str] = msgspec.field(default_factory=Counter)
    upgrades_let_in: bool = False
    got_through: int = 0
    under_way: UnderWay = msgspec.field(default_factory=UnderWay)
    silence: Silence = msgspec.field(default_factory=Silence)
    waits: UnderWay = msgspec.field(default_factory=UnderWay)
    told_until_s: float = 0.0
    line: anyio.Lock = msgspec.field(default_factory=lambda: anyio.Lock(fast_acquire=True))
    eye: MetricsApi | None = None

    @property
    def available(self) -> bool:
        """Whether a call may be begun now."""
        return self.open and self.lanes.held_s <= 0

    @property
    def open(self) -> bool:
        """Whether it is neither paused nor given up."""
        return self.gate.state is GateState.OPEN

    @property
    def idle(self) -> bool:
        """Whether nothing goes on in it, and nothing waits for it to go on."""
        return not self.under_way and not self.waits

    async def read(self, call: Call[T], lane: Lane) -> Answered[T] | Refused | Busy | Doubtful:
        """A GET, tried again on any transient failure, `retry.attempts` times; pauses of the scope do not count.

        A pause that this very call brings about, while others get through, does count: it is not the scope.

        Raises:
            Yielded: the scope cannot be used now, and the lane is one that starts something.
            ScopeGone: the scope was given up.
        """
        tries, began = 0, self.got_through
        while True:
            reply = await self.once(call, lane)
            if isinstance(reply, Answered | Refused | Busy):
                return reply
            tries += 1
            spent = tries >= self._tries(reply)
            alone = self.got_through > began or (spent and await self._answers_others(reply))
            if spent and (alone or isinstance(reply, Doubtful)):
                return self._given_up(reply, alone=alone)
            if isinstance(reply, Doubtful):
                with self.waits.begun(self.clock.monotonic()):
                    await self.clock.sleep(self.backoff_s(tries))
                continue
            if spent and isinstance(reply, Throttled):  # one probe finds out whether others would get through
                self._pause(plain_words(reply))
            lane = Lane.POLL  # who brought a pause about waits for its end

    async def _answers_others(self, reply: Reply[T]) -> bool:
        """Whether another call gets through where this one fails for good: else nobody's would tell."""
        if not isinstance(reply, Doubtful) or not self.open:
            return False
        return isinstance(await self.once(running_jobs, Lane.POLL), Answered | Refused | Busy)

    def _tries(self, reply: Reply[T]) -> int:
        return _REFUSALS_OF_A_READ if isinstance(reply, Unauthenticated) else self.retry.attempts

    def _given_up(self, reply: NotSent | Throttled | Unauthenticated | Doubtful, *, alone: bool) -> Doubtful:
        """A read that fails for good. When others get through, the scope is not to blame, and none of them waits."""
        why = plain_words(reply)
        if not alone:
            self._pause(f"no answer that can be read: {why}")
        return Doubtful(f"{why}, again and again while others got through" if alone else why, reply.exchange)

    async def once(self, call: Call[T], lane: Lane) -> Reply[T]:
        """One call, when it is this caller's turn."""
        failure = await self.ready(lane)
        if failure is not None:
            return failure
        return await self.send(call)

    async def ready(self, lane: Lane) -> NotSent | Throttled | Unauthenticated | None:
        """Everything that must be had before a call: an open gate, credentials, a slot of the rate. In this order.

        Credentials come before the slot, so that a slow login makes no burst of the calls that wait for it.
        """
        patient = lane is Lane.POLL
        while True:
            await self.gate.passage(patient=patient)
            failure = await self.prepare()
            if failure is not None:
                self.observe(failure)
                return failure
            with self.waits.begun(self.clock.monotonic()):
                its_turn = await self.lanes.turn(lane)
            if not its_turn:
                raise Yielded("throttled")
            if self.open:
                return None

    async def prepare(self) -> NotSent | Throttled | Unauthenticated | None:
        """Ensure credentials. A failure here says nothing about the call itself."""
        with self.under_way.begun(self.clock.monotonic()):
            failure = await self.api.prepare()
        if isinstance(failure, Refused | Busy | Doubtful):
            return NotSent(f"no credentials: {failure.reason}", failure.exchange)
        return failure

    async def renew(self) -> Failure | None:
        """Get new credentials after a refusal."""
        with self.under_way.begun(self.clock.monotonic()):
            return await self.api.renew()

    async def send(self, call: Call[T]) -> Reply[T]:
        """Nothing but the call; `ready` must have been awaited."""
        reply, _ = await self._made(call)
        return reply

    async def post(self, call: Call[T], target: str, keep: Callable[[Reply[T]], None]) -> Reply[T]:
        """As `send`, for a call whose like no probe can try: how often it fails in a row decides over the scope.

        `keep` has the reply before anything is concluded from it.
        """

        async def kept(api: CloudApi) -> Reply[T]:
            reply = await call(api)
            keep(reply)
            return reply

        reply, closed = await self._made(kept, "upgrade")
        if isinstance(reply, NotSent | Unauthenticated):
            self.turned_away[target] += closed
        else:
            self.turned_away.clear()
            self.upgrades_let_in |= not isinstance(reply, Throttled)
        return reply

    async def _made(self, call: Call[T], kind: CallKind = "read") -> tuple[Reply[T], bool]:
        """One call, counted and observed; whether it closed the gate."""
        sent_s = self.clock.monotonic()
        self.usage.count(sent_s)
        with self.under_way.begun(sent_s):
            reply = await call(self.api)
        if isinstance(reply, Answered | Refused | Busy):
            self.lanes.answered(sent_s, kind_of(reply))
            self.got_through += 1
        return reply, self.observe(reply, sent_s, kind)

    def observe(self, reply: Reply[T], sent_s: float | None = None, kind: CallKind = "read") -> bool:
        """Draw the scope-wide conclusions of a reply.

        Args:
            reply: to a call, or to getting credentials.
            sent_s: when the call left; None for credentials, whose refusals say nothing of the scope's rate.
            kind: of the call.

        Returns:
            Whether it closed the gate.
        """
        now_s = self.clock.monotonic()
        if self.silence.take(reply, sent_s, now_s):
            self.note(ScopeHeard(at=self.clock.now(), step="scope", scope=self.name))
        self._learn_time(reply.exchange)
        match reply:
            case Throttled():
                self._throttle(reply, sent_s, kind)
            case Unauthenticated() if reply.generation >= self.api.generation:
                return self._pause(f"credentials refused: {reply.reason}", credentials=True)
            case Unauthenticated():
                pass  # those credentials have been replaced since
            case NotSent():
                return self._pause(reply.reason)
            case Answered() | Refused() | Busy() | Doubtful():
                self.throttled_in_a_row[kind] = 0
        return False

    def backoff_s(self, tries: int) -> float:
        """How long to wait after so many failures."""
        chance = 0.1 + 0.9 * self.chance()
        return backoff_s(tries, base_s=self.retry.backoff_s, max_s=self.retry.max_backoff_s, chance=chance)

    def take_usage(self) -> Usage:
        """What was used since the last time; counting starts again."""
        usage, self.usage = self.usage, self.usage.after()
        return usage

    def _pause(self, why: str, *, credentials: bool = False) -> bool:
        closed = self.gate.pause(why, credentials=credentials)
        if closed:
            self.note(ScopePaused(at=self.clock.now(), step="scope", scope=self.name, why=why))
        return closed

    def _throttle(self, reply: Throttled, sent_s: float | None, kind: CallKind) -> None:
        self.usage.throttled += 1
        self.throttled_in_a_row[kind] += 1
        server_named_pause = reply.retry_after_s is not None
        asked_s = self.backoff_s(self.throttled_in_a_row[kind]) if reply.retry_after_s is None else reply.retry_after_s
        wait_s = min(asked_s, LONGEST_PAUSE_S)
        self.lanes.throttle(wait_s, sent_s=sent_s, server_named_pause=server_named_pause, quota=reply.quota)
        self.told_until_s = self.lanes.pacer.held_until
        now, held_s, why = self.clock.now(), self.lanes.held_s, plain_words(reply)
        until = now + timedelta(seconds=asked_s if asked_s > wait_s else held_s)
        probe_at = now + timedelta(seconds=held_s) if asked_s > wait_s else None
        self.note(ScopeThrottled(at=now, step="scope", scope=self.name, until=until, why=why, probe_at=probe_at))
        if asked_s > wait_s:  # when it is over, one probe goes first
            self._pause(why)

    def _learn_time(self, exchange: Exchange) -> None:
        first = self.cloud_time.offset_s is None
        change_s = self.cloud_time.learn(exchange, self.clock.monotonic())
        if change_s is None:
            return
        now = self.clock.now()
        self.note(self.cloud_time.learned(self.name, now))
        if not first and abs(change_s) >= STEP_S:
            self.note(ClockStepped(at=now, step="clock", clock="cloud", by_s=round(change_s, 3), scope=self.name))
