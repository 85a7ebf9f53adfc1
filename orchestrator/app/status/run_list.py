"""All runs of a fleet, a line each, from the records that tell outcomes: a year of nights is read in seconds."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import (
    FleetClaimed,
    HoldReleased,
    HoldSet,
    LimitsChanged,
    OutcomeKept,
    Record,
    Reverified,
    RunStarted,
    SessionStarted,
    Settled,
    WaveApproved,
)
from orchestrator.model.run.act import Act, act_of
from orchestrator.tracker.state_store import StoredRun

_HEAD = ("RUN", "BEGAN (UTC)", "STATE", "TARGETS", "VERSION", "BY", "OUTCOMES")


class Brief(Struct):
    """What is said of a run.

    Attributes:
        targets: how many it takes; not those that keep an earlier outcome.
        outcomes: of these, by proxy, as of now.
        kept: how many keep which outcome.
        people: user and host of everybody who started a session of it.
        acts: when who handed the fleet over, or changed its limits, during it.
        hold: what keeps it from starting anything; None when nothing does.
    """

    run_id: str
    ended: bool
    began: datetime | None = None
    targets: int = 0
    version: str = ""
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    kept: Counter[Outcome] = field(default_factory=Counter)
    people: dict[str, None] = field(default_factory=dict)
    acts: list[Act] = field(default_factory=list)
    hold: HoldSet | None = None

    def take(self, record: Record) -> None:
        """Take in a record of the run."""
        match record:
            case RunStarted():
                self.began, self.targets, self.version = record.at, record.targets, record.target_version
            case OutcomeKept():
                self.kept[record.outcome] += 1
            case SessionStarted():
                self.people[record.who] = None
            case FleetClaimed() | LimitsChanged():
                self.acts += filter(None, [act_of(record)])
            case HoldSet() | HoldReleased() | WaveApproved():
                self.hold = _hold_after(self.hold, record)
            case Settled(target=str(key)):
                self.outcomes[key] = record.outcome
            case Reverified(target=str(key), healthy=False):
                self.outcomes[key] = Outcome.FAILED
            case _:
                pass


def _hold_after(hold: HoldSet | None, record: HoldSet | HoldReleased | WaveApproved) -> HoldSet | None:
    match record:
        case HoldSet():
            return record
        case HoldReleased():
            return None
        case WaveApproved(wave=wave):
            return None if hold is not None and (hold.cause, hold.wave) == ("approval", wave) else hold


class PersonAct(Struct, frozen=True):
    """What a person did during a run: handed the fleet over, or changed its limits."""

    at: datetime
    by: Annotated[str, Meta(description="User and host")]
    did: Annotated[str, Meta(description="In words")]


class RunEntry(Struct, frozen=True, kw_only=True):
    """A run for programs; the names are those of the report."""

    run_id: Annotated[str, Meta(description="Takes `report --run`")]
    state: Literal["held", "completed", "unfinished"]
    started_at: Annotated[datetime | None, Meta(description="Instant of its first record; null when it has none")]
    target_version: str
    targets: Annotated[int, Meta(description="How many it takes; not those that keep an earlier outcome")]
    outcomes: Annotated[dict[str, int], Meta(description="Of these, how many have which")]
    without_outcome: Annotated[int, Meta(description="How many of these have none yet")]
    kept: Annotated[dict[str, int], Meta(description="Of the others, how many keep which")]
    people: Annotated[list[str], Meta(description="User and host of everybody who started a session of it")]
    acts: Annotated[list[PersonAct], Meta(description="In their order")]


def runs_schema() -> dict[str, Any]:
    """The JSON Schema of what `runs --format json` prints: a list, the latest run first."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "All runs of an orchestrator fleet, the latest first",
        **msgspec.json.schema(list[RunEntry]),
    }


def run_entry(run: Brief) -> RunEntry:
    """The same as a line of the table says."""
    return RunEntry(
        run_id=run.run_id,
        state=_state(run),
        started_at=run.began,
        target_version=run.version,
        targets=run.targets,
        outcomes=_by_name(Counter(run.outcomes.values())),
        without_outcome=max(0, run.targets - len(run.outcomes)),
        kept=_by_name(run.kept),
        people=[*run.people],
        acts=[PersonAct(act.at, act.who, act.did) for act in run.acts],
    )


def run_lines(briefs: Sequence[Brief]) -> Iterator[str]:
    """The table of runs, in this order; under a run, who handed the fleet over or changed its limits during it."""
    rows = [_HEAD, *map(_row, briefs)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    yield _line(_HEAD, widths)
    for run in briefs:
        yield _line(_row(run), widths)
        yield from (f"  {act.at:%Y-%m-%d %H:%M:%S}  {act.did}, by {act.who}" for act in run.acts)


def brief(run: StoredRun) -> Brief:
    """What a run came to, or has come to by now.

    Raises:
        StateError: it cannot be read.
    """
    told = Brief(run.run_id, run.has_ended())
    for record in run.outcomes():
        told.take(record)
    return told


def _row(run: Brief) -> tuple[str, ...]:
    began = f"{run.began:%Y-%m-%d %H:%M:%S}" if run.began else "?"
    in_all = run.targets + run.kept.total()
    targets = f"{run.targets} of {in_all}" if run.kept else str(run.targets)
    return run.run_id, began, _state(run), targets, run.version, ", ".join(run.people) or "-", _outcomes(run)


def _state(run: Brief) -> Literal["held", "completed", "unfinished"]:
    if run.hold is not None:
        return "held"
    return "completed" if run.ended else "unfinished"


def _by_name(counts: Counter[Outcome]) -> dict[str, int]:
    return {outcome.value: counts[outcome] for outcome in Outcome if counts[outcome]}


def _outcomes(run: Brief) -> str:
    """The outcomes of its own targets, and after them those that the others keep."""
    without = run.targets - len(run.outcomes)
    words = [*_counts(Counter(run.outcomes.values())), *([f"{without} without outcome"] if without > 0 else [])]
    own = ", ".join(words) or "no targets"
    return f"{own}; kept: {', '.join(_counts(run.kept))}" if run.kept else own


def _counts(counts: Counter[Outcome]) -> list[str]:
    return [f"{count} {name}" for name, count in _by_name(counts).items()]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
