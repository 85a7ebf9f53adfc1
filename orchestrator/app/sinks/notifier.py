"""Notifications as a sink of records: what a record says to a person goes into the box, and from there to receivers."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import ClassVar

import anyio

from orchestrator.app.notify.box import Box
from orchestrator.app.notify.courier import Beside, Courier
from orchestrator.app.notify.notice import Origin, make_notice, notice_id
from orchestrator.app.notify.reading import open_box, unread
from orchestrator.app.notify.receivers import Receiver
from orchestrator.app.notify.what_to_tell import FIRST_REJECT, Signal, Signals
from orchestrator.app.process import side_thread
from orchestrator.app.process.latest_write import LatestWrite
from orchestrator.app.sinks.tee import RecordSink
from orchestrator.cloud.secrets.secret import Secret
from orchestrator.errors import ExitCode, StateError
from orchestrator.executor.decide.waits import Wait
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.model.record.record import PartFailed, Record
from orchestrator.spoken import counted
from orchestrator.tracker.runs.recovery import Recovered
from orchestrator.tracker.state_store import StoredRun

#: When a session has ended, receivers are waited for so long; what they were not told then, the next session tells.
LAST_ROUND_S = 5.0


class Notifier(RecordSink):
    """Tells receivers what happens in a session, and what sessions before it did not come to tell.

    Args:
        recovered: the run as the session finds it.
        receivers: who is told.
        advise: what to do about a wait, in words; the second argument is a proxy that it is about.
        now: by the clock of the session.
        beside: runs what may block beside the event loop.

    Raises:
        StateError: what was kept cannot be read.
    """

    name: ClassVar = "the notifications"

    def __init__(
        self,
        recovered: Recovered,
        receivers: Sequence[Receiver],
        advise: Callable[[Wait, str], str],
        now: datetime,
        beside: Beside = side_thread.beside,
    ) -> None:
        self._recovered = recovered
        self._receivers = receivers
        self._advise = advise
        self._known = {*recovered.run.known_rejects, *recovered.run.rejects}
        self._signals = Signals(self._known)
        self._told_of_end = False
        self._latest = LatestWrite()
        self._box = open_box(recovered)
        self._box.clear_out((each.name for each in receivers), now)
        self._courier = Courier(self._box, receivers, self._keeping, beside)
        self._catch_up(now)

    def _catch_up(self, now: datetime) -> None:
        for signal, stored, run in unread(self._box, self._recovered, now):
            self._courier.put(make_notice(signal, run, self._origin(stored)))
        run_id = self._recovered.run_id
        seen = (notice_id(run_id, FIRST_REJECT, each) for each in self._known)
        self._box.read_on(run_id, self._recovered.next_seq - 1, seen)
        self._keep(self._box.encode())

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """The addresses of the receivers, and what signs what they get."""
        return tuple(secret for each in self._receivers for secret in each.secrets)

    def take(self, record: Record) -> None:
        """What the record says to a person goes into the box."""
        for signal in self._signals.of(record):
            self._put(signal)

    async def serve(self, dispatcher: Dispatcher) -> None:
        """Tell the receivers."""
        session = dispatcher.session

        def report(name: str, why: str) -> None:
            part = f"the notification of {name}"
            session.ledger.note(PartFailed(at=session.clock.now(), step="session", part=part, error=why))

        await self._courier.serve(session.clock.sleep, report)

    def end(self, code: ExitCode, now: datetime) -> None:
        """Tell what came last, for some seconds; what is left is kept for the next session."""
        if not self._told_of_end:  # an error has ended it, of which no record could be written
            sentence = f"the session ended with {int(code)}"
            self._put(Signal(kind="session_ended", key=now.isoformat(), at=now, sentence=sentence, exit_code=int(code)))
        self._keep(self._box.encode())
        anyio.run(partial(self._courier.last_round, LAST_ROUND_S), backend="asyncio")
        self._keep(self._box.encode())
        if self._box.parcels:
            raise StateError(f"{_untold(self._box, self._courier.failures)}; the next session sends them")

    def _put(self, signal: Signal) -> None:
        self._told_of_end = self._told_of_end or signal.kind == "session_ended"
        self._courier.put(make_notice(signal, self._recovered.run, self._origin(self._recovered.stored)))

    def _origin(self, stored: StoredRun) -> Origin:
        return Origin(self._recovered.plan.name, stored.run_id, stored.report, self._advise)

    def _keeping(self, content: bytes) -> Callable[[], None]:
        return self._latest.make(partial(self._recovered.stored.fleet.keep_notices, content))

    def _keep(self, content: bytes) -> None:
        try:
            side_thread.begin(self._keeping(content), self.name).result(timeout=LAST_ROUND_S)
        except TimeoutError:
            raise StateError(f"{self.name} cannot be kept: the disk does not answer") from None


def _untold(box: Box, failures: dict[str, str]) -> str:
    left = {name: sum(name in each.to for each in box.parcels) for parcel in box.parcels for name in parcel.to}
    words = (f"{number} to {name}: {failures.get(name, 'not in time')}" for name, number in left.items())
    return f"{counted(sum(left.values()), 'notification')} not delivered ({'; '.join(words)})"
