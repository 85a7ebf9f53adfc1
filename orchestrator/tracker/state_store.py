"""The port through which everything above reaches what is kept: fleets, their runs, records, commands, rates.

A `State` holds fleets, a `Fleet` its runs, a `StoredRun` what was frozen when it began and its records. What follows
from these, such as the fold of a run or what a fleet's earlier runs say of a proxy, is in `runs`, for every store
alike. The folder of files is behind this port today (`folder`); the contract tests say what another store must keep.

Every method raises `StateError` when the store cannot be used, and `JournalDamaged` when something is not what was
written. None of them waits for the network of the fleet.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, TypeAlias

from msgspec import Struct

from orchestrator.model.learned.known_rate import KnownRate
from orchestrator.model.plan.commands import Command
from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.settings import Settings
from orchestrator.model.plan.target import Target
from orchestrator.model.record.record import Record, RunStarted
from orchestrator.tracker.open_journal import OpenJournal
from orchestrator.tracker.recalled import Recalled
from orchestrator.tracker.served_groups import Post, StandBy, Standby
from orchestrator.tracker.shared_rate import SharedRate
from orchestrator.tracker.workflow_store import KnownWorkflows

#: The parts of a run that are checked against each other.
Part: TypeAlias = Literal["targets", "journal"]


class DiskTrial(NamedTuple):
    """What writing comes to: how long until a few bytes are on disk, and how many more find room, if that is known."""

    seconds: float
    free_bytes: int | None


class StoredRun(Protocol):
    """One run as it is kept."""

    @property
    def run_id(self) -> str:
        """Sorts after those of all earlier runs of the fleet."""

    @property
    def fleet(self) -> "Fleet":
        """The fleet it is a run of."""

    @property
    def report(self) -> Path:
        """Where its report is written: always a file, for people and their tools."""

    @property
    def page(self) -> Path:
        """Where its report is written as a page, for people."""

    def plan(self) -> Plan:
        """As it was when the run began."""

    def targets(self) -> Iterator[Target]:
        """Frozen with the run, in plan order, read as they are asked for."""

    def targets_among(self, proxy_ids: Collection[str]) -> tuple[list[Target], int]:
        """Those with these ids, in plan order, and how many there are in all: faster than `targets`."""

    def draw_order(self, fleet: str) -> Sequence[int] | None:
        """See `model.plan.order`: as it was frozen with the very targets that are there; None where it was not."""

    def settings(self) -> Settings:
        """What was in force in the latest session, of all that may change between sessions."""

    def save_settings(self, settings: Settings) -> None:
        """Keep the settings of a session, once its `SessionStarted` is kept: a crash before only repeats the change."""

    def records(self, after: int = 0) -> Iterator[tuple[int, Record]]:
        """Every record with a higher number than `after`, with its number, in order; they count from 1 without a gap.

        Read as they are asked for. What a crash has left half written is not among them.
        """

    def outcomes(self) -> Iterator[Record]:
        """The records that tell outcomes, who began sessions or took the fleet over, and what holds or limits it.

        Faster than `records`.
        """

    def records_about(self, proxy_id: str) -> Iterator[tuple[int, Record]]:
        """The records of the run itself and of one proxy, each with its number, in order: faster than `records`.

        Those of targets that share a workflow with it are among them, for they tell what it may be sure of.
        """

    def remember(self, seq: int, parts: Iterable[Struct]) -> None:
        """Keep what the fold of the first `seq` records has come to, in place of what was kept before.

        Raises:
            StateError: it cannot be kept; what was kept before still is.
        """

    def recall(self) -> Recalled | None:
        """What is kept, when the first records are still those that it was made of; None when not.

        Its parts may turn out to be damaged only when they are read. The records are the truth, and tell all of it.
        """

    def has_ended(self) -> bool:
        """Whether its last session has ended it: faster than `records`."""

    def resume(self, next_seq: int) -> OpenJournal:
        """Open it to be added to. The fleet's lock must be held.

        Args:
            next_seq: one more than the number of the last record that was read.

        Raises:
            JournalDamaged: that is not its last record any more.
        """

    def join(self, next_seq: int, post: Post) -> OpenJournal:
        """Open it to be added to by a host that serves; what others have added since it was read is heard as any news.

        Raises:
            StateError: the store is one host's alone.
        """

    def place_of(self, part: Part, number: int | None = None) -> str:
        """Where a part of it is, or one entry of that part, as messages name it."""


class Inbox(Protocol):
    """The commands of a fleet, looked at again and again: to ask costs little as long as nothing is new."""

    def new(self, after: int = 0) -> list[tuple[int, Command]]:
        """Those that came since the last call and have a higher number than `after`, each with its number."""


class Fleet(Protocol):
    """What is kept of one fleet."""

    @property
    def name(self) -> str:
        """Of the fleet."""

    @property
    def state(self) -> "State":
        """Where it is kept."""

    def exists(self) -> bool:
        """Whether anything is kept of it."""

    def owner(self) -> Path | None:
        """The plan file that the fleet's name belongs to; None when it belongs to nobody."""

    def expect_owner(self, plan_path: Path) -> None:
        """The fleet's name does not belong to another plan file.

        Raises:
            PlanError: it does, and that file still exists.
        """

    def claim(self, plan_path: Path) -> None:
        """Make the fleet's name belong to a plan file.

        Raises:
            PlanError: it belongs to another one, which still exists.
        """

    def hand_over(self, before: Path, now: Path) -> None:
        """Make it belong to another plan file than the one before, with its whole memory, though that still exists.

        Raises:
            UsageError: it belongs to another file, or to nobody.
        """

    def lock(self, since: datetime, *, stands_by: StandBy | None = None) -> AbstractContextManager[None]:
        """Be the one process that works on the fleet, for the length of the block.

        Args:
            since: now, for a process that finds the lock held.
            stands_by: where several hosts share the store, stay beside one that works until its session has ended, and
                take its place should it die; meanwhile, serve what it may not.

        Raises:
            FleetLocked: another process holds it; the message says which.
        """

    def holder(self) -> str | None:
        """Who holds the lock now, in words; None when nobody does."""

    def want_served(self, groups: Collection[str]) -> None:
        """Have just these groups of scopes served by hosts that stand by, once the run is open to be added to.

        The fleet's lock must be held. Who holds it next asks anew.
        """

    def servers(self) -> Mapping[str, str]:
        """The host that serves each group of scopes, by the group's key: those that have shown themselves lately."""

    def standbys(self) -> Sequence[Standby]:
        """The hosts that stand by for the one that works, the longest first; none where one host has the store."""

    def runs(self) -> Sequence[StoredRun]:
        """All its runs, oldest first; those that were never completely made are not among them."""

    def begin(self, plan: Plan, targets: Iterable[Target], first: RunStarted) -> StoredRun:
        """Make a new run, complete or not at all. The fleet's lock must be held.

        Args:
            plan: frozen with the run.
            targets: in plan order; frozen too, read once and never held together.
            first: its first record.
        """

    def give(self, command: Command) -> int:
        """Give a command to the fleet, and return its number once it is kept. Needs no lock."""

    def inbox(self) -> Inbox:
        """Its commands, for one reader."""

    def notices(self) -> bytes | None:
        """What was last kept of its notifications; None when nothing was."""

    def keep_notices(self, content: bytes) -> None:
        """Keep this in place of what was kept of its notifications. The fleet's lock must be held."""


class State(Protocol):
    """All that is kept in one place. As text it is that place, for messages."""

    @property
    def host(self) -> str | None:
        """The name of this host among those that share the place; None where it is one host's alone."""

    def ahead(self) -> timedelta:
        """How far the clock that its hosts share is ahead of this one's; nothing where it is one host's alone."""

    def options(self, plan_path: Path) -> tuple[str, ...]:
        """What a command says beside the path of its plan to come to this place."""

    def fleet(self, name: str, *, writes: bool = False) -> Fleet:
        """A fleet by its name, whether anything is kept of it or not.

        Args:
            name: of the fleet.
            writes: whether the verb writes there.

        Raises:
            PlanError: no fleet can have that name.
            StateError: it is another user's, or others may write there.
        """

    def fleets(self) -> Sequence[Fleet]:
        """All fleets that ever ran, or belong to a plan at least: a person may have asked something of them."""

    def try_write(self, monotonic: Callable[[], float]) -> DiskTrial:
        """Keep a few bytes, for a trial, and leave nothing behind, not even the place of a state that is not there yet.

        Args:
            monotonic: seconds that never go back.

        Raises:
            StateError: they cannot be kept.
        """

    def one_begins(self, *, patience_s: float = 60.0) -> AbstractContextManager[None]:
        """Let one fleet at a time begin a run: of two that share a proxy, the second sees the first.

        Args:
            patience_s: how long to wait for one that is beginning.

        Raises:
            StateError: another start does not come to its end.
        """

    def workflows(self) -> KnownWorkflows:
        """Every workflow_id that is kept, for one reader."""

    def rates(self) -> tuple[dict[str, KnownRate], str | None]:
        """The rates that were found, by key; and why none is known, if they cannot be read. That is no error."""

    def shared_rate(
        self, key: str, *, creates: bool, monotonic: Callable[[], float], warn: Callable[[str], None]
    ) -> SharedRate:
        """Where the processes that use a rate at the same time meet; it raises nothing.

        Args:
            key: of endpoint and credentials.
            creates: whether the place is made when no process has made it.
            monotonic: seconds that never go back.
            warn: called once, with a sentence, when the place cannot be used.
        """

    def add_rates(self, found: Mapping[str, KnownRate]) -> None:
        """Put these in place of what was known of them."""
