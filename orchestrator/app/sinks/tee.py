"""What a sink of records is, and the tee that shows each record to all of them.

A new sink is one file beside this one and one line where sinks are listed: `_sinks` in `cli/verbs/one_session.py`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import ClassVar

from orchestrator.cloud.secrets.secret import Secret
from orchestrator.errors import ExitCode, OrchestratorError, place_of
from orchestrator.executor.dispatch import Background, Dispatcher, guarded
from orchestrator.model.record.record import Record


class RecordSink(ABC):
    """Is shown every record of a session when it counts, without the secrets that may have stood in it.

    Attributes:
        name: for people, such as "the log".
    """

    name: ClassVar[str]

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What it knows that no record may hold."""
        return ()

    @abstractmethod
    def take(self, record: Record) -> None:
        """Take one record. No sink may block here: the event loop calls it. What takes time belongs in `serve`.

        The log and the display write to standard error, which waits for no reader, see `cli.streams`.
        """

    async def serve(self, dispatcher: Dispatcher) -> None:  # noqa: B027  # most sinks have nothing to do here
        """Work beside the loop until the session ends, by which it is cancelled. It may wait, and may end early."""

    def end(self, code: ExitCode, now: datetime) -> None:  # noqa: B027  # as `serve`
        """The session has ended with this code, in good order or by an error. It may wait for some seconds.

        What it raises is a warning: it changes nothing of what became of the fleet.
        """


class Tee:
    """Shows every record to every sink. One that fails harms neither the session nor another sink.

    Its first error is reported, and it is shown the next record: the fault may be in this one alone.

    Args:
        sinks: in the order in which they are shown a record.
        failed: called with the name of a sink and its first error.
    """

    def __init__(self, sinks: Sequence[RecordSink], failed: Callable[[str, Exception], None]) -> None:
        self._sinks = sinks
        self._failed = failed
        self._reported: set[str] = set()

    def __call__(self, record: Record) -> None:
        """Show one record."""
        for sink in self._sinks:
            try:
                sink.take(record)
            except Exception as error:  # noqa: BLE001  # a bulkhead: whatever it is, the record counts and the others see it
                if sink.name not in self._reported:
                    self._reported.add(sink.name)
                    self._failed(sink.name, error)

    def background(self) -> Iterator[Background]:
        """What the sinks do beside the loop. One that always fails is given up; the session goes on."""
        for sink in self._sinks:
            yield guarded(sink.name, sink.serve, vital=False)


def end_all(sinks: Iterable[RecordSink], code: ExitCode, now: datetime) -> dict[str, str]:
    """Tell every sink that the session has ended; why one took nothing of it, by its name."""
    failed = {}
    for sink in sinks:
        try:
            sink.end(code, now)
        except OrchestratorError as error:
            failed[sink.name] = str(error)
        except Exception as error:  # noqa: BLE001  # a bulkhead, as in `Tee`
            failed[sink.name] = place_of(error)
    return failed
