"""The records of one run as they are added to: the part of the port `State` that a session holds open."""

from collections.abc import Sequence
from typing import Protocol

from orchestrator.model.record.record import Record


class OpenJournal(Protocol):
    """The records of one run, open to be added to. One thread at a time may use it."""

    @property
    def looks_every_s(self) -> float | None:
        """How often to ask for what others have added; None where nobody else does."""

    @property
    def waits(self) -> bool:
        """Whether what keeps it is away, and is waited for with a bound of its own."""

    @property
    def send_within_s(self) -> float:
        """How long after an intent was asked for its call may leave; infinite where no silent one is replaced."""

    def append(self, records: Sequence[Record]) -> Sequence[Record]:
        """Return when all these records will survive a crash, with what others have added before them.

        Raises:
            TakenOver: another host works on the fleet; of these records, answers of the cloud are kept all the same.
            StateError: they will not, or it is not known whether they will; the same again for every later append.
        """

    def news(self) -> Sequence[Record]:
        """What others have added since the last append.

        Raises:
            TakenOver: another host works on the fleet.
            StateError: the store cannot be used.
        """

    def expect_whole(self) -> None:
        """Nobody else has changed what was written; late answers to what was sent before are no change.

        Raises:
            StateError: another has; the same again for every later append.
        """

    def close(self) -> None:
        """Let go of it. Everything that `append` returned for is kept already."""
