"""The records of one run as they are added to: the part of the port `State` that a session holds open."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from orchestrator.model.record.record import Record


class Added(NamedTuple):
    """What became of an append.

    Attributes:
        others: what others had added before it.
        overtaken: some of that came before intents which were handed over without knowing it: these were not added.
    """

    others: Sequence[Record] = ()
    overtaken: bool = False


#: Everything was added, and nobody else has added anything.
WHOLE = Added()


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

    def append(self, records: Sequence[Record]) -> Added:
        """Return when all these records will survive a crash, with what others have added before them.

        Intents are not added behind records of others that were not known here, if these restrict starts or are of one
        of their targets. The other records are, in their order.

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
