"""The reports of a session: one after each wave, and the last one when it ends, for whatever reason."""

from pathlib import Path
from typing import ClassVar

import anyio

from orchestrator.app.sinks.tee import RecordSink
from orchestrator.errors import ExitCode, OrchestratorError, place_of
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.model.plan import Plan
from orchestrator.model.record import Record, WaveDone
from orchestrator.model.run import Run
from orchestrator.tracker.report.json_form import write_report, write_snapshot


class ReportWriter(RecordSink):
    """Writes the report after each wave."""

    name: ClassVar = "the reports"

    def __init__(self, run: Run, plan: Plan, path: Path) -> None:
        self._run = run
        self._plan = plan
        self._path = path
        self._due = anyio.Event()

    def take(self, record: Record) -> None:
        """A wave that is done makes a report due."""
        if isinstance(record, WaveDone):
            self._due.set()

    async def serve(self, dispatcher: Dispatcher) -> None:  # noqa: ARG002  # the run says it all
        """Write a report whenever one is due."""
        while True:
            await self._due.wait()
            self._due = anyio.Event()
            await write_snapshot(self._run, self._plan, self._path)


def last_report(run: Run, plan: Plan, path: Path, code: ExitCode) -> list[str]:
    """Write the report of a session that ends; what was wrong with it, where that hides nothing of the session.

    Raises:
        StateError: it cannot be written.
    """
    try:
        write_report(run, plan, path, exit_code=int(code))
    except OrchestratorError:
        raise
    except Exception as error:  # noqa: BLE001  # a bulkhead: the journal tells everything
        return [f"the report could not be made: {place_of(error)}"]
    return []
