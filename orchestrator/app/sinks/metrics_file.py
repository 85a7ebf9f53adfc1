"""The metrics of a session as a file for node_exporter: written every 15 seconds, and once more when it has ended."""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import ClassVar, TypeAlias

from orchestrator.app.metrics.exposition import exposition
from orchestrator.app.metrics.measure import Ended, Metric, measure
from orchestrator.app.process import side_thread
from orchestrator.app.process.latest_write import LatestWrite
from orchestrator.app.sinks.tee import RecordSink
from orchestrator.errors import ExitCode, OrchestratorError, StateError
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.executor.session import Session
from orchestrator.model.record.record import PartFailed, Record
from orchestrator.tracker.disk import put_file
from orchestrator.tracker.runs.recovery import Recovered

#: At most so often it is written while a session is under way.
EVERY_S = 15.0

#: At the end of a session the disk is waited for so long.
_PATIENCE_S = 5.0

#: node_exporter runs as another user.
_MODE = 0o644

Beside: TypeAlias = Callable[[Callable[[], None], str], Awaitable[None]]


class MetricsFile(RecordSink):
    """Keeps a file of metrics up to date. One that cannot be written is tried again, and reported once.

    Args:
        recovered: the run as the session finds it.
        path: of the file; a link is followed.
        beside: runs the writing beside the event loop.
    """

    name: ClassVar = "the metrics"

    def __init__(self, recovered: Recovered, path: Path, beside: Beside = side_thread.beside) -> None:
        run = recovered.run
        self._fleet = recovered.plan.name
        self._path = path
        self._beside = beside
        self._kept = Counter(each.outcome.value for each in run.kept)
        before = run.session_ended
        self._ended = None if before is None else Ended(before.at, before.exit_code)
        self._session: Session | None = None
        self._reported = False
        self._latest = LatestWrite()

    def take(self, record: Record) -> None:
        """Nothing: what a record changes is in the file within 15 seconds."""

    async def serve(self, dispatcher: Dispatcher) -> None:
        """Write at once, and again and again."""
        self._session = session = dispatcher.session
        while True:
            write = self._writing(measure(session, session.clock.now(), self._kept, self._ended, running=True))
            try:
                await self._beside(write, self.name)
            except OrchestratorError as error:
                self._report(session, error)
            await session.clock.sleep(EVERY_S)

    def end(self, code: ExitCode, now: datetime) -> None:
        """Write how the session ended."""
        if self._session is None:
            return
        write = self._writing(measure(self._session, now, self._kept, Ended(now, int(code)), running=False))
        try:
            side_thread.begin(write, self.name).result(timeout=_PATIENCE_S)
        except TimeoutError:
            raise StateError(f"{self._path}: cannot be written: the disk does not answer") from None

    def _writing(self, metrics: list[Metric]) -> Callable[[], None]:
        return self._latest.make(
            lambda: put_file(self._path, [exposition(metrics, self._fleet)], mode=_MODE),
        )

    def _report(self, session: Session, error: OrchestratorError) -> None:
        if not self._reported:
            self._reported = True
            session.ledger.note(PartFailed(at=session.clock.now(), step="session", part=self.name, error=str(error)))
