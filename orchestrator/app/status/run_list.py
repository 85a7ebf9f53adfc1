"""All runs of a fleet, a line each, from the records that tell outcomes: a year of nights is read in seconds."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec import Struct, field

from orchestrator.model.act import Act, act_of
from orchestrator.model.outcome import Outcome
from orchestrator.model.record import (
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
from orchestrator.tracker.state_store import Fleet, StoredRun

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
            case FleetClaimed():
                self.acts += filter(None, [act_of(record)])
            case LimitsChanged(limits=limits):
                words = f"changed limits: {limits}" if limits.named else "let the limits of the plan hold again"
                self.acts.append(Act(record.at, record.who, words))
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


def run_lines(fleet: Fleet) -> Iterator[str]:
    """The table of runs, the latest first; under a run, who handed the fleet over or changed its limits during it.

    Raises:
        StateError: a run cannot be read.
    """
    briefs = [brief(run) for run in reversed(fleet.runs())]
    rows = [_HEAD, *map(_row, briefs)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    yield _line(_HEAD, widths)
    for run in briefs:
        yield _line(_row(run), widths)
        yield from (f"  {act.at:%Y-%m-%d %H:%M:%S}  {act.did}, by {act.who}" for act in run.acts)


def brief(run: StoredRun) -> Brief:
    """What a run came to, or has come to by now."""
    told = Brief(run.run_id, run.has_ended())
    for record in run.outcomes():
        told.take(record)
    return told


def _row(run: Brief) -> tuple[str, ...]:
    began = f"{run.began:%Y-%m-%d %H:%M:%S}" if run.began else "?"
    state = "held" if run.hold is not None else "completed" if run.ended else "unfinished"
    in_all = run.targets + run.kept.total()
    targets = f"{run.targets} of {in_all}" if run.kept else str(run.targets)
    return run.run_id, began, state, targets, run.version, ", ".join(run.people) or "-", _outcomes(run)


def _outcomes(run: Brief) -> str:
    """The outcomes of its own targets, and after them those that the others keep."""
    without = run.targets - len(run.outcomes)
    words = [*_counts(Counter(run.outcomes.values())), *([f"{without} without outcome"] if without > 0 else [])]
    own = ", ".join(words) or "no targets"
    return f"{own}; kept: {', '.join(_counts(run.kept))}" if run.kept else own


def _counts(counts: Counter[Outcome]) -> list[str]:
    return [f"{counts[outcome]} {outcome.value}" for outcome in Outcome if counts[outcome]]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
