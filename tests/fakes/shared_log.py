"""A log in memory that several hosts share, as in PostgreSQL: a host that was replaced adds nothing but answers."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from orchestrator.errors import StateError, TakenOver
from orchestrator.model.record.record import AnswerSeen, Intent, Record
from orchestrator.tracker.journal.restricting import overtakes
from orchestrator.tracker.open_journal import Added
from orchestrator.tracker.postgres.run_log import SEND_WITHIN_S


@dataclass
class SharedLog:
    """All records, in the order in which they were added, and whose turn it is.

    Attributes:
        epoch: of the host that works; an append says the one that its host was given.
        looks_every_s: how often a host asks for what others have added; None: each is `told` at once.
        knows_all: an intent is added only by one who knows every record of its target, and all that restrict starts.
        told: called when something was added.
        served: by scope, the place of the one that serves it, where the host that works does not.
    """

    records: list[Record] = field(default_factory=list)
    epoch: int = 0
    looks_every_s: float | None = 1.0
    knows_all: bool = True
    told: list[Callable[[], None]] = field(default_factory=list)
    served: dict[str, int] = field(default_factory=dict)
    _places: int = 0

    def take(self, keep: Callable[[Sequence[Record]], None] = lambda _records: None) -> "SharedJournal":
        """Work on it from now on, in place of the host that did, and knowing all that is there.

        Args:
            keep: called with the records of each append, in the order of the log.
        """
        self.epoch += 1
        return SharedJournal(self, self.epoch, len(self.records), keep)

    def join(
        self, scopes: Iterable[str] = (), keep: Callable[[Sequence[Record]], None] = lambda _records: None
    ) -> "SharedJournal":
        """Serve scopes beside the host that decides, as long as it does, and in place of the host that served them."""
        self._places += 1
        self.served.update(dict.fromkeys(scopes, self._places))
        return SharedJournal(self, self.epoch, len(self.records), keep, frozenset(scopes), self._places)


@dataclass
class SharedJournal:
    """The log as one host holds it open. What others have added comes back with an append, or when it is asked for.

    Attributes:
        known: so many records have been told to it, or are its own.
        scopes: which it serves, if it does not decide; `place` is its own among those that have served any.
        heard: so many of these are others'.
        lost: its host is dead.
    """

    log: SharedLog
    epoch: int
    known: int
    keep: Callable[[Sequence[Record]], None]
    scopes: frozenset[str] = frozenset()
    place: int = 0
    heard: int = 0
    waits: bool = False
    lost: bool = False
    send_within_s: float = SEND_WITHIN_S
    _failure: StateError | None = None

    @property
    def looks_every_s(self) -> float | None:
        return self.log.looks_every_s

    @property
    def works(self) -> bool:
        """Whether no other host has taken its place, nor that of the one that it serves for."""
        return self.epoch == self.log.epoch and all(self.log.served[scope] == self.place for scope in self.scopes)

    def lose(self) -> None:
        """Its host is dead: nothing more comes from there."""
        self.lost = True
        self._failure = StateError("its host is dead")

    @property
    def behind(self) -> bool:
        """Whether others have added what it has not been told."""
        return self.known < len(self.log.records)

    def append(self, records: Sequence[Record]) -> Added:
        if self._failure is None and self.works:
            return self._add(records)
        self._failure = self._failure or TakenOver("another host works on this fleet now")
        answers = [record for record in records if isinstance(record, AnswerSeen)]
        if answers and not self.lost and isinstance(self._failure, TakenOver):
            self._add(answers)
        raise self._failure

    def news(self) -> Sequence[Record]:
        if not self.works:
            self._failure = self._failure or TakenOver("another host works on this fleet now")
        if self._failure is not None:
            raise self._failure
        return self._hear()

    def expect_whole(self) -> None:
        self.news()

    def close(self) -> None:
        pass

    def _add(self, records: Sequence[Record]) -> Added:
        begins = frozenset(str(record.target) for record in records if isinstance(record, Intent))
        overtaken = self.log.knows_all and overtakes(self.log.records[self.known :], begins)
        heard = self._hear()
        added = [record for record in records if not (overtaken and isinstance(record, Intent))]
        self.log.records += added
        self.known += len(added)
        self.keep(added)
        for tell in self.log.told:
            tell()
        return Added(heard, overtaken)

    def _hear(self) -> Sequence[Record]:
        heard, self.known = self.log.records[self.known :], len(self.log.records)
        self.heard += len(heard)
        return heard
