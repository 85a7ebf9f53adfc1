"""The report as a page, drawn beside the event loop while the session goes on."""

from typing import ClassVar

import anyio
from anyio import to_thread

from orchestrator.app.report.on_disk import Draft, draw
from orchestrator.app.sinks.tee import RecordSink
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.model.record.record import Record
from orchestrator.tracker.state_store import StoredRun


class PageWriter(RecordSink):
    """Draws the report that was written last. When it fails, the report is there all the same."""

    name: ClassVar = "the page of the report"

    def __init__(self, stored: StoredRun) -> None:
        self._stored = stored
        self._draft: Draft | None = None
        self._due = anyio.Event()

    def take(self, record: Record) -> None:
        """No record counts here: a report does."""

    def draw(self, draft: Draft) -> None:
        """Draw this one next, in place of any that was not begun."""
        self._draft = draft
        self._due.set()

    async def serve(self, dispatcher: Dispatcher) -> None:  # noqa: ARG002  # the report says it all
        """Draw whatever is due."""
        while True:
            await self._due.wait()
            self._due = anyio.Event()
            if self._draft is not None:
                await to_thread.run_sync(draw, self._stored, self._draft)
