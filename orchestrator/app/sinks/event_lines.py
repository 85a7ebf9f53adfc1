"""A run as short lines, for people on a terminal without a live display: one for each event, one each half minute."""

from collections.abc import Callable
from typing import ClassVar

import anyio

from orchestrator.app.sinks.progress_words import now_words, progress
from orchestrator.app.sinks.record_log import level_of
from orchestrator.app.sinks.tee import RecordSink
from orchestrator.app.telling.told import told
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.log import LEVELS, Level
from orchestrator.model.record.record import Record
from orchestrator.model.run.run import Run

#: So often a line says where the run stands: nobody has to wonder whether it still does anything.
_HEARTBEAT_S = 30.0


class EventLines(RecordSink):
    """Tells of one run while it goes on.

    Args:
        run: it is only looked at.
        tell: takes a line.
        level: what matters less is not told.
    """

    name: ClassVar = "the log"

    def __init__(self, run: Run, tell: Callable[[str], None], level: Level = "info") -> None:
        self._run, self._tell, self._level = run, tell, level

    def take(self, record: Record) -> None:
        """Tell of one record."""
        if LEVELS[level_of(record)] >= LEVELS[self._level]:
            self._tell(f"{record.at:%H:%M:%S}  {told(record, self._run)}")

    async def serve(self, dispatcher: Dispatcher) -> None:
        """Say where it stands, again and again, until cancelled."""
        while True:
            await anyio.sleep(_HEARTBEAT_S)
            at = dispatcher.session.clock.now()
            self._tell(f"{at:%H:%M:%S}  {', '.join(progress(dispatcher))}; {now_words(dispatcher)}")
