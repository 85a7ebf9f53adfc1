"""The state as a folder of files: the port `State` over paths. What is in each file is said where it is written."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from msgspec import Struct

from orchestrator.errors import StateError
from orchestrator.model.learned.known_rate import KnownRate
from orchestrator.model.plan.commands import Command
from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.settings import Settings
from orchestrator.model.plan.target import Target
from orchestrator.model.record.record import Record, RunStarted
from orchestrator.tracker.disk import make_folder, read_whole, replace_file
from orchestrator.tracker.folder.begin_lock import one_begins
from orchestrator.tracker.folder.checkpoint_file import keep_parts, kept_parts
from orchestrator.tracker.folder.command_file import CommandInbox, append_command
from orchestrator.tracker.folder.fleet_lock import fleet_lock, holder
from orchestrator.tracker.folder.frozen_targets import find_frozen_targets, load_draw_order, load_frozen_targets
from orchestrator.tracker.folder.known_workflows import Workflows
from orchestrator.tracker.folder.paths import (
    JOURNAL,
    LOCK,
    NOTICES,
    PAGE,
    REPORT,
    TARGETS,
    check_owner,
    claim_fleet,
    fleet_folder,
    fleets,
    hand_over,
    list_runs,
    options_to,
    owner_of,
    shared_rate,
)
from orchestrator.tracker.folder.rate_file import RateFile
from orchestrator.tracker.folder.rates_file import add_rates, read_rates
from orchestrator.tracker.folder.run_folder import (
    create_run,
    load_frozen_plan,
    load_settings,
    save_settings,
)
from orchestrator.tracker.folder.write_trial import try_write
from orchestrator.tracker.journal.file import Journal, read_journal
from orchestrator.tracker.journal.peek import outcome_records, records_about, says_ended
from orchestrator.tracker.recalled import Recalled
from orchestrator.tracker.served_groups import Post, StandBy, Standby
from orchestrator.tracker.state_store import DiskTrial, Part

_FILES: Mapping[Part, str] = {"targets": TARGETS, "journal": JOURNAL}


class FolderRun(msgspec.Struct, frozen=True):
    """A run by its folder."""

    folder: Path

    @property
    def run_id(self) -> str:
        return self.folder.name

    @property
    def fleet(self) -> "FolderFleet":
        return FolderFleet(self.folder.parent.parent)

    @property
    def report(self) -> Path:
        return self.folder / REPORT

    @property
    def page(self) -> Path:
        return self.folder / PAGE

    def plan(self) -> Plan:
        return load_frozen_plan(self.folder)

    def targets(self) -> Iterator[Target]:
        return load_frozen_targets(self.folder)

    def targets_among(self, proxy_ids: Collection[str]) -> tuple[list[Target], int]:
        return find_frozen_targets(self.folder, proxy_ids)

    def draw_order(self, fleet: str) -> Sequence[int] | None:
        return load_draw_order(self.folder, fleet)

    def settings(self) -> Settings:
        return load_settings(self.folder)

    def save_settings(self, settings: Settings) -> None:
        save_settings(self.folder, settings)

    def records(self, after: int = 0) -> Iterator[tuple[int, Record]]:
        return read_journal(self.folder / JOURNAL, after)

    def outcomes(self) -> Iterator[Record]:
        return outcome_records(self.folder / JOURNAL)

    def records_about(self, proxy_id: str) -> Iterator[tuple[int, Record]]:
        return records_about(self.folder / JOURNAL, proxy_id)

    def remember(self, seq: int, parts: Iterable[Struct]) -> None:
        keep_parts(self.folder, seq, parts)

    def recall(self) -> Recalled | None:
        return kept_parts(self.folder)

    def has_ended(self) -> bool:
        return says_ended(self.folder / JOURNAL)

    def resume(self, next_seq: int) -> Journal:
        return Journal.resume(self.folder / JOURNAL, next_seq)

    def join(self, next_seq: int, post: Post) -> Journal:  # noqa: ARG002  # for nobody
        raise StateError(f"{self.folder}: it is one host's alone, so no other one serves {', '.join(post.groups)}")

    def place_of(self, part: Part, number: int | None = None) -> str:
        line = "" if number is None else f":{number}"
        return f"{self.folder / _FILES[part]}{line}"


class FolderFleet(msgspec.Struct, frozen=True):
    """A fleet by its folder."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def state(self) -> "FolderState":
        return FolderState(self.folder.parent)

    def exists(self) -> bool:
        return self.folder.is_dir()

    def owner(self) -> Path | None:
        return owner_of(self.folder)

    def expect_owner(self, plan_path: Path) -> None:
        check_owner(self.folder, plan_path)

    def claim(self, plan_path: Path) -> None:
        claim_fleet(self.folder, plan_path)

    def hand_over(self, before: Path, now: Path) -> None:
        hand_over(self.folder, before, now)

    def lock(self, since: datetime, *, stands_by: StandBy | None = None) -> AbstractContextManager[None]:  # noqa: ARG002  # one host
        make_folder(self.folder)
        return fleet_lock(self.folder / LOCK, since)

    def holder(self) -> str | None:
        return holder(self.folder / LOCK)

    def want_served(self, groups: Collection[str]) -> None:
        """Nobody serves: a folder is one host's alone."""

    def servers(self) -> Mapping[str, str]:
        return {}

    def standbys(self) -> Sequence[Standby]:
        return ()

    def runs(self) -> Sequence[FolderRun]:
        return [FolderRun(path) for path in list_runs(self.folder)]

    def begin(self, plan: Plan, targets: Iterable[Target], first: RunStarted) -> FolderRun:
        folder, journal = create_run(self.folder, plan, targets, first)
        journal.close()
        return FolderRun(folder)

    def give(self, command: Command) -> int:
        return append_command(self.folder, command)

    def inbox(self) -> CommandInbox:
        return CommandInbox(self.folder)

    def notices(self) -> bytes | None:
        return read_whole(self.folder / NOTICES)

    def keep_notices(self, content: bytes) -> None:
        replace_file(self.folder / NOTICES, [content])


class FolderState(msgspec.Struct, frozen=True):
    """The state by its folder."""

    folder: Path

    def __str__(self) -> str:
        return str(self.folder)

    @property
    def host(self) -> str | None:
        return None

    def ahead(self) -> timedelta:
        return timedelta()

    def options(self, plan_path: Path) -> tuple[str, ...]:
        return options_to(self.folder, plan_path)

    def fleet(self, name: str, *, writes: bool = False) -> FolderFleet:
        return FolderFleet(fleet_folder(self.folder, name, writes=writes))

    def fleets(self) -> Sequence[FolderFleet]:
        return [FolderFleet(path) for path in fleets(self.folder)]

    def try_write(self, monotonic: Callable[[], float]) -> DiskTrial:
        return try_write(self.folder, monotonic)

    def one_begins(self, *, patience_s: float = 60.0) -> AbstractContextManager[None]:
        return one_begins(self.folder, patience_s=patience_s)

    def workflows(self) -> Workflows:
        return Workflows(self.folder)

    def rates(self) -> tuple[dict[str, KnownRate], str | None]:
        return read_rates(self.folder)

    def shared_rate(
        self, key: str, *, creates: bool, monotonic: Callable[[], float], warn: Callable[[str], None]
    ) -> RateFile:
        return RateFile(shared_rate(self.folder, key), creates=creates, monotonic=monotonic, warn=warn)

    def add_rates(self, found: Mapping[str, KnownRate]) -> None:
        add_rates(self.folder, found)
