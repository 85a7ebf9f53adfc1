"""A state in memory: the twin of the folder behind the port `State`, held to the same contract."""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf
from pathlib import Path

import msgspec
from msgspec import Struct

from orchestrator.errors import FleetLocked, JournalDamaged, StateError, UsageError
from orchestrator.model.learned.known_rate import KnownRate
from orchestrator.model.plan.commands import Command
from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.settings import Settings, settings_of
from orchestrator.model.plan.target import Target
from orchestrator.model.record.record import (
    AnswerSeen,
    FleetClaimed,
    HoldReleased,
    HoldSet,
    JobSeen,
    LimitsChanged,
    OutcomeKept,
    Record,
    Reverified,
    RunEnded,
    RunStarted,
    SessionStarted,
    Settled,
    WaveApproved,
    WorkflowAdopted,
)
from orchestrator.tracker.fleet_name import expect_fleet_name, expect_owner_before, refuse_other
from orchestrator.tracker.open_journal import WHOLE, Added
from orchestrator.tracker.recalled import Recalled
from orchestrator.tracker.served_groups import Post, StandBy, Standby
from orchestrator.tracker.state_store import DiskTrial, Part
from orchestrator.tracker.workflow_store import Teller

#: What tells outcomes, and who began what.
_OF_OUTCOMES = (
    *(RunStarted, SessionStarted, FleetClaimed, OutcomeKept, Settled, Reverified),
    *(HoldSet, HoldReleased, WaveApproved, LimitsChanged),
)


@dataclass
class MemoryLog:
    """The records of a run, open to be added to. It is dead once somebody else has added to them."""

    run: "MemoryRun"
    next_seq: int
    closed: bool = False
    looks_every_s: float | None = None
    waits: bool = False
    send_within_s: float = inf

    def append(self, records: Sequence[Record]) -> Added:
        self.expect_whole()
        self.run.kept.extend(records)
        self.next_seq += len(records)
        return WHOLE

    def news(self) -> Sequence[Record]:
        return ()

    def expect_whole(self) -> None:
        if self.closed or len(self.run.kept) != self.next_seq - 1:
            raise JournalDamaged(f"{self.run.place_of('journal')}: something else has changed it")

    def close(self) -> None:
        self.closed = True


@dataclass
class MemoryRun:
    """One run.

    Attributes:
        kept: its records, the first of them its start.
        report: where nobody looks.
    """

    run_id: str
    fleet: "MemoryFleet"
    frozen: Plan
    members: tuple[Target, ...]
    kept: list[Record]
    in_force: Settings
    report: Path = Path(os.devnull)
    page: Path = Path(os.devnull)
    remembered: tuple[int, list[bytes]] | None = None

    def plan(self) -> Plan:
        return self.frozen

    def targets(self) -> Iterator[Target]:
        return iter(self.members)

    def targets_among(self, proxy_ids: Collection[str]) -> tuple[list[Target], int]:
        return [target for target in self.members if target.proxy_id in proxy_ids], len(self.members)

    def draw_order(self, fleet: str) -> None:
        """It is not kept."""

    def settings(self) -> Settings:
        return self.in_force

    def save_settings(self, settings: Settings) -> None:
        self.in_force = settings

    def records(self, after: int = 0) -> Iterator[tuple[int, Record]]:
        return ((number, record) for number, record in enumerate(self.kept, 1) if number > after)

    def outcomes(self) -> Iterator[Record]:
        return (record for record in self.kept if isinstance(record, _OF_OUTCOMES))

    def records_about(self, proxy_id: str) -> Iterator[tuple[int, Record]]:
        names = {proxy_id}
        while names != (wider := names.union(*(shared for shared in map(_names, self.kept) if shared & names))):
            names = wider
        return ((number, record) for number, record in self.records() if record.target in (None, *names))

    def remember(self, seq: int, parts: Iterable[Struct]) -> None:
        self.remembered = seq, [msgspec.json.encode(part) for part in parts]

    def recall(self) -> Recalled | None:
        if self.remembered is None:
            return None
        seq, parts = self.remembered
        return Recalled(seq, iter(parts), self.records(after=seq))

    def has_ended(self) -> bool:
        return any(isinstance(record, RunEnded) for record in self.kept)

    def resume(self, next_seq: int) -> MemoryLog:
        log = MemoryLog(self, next_seq)
        log.expect_whole()
        return log

    def join(self, next_seq: int, post: Post) -> MemoryLog:  # noqa: ARG002  # for nobody
        raise StateError(f"{self.place_of('journal')}: no other host serves {', '.join(post.groups)}")

    def place_of(self, part: Part, number: int | None = None) -> str:
        return f"{self.fleet.name}/{self.run_id}/{part}" + ("" if number is None else f":{number}")


def _names(record: Record) -> set[str]:
    """The target of a record, and the workflows in it."""
    entries = record.update_result if isinstance(record, AnswerSeen) else ()
    adopted = record.workflow_id if isinstance(record, JobSeen | WorkflowAdopted) else None
    return {name for name in (record.target, adopted, *(each.workflow_id for each in entries)) if name}


@dataclass
class MemoryInbox:
    commands: list[Command]
    seen: int = 0

    def new(self, after: int = 0) -> list[tuple[int, Command]]:
        first, self.seen = max(self.seen, after), len(self.commands)
        return [(number, command) for number, command in enumerate(self.commands, 1) if number > first]


@dataclass
class MemoryFleet:
    name: str
    state: "MemoryState"
    belongs_to: Path | None = None
    made: list[MemoryRun] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    worker: str | None = None
    stand_by: list[Standby] = field(default_factory=list)
    stands_by: StandBy | None = None
    told: bytes | None = None

    def exists(self) -> bool:
        return bool(self.belongs_to or self.made or self.commands)

    def owner(self) -> Path | None:
        return self.belongs_to

    def expect_owner(self, plan_path: Path) -> None:
        if self.belongs_to is not None:
            refuse_other(self.name, self.belongs_to, plan_path, ())

    def claim(self, plan_path: Path) -> None:
        self.expect_owner(plan_path)
        self.belongs_to = plan_path.absolute()

    def hand_over(self, before: Path, now: Path) -> None:
        if self.belongs_to is None:
            raise UsageError(f"{now}: there is no fleet {self.name} in {self.state}")
        expect_owner_before(self.name, self.belongs_to, before, now)
        self.belongs_to = now.absolute()

    @contextmanager
    def lock(self, since: datetime, *, stands_by: StandBy | None = None) -> Iterator[None]:
        self.stands_by = stands_by
        if self.worker is not None:
            raise FleetLocked(f"{self.name}: another process works on this fleet: {self.worker}")
        self.worker = f"somebody, since {since}"
        try:
            yield
        finally:
            self.worker = None

    def holder(self) -> str | None:
        return self.worker

    def want_served(self, groups: Collection[str]) -> None:
        """Nobody serves."""

    def servers(self) -> Mapping[str, str]:
        return {}

    def standbys(self) -> Sequence[Standby]:
        return self.stand_by

    def runs(self) -> Sequence[MemoryRun]:
        return sorted(self.made, key=lambda run: run.run_id)

    def begin(self, plan: Plan, targets: Iterable[Target], first: RunStarted) -> MemoryRun:
        run = MemoryRun(first.run_id, self, plan, tuple(targets), [first], settings_of(plan))
        self.made.append(run)
        return run

    def give(self, command: Command) -> int:
        self.commands.append(command)
        return len(self.commands)

    def inbox(self) -> MemoryInbox:
        return MemoryInbox(self.commands)

    def notices(self) -> bytes | None:
        return self.told

    def keep_notices(self, content: bytes) -> None:
        self.told = content


@dataclass
class MemoryWorkflows:
    state: "MemoryState"

    def known(self) -> frozenset[str]:
        runs = (run for fleet in self.state.fleets() for run in fleet.runs())
        return frozenset(each.lower() for run in runs for record in run.kept for each in _workflows(record))

    def teller(self, workflow: str) -> Teller | None:
        for run in (run for fleet in self.state.fleets() for run in fleet.runs()):
            for number, record in enumerate(run.kept, 1):
                if workflow in map(str.lower, _workflows(record)):
                    return Teller(run.fleet.name, run.run_id, record.target or "", number)
        return None


def _workflows(record: Record) -> Iterator[str]:
    if isinstance(record, AnswerSeen):
        named = (entry.workflow_id for entry in record.update_result)
        yield from (each for each in named if each is not None and each not in record.strays)
    else:
        workflow = getattr(record, "workflow_id", None)
        if workflow is not None:
            yield workflow


@dataclass(frozen=True)
class MemoryRate:
    """A rate that is shared by all who have the same memory."""

    shared: dict[str, bytes]
    key: str

    def exchange(self, act: Callable[[bytes], bytes]) -> bool:
        self.shared[self.key] = act(self.shared.get(self.key, b""))
        return True

    def due(self, now_s: float, rate: float | None) -> float:  # noqa: ARG002  # nobody else has it
        return 0.0

    def took(self, *, waited: bool) -> None:
        pass

    def close(self) -> None:
        pass


@dataclass
class MemoryState:
    """Fleets, by name, for as long as the object lives."""

    known: dict[str, MemoryFleet] = field(default_factory=dict)
    found: dict[str, KnownRate] = field(default_factory=dict)
    shared: dict[str, bytes] = field(default_factory=dict)
    beginning: bool = False
    host: str | None = None
    clock_ahead: timedelta = timedelta()

    def __str__(self) -> str:
        return "memory"

    def ahead(self) -> timedelta:
        return self.clock_ahead

    def options(self, plan_path: Path) -> tuple[str, ...]:  # noqa: ARG002  # the port's: no command comes here
        return ()

    def fleet(self, name: str, *, writes: bool = False) -> MemoryFleet:  # noqa: ARG002  # the port's: memory belongs to nobody else
        expect_fleet_name(name)
        return self.known.setdefault(name, MemoryFleet(name, self))

    def fleets(self) -> Sequence[MemoryFleet]:
        return [fleet for _, fleet in sorted(self.known.items()) if fleet.made or fleet.owner()]

    def try_write(self, monotonic: Callable[[], float]) -> DiskTrial:
        began_s = monotonic()
        return DiskTrial(monotonic() - began_s, 1 << 40)

    @contextmanager
    def one_begins(self, *, patience_s: float = 60.0) -> Iterator[None]:
        if self.beginning:
            raise StateError(f"memory: another fleet has been beginning a run for {patience_s:g} s")
        self.beginning = True
        try:
            yield
        finally:
            self.beginning = False

    def workflows(self) -> MemoryWorkflows:
        return MemoryWorkflows(self)

    def rates(self) -> tuple[dict[str, KnownRate], str | None]:
        return dict(self.found), None

    def shared_rate(
        self, key: str, *, creates: bool, monotonic: Callable[[], float], warn: Callable[[str], None]
    ) -> "MemoryRate":
        del creates, monotonic, warn
        return MemoryRate(self.shared, key)

    def add_rates(self, found: Mapping[str, KnownRate]) -> None:
        self.found.update(found)
