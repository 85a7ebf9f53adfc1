"""Who is shown the records once they count: log, display, reports. None of them ever fails the session or another."""

from collections.abc import Callable, Mapping
from typing import Protocol

from orchestrator.model.record import Record


class RecordSink(Protocol):
    """Takes every record, in the journal's order, and returns at once: it waits for nothing and nobody."""

    def __call__(self, record: Record, /) -> None:
        """Take one record."""


class Tee:
    """Shows every record to every sink.

    One that fails is told of once and goes on with the next record, for the fault may be in this one alone.

    Args:
        sinks: by name.
        failed: called with the name of a sink and its error, the first time.
    """

    def __init__(self, sinks: Mapping[str, RecordSink], failed: Callable[[str, Exception], None]) -> None:
        self._sinks = sinks
        self._failed = failed
        self._told: set[str] = set()

    def __call__(self, record: Record) -> None:
        """Show one record."""
        for name, sink in self._sinks.items():
            try:
                sink(record)
            except Exception as error:  # noqa: BLE001  # a bulkhead: whatever it is, the record counts and the others see it
                if name not in self._told:
                    self._told.add(name)
                    self._failed(name, error)
