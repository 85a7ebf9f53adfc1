"""The one owner of a session's state: records go through it to the journal, and count when they are on disk.

The exceptions are intents, holds and scopes that are given up, which restrict what others may do: they count from the
moment they are handed over; an intent only where no other host writes too, see `intents`. So does everything that
happens to a scope, or a late "opened" would undo its being given up; and what a preflight read, which nobody but the
intent behind it in the same file builds on.
"""

from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from math import inf

from orchestrator.errors import OrchestratorError, place_of, refused_by_host
from orchestrator.executor.decide.one_target.intent_gate import may_send
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.intents import Decision, Go, IntentRefused, Intents, Seen
from orchestrator.executor.ports import Clock, JournalPort, Pending
from orchestrator.executor.requeue import reopen, requeue
from orchestrator.model.record.record import (
    Clocks,
    CloudEventsRead,
    CloudTimeLearned,
    GateAnswered,
    HoldSet,
    Intent,
    LimitsChanged,
    PartFailed,
    PreflightDone,
    Record,
    ScopeGivenUp,
    ScopeOpened,
    ScopePaused,
    SubnetRead,
)
from orchestrator.model.run.state import TargetState
from orchestrator.model.run.tally import bump
from orchestrator.model.written.masked import masked
from orchestrator.model.written.writable import writable

#: Records that count from the moment they are handed over.
_AT_ONCE = (
    Intent,
    HoldSet,
    LimitsChanged,
    GateAnswered,
    SubnetRead,
    CloudEventsRead,
    PreflightDone,
    ScopeOpened,
    ScopePaused,
    ScopeGivenUp,
)

#: Records after which nothing may start that might not before: the loop need not look. A preflight that was made frees
#: nothing, and the intent behind it, or its refusal, wakes the loop.
_QUIET = (PreflightDone,)


class SetAside(Exception):  # a signal to the story, not an error
    """A record is on disk and cannot be applied: its target was set aside, and nothing more is done for it."""


class Ledger:
    """Writes records and keeps run and queue in step with them.

    Args:
        rollout: the session's state, which nobody else changes.
        changed: called after every change that the next action may depend on, to wake the loop.
        observe: called with every record when it counts, for what is shown of the session; it neither fails nor blocks.
        mask: gives every record without the secrets that may stand in its strings.
    """

    def __init__(
        self,
        rollout: Rollout,
        clock: Clock,
        *,
        changed: Callable[[], None],
        observe: Callable[[Record], None],
        mask: Callable[[Record], Record] = lambda record: record,
    ) -> None:
        self.rollout = rollout
        self._clock = clock
        self._changed = changed
        self._observe = observe
        self._mask = mask
        self._journal: JournalPort | None = None
        self._intents = Intents(rollout, clock)
        self._counted: deque[Record] = deque()
        self._unfolded: Counter[str | None] = Counter()

    def attach(self, journal: JournalPort, *, send_within_s: float = inf, shared: bool = False) -> None:
        """Say where records go; the journal reports back to `on_durable`.

        Args:
            journal: where they go.
            send_within_s: how long after an intent was asked for its call may leave; infinite where no other host
                takes the place of one that is silent.
            shared: whether other hosts write there too; it reports their records to `on_others`, and intents that these
                have overtaken to `on_overtaken`.
        """
        self._journal = journal
        self._intents.attach(send_within_s=send_within_s, shared=shared)

    def wake(self) -> None:
        """Something changed that is no record."""
        self._changed()

    def note(self, record: Record) -> Pending:
        """Hand over a record that nobody must wait for."""
        return self._append(record)

    def part_failed(self, part: str, error: BaseException, *, ends: bool = False) -> None:
        """A part of the program failed beside the targets; it is recorded, and may end the session."""
        failed = PartFailed(
            at=self._clock.now(),
            step="session",
            part=part,
            error=place_of(error),
            ends=ends,
            host=refused_by_host(error),
        )
        if ends:
            why = failed.words if failed.host else f"internal error: {failed.words}"
            self.rollout.stop = self.rollout.stop or why
            self.wake()
        with suppress(OrchestratorError):  # no journal any more: the session ends for that
            self.note(failed)

    def clocks(self, scope: str | None = None) -> Clocks:
        """What the clocks show now: this host's, and the cloud's of a scope, or of any."""
        return self.rollout.run.timeline.clocks(self._clock.now(), self._clock.monotonic(), scope)

    def clouds(self) -> dict[str, Clocks]:
        """The same for every scope whose cloud's time is known."""
        return self.rollout.run.timeline.clouds(self._clock.now(), self._clock.monotonic())

    async def record(self, *records: Record) -> None:
        """Return when the records are on disk and count.

        Raises:
            StateError: they could not be written.
            SetAside: one of them cannot be applied.
        """
        for record, pending in [(record, self._append(record)) for record in records]:
            await self.counted(record, pending)

    async def counted(self, record: Record, pending: Pending) -> None:
        """As `record`, of a record of this target that was handed over already."""
        await pending.wait()
        if record.target is not None and self.rollout.run.state(record.target).set_aside:
            raise SetAside

    async def room(self) -> None:
        """Return when there is room for one more call beside those of all hosts, or there was none for a while."""
        await self._intents.room()

    async def intent(self, state: TargetState, source_version: str, token: str, *, folded: int) -> Decision:
        """Write the intent of the target's next attempt, if everything still allows it.

        Args:
            state: the target, which holds a reservation.
            source_version: the version just read.
            token: new for every execution of this step.
            folded: how many records of the target its story knows.

        Raises:
            SetAside: the target was set aside, by now or for this very record.
        """
        while (decision := await self._ask(state, source_version, token, folded)) is None:
            pass  # another host's record came before it: everything is asked anew
        return decision

    async def _ask(self, state: TargetState, source_version: str, token: str, folded: int) -> Decision | None:
        if state.set_aside:
            raise SetAside
        if state.is_open:
            return Seen(state.last.intent)
        await self._intents.harm_known()
        refusal = (
            self._intents.full() or self._unknown(state, folded) or may_send(self.rollout, state, self._clock.now())
        )
        if refusal is not None:
            return IntentRefused(refusal)
        intent = self._intents.new(state, source_version, token, self.clocks(state.target.scope))
        asked_s = self._clock.monotonic()
        await self.counted(intent, self._append(intent))
        if self._intents.was_overtaken(intent):
            return None
        return Go(intent, late=self._clock.monotonic() - asked_s > self._intents.send_within_s)

    def _unknown(self, state: TargetState, folded: int) -> str | None:
        """Whether there are records of the target that its story has not taken into account."""
        if state.folded == folded and not self._unfolded[state.key]:
            return None
        return "something has been written of it meanwhile"

    def on_durable(self, record: Record) -> None:
        """A record is on disk. What fails here ends the session in good order, and fails nobody who waits."""
        if self._counted and self._counted[0] is record:
            self._counted.popleft()
            return
        if self._unfolded[record.target]:
            bump(self._unfolded, record.target, -1)
        try:
            self._apply(record)
        except Exception as error:
            if isinstance(record, PartFailed):
                raise
            self.part_failed(f"counting the record {record.__struct_config__.tag}", error, ends=True)

    def on_others(self, record: Record) -> None:
        """Another host has added a record: it counts as one of ours that is on disk."""
        try:
            self._apply(record)
        except Exception as error:  # noqa: BLE001  # a bulkhead: the session ends in good order
            self.part_failed(f"counting another host's record {record.__struct_config__.tag}", error, ends=True)

    def on_overtaken(self, record: Record) -> None:
        """An intent is not written, for another host's record came before it. It never counted."""
        bump(self._unfolded, record.target, -1)
        self._intents.overtaken(record)

    def on_failure(self, error: OrchestratorError) -> None:
        """Nothing can be written any more: nothing new starts, and the session ends."""
        self.rollout.stop = self.rollout.stop or str(error)
        self.wake()

    def _append(self, record: Record) -> Pending:
        if self._journal is None:
            raise RuntimeError("no journal is attached")
        record, error = masked(self._mask, record)
        record = writable(record)  # what cannot be written fails here, where it is made, and not among others' records
        if self._at_once(record):
            self._apply(record)
            self._counted.append(record)
        else:
            bump(self._unfolded, record.target, record.target is not None)
        pending = self._journal.append_nowait(record)
        self._intents.handed_over(record, pending)
        if error is not None:
            with suppress(Exception):  # what cannot be searched either ends the session at its next record
                self.part_failed("the search for secrets", error, ends=True)
        return pending

    def _at_once(self, record: Record) -> bool:
        if isinstance(record, CloudTimeLearned):  # before its scope opens, the first time; later ones change moments
            return record.scope not in self.rollout.run.timeline.offsets
        return isinstance(record, _AT_ONCE) and self._intents.at_once(record)

    def _apply(self, record: Record) -> None:
        if record.target is None:
            self.rollout.run.apply(record)
            reopen(self.rollout, record)
        else:
            state = self.rollout.run.state(record.target)
            was, outcome = state.phase, state.outcome
            self.rollout.run.apply(record)
            requeue(self.rollout, record, state, was=was, outcome=outcome)
            self._intents.counts(state)
        self._observe(record)
        if not isinstance(record, _QUIET):
            self._changed()
