"""The reports of a session: one after each wave, and the last one when it ends, for whatever reason."""

from collections.abc import Callable
from typing import ClassVar

import anyio
from anyio import to_thread

from orchestrator.app.report.on_disk import Draft, write_reports, write_snapshot
from orchestrator.app.sinks.tee import RecordSink
from orchestrator.errors import ExitCode, OrchestratorError, place_of
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.model.plan.plan import Plan
from orchestrator.model.record.record import Record, WaveDone
from orchestrator.tracker.runs.recovery import Recovered, recover


class ReportWriter(RecordSink):
    """Writes the report after each wave, in a thread and of the records on disk: the loop does nothing for it.

    Args:
        recovered: the run as it was taken up.
        plan: as in force.
        written: called with what the page of each report is drawn from.
    """

    name: ClassVar = "the reports"

    def __init__(self, recovered: Recovered, plan: Plan, written: Callable[[Draft], None]) -> None:
        self._recovered = recovered
        self._plan = plan
        self._written = written
        self._due = anyio.Event()
        #: Waves that this session has not seen done; one with a stuck job may be done after later ones.
        self._open = {wave.name for wave in plan.waves}

    @property
    def due(self) -> bool:
        """Whether a report is to be written now."""
        return self._due.is_set()

    def take(self, record: Record) -> None:
        """A wave that is done makes a report due, unless none is left: the session ends with a report anyway.

        So a run of one wave is not read once more at its end, which took a twentieth of it at full speed.
        """
        if isinstance(record, WaveDone):
            self._open.discard(record.wave)
            if self._open:
                self._due.set()

    async def serve(self, dispatcher: Dispatcher) -> None:  # noqa: ARG002  # the records on disk say it all
        """Write a report whenever one is due."""
        while True:
            await self._due.wait()
            self._due = anyio.Event()
            self._written(await to_thread.run_sync(self._write))

    def _write(self) -> Draft:
        stored = self._recovered.stored
        found = recover(stored, targets=self._recovered.run.targets.values())
        return write_snapshot(stored, found.run, self._plan)


def last_report(recovered: Recovered, plan: Plan, code: ExitCode) -> list[str]:
    """Write the report of a session that ends; what was wrong with it, where that hides nothing of the session.

    Raises:
        StateError: it cannot be written.
    """
    try:
        no_page = write_reports(recovered.stored, recovered.run, plan, exit_code=int(code))
    except OrchestratorError:
        raise
    except Exception as error:  # noqa: BLE001  # a bulkhead: the journal tells everything
        return [f"the report could not be made: {place_of(error)}"]
    return [no_page] if no_page else []
