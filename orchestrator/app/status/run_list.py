"""All runs of a fleet, a line each, from the records that tell outcomes: a year of nights is read in seconds."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec import Struct, field

from orchestrator.model.outcome import Outcome
from orchestrator.model.record import Reverified, RunStarted, Settled
from orchestrator.tracker.state_store import Fleet, StoredRun

_HEAD = ("RUN", "BEGAN (UTC)", "STATE", "TARGETS", "VERSION", "OUTCOMES")


class Brief(Struct):
    """What one line says of a run. `outcomes`: by proxy, as of now."""

    run_id: str
    ended: bool
    began: datetime | None = None
    targets: int = 0
    version: str = ""
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    def take(self, record: object) -> None:
        """Take in a record of the run."""
        match record:
            case RunStarted():
                self.began, self.targets, self.version = record.at, record.targets, record.target_version
            case Settled(target=str(key)):
                self.outcomes[key] = record.outcome
            case Reverified(target=str(key), healthy=False):
                self.outcomes[key] = Outcome.FAILED
            case _:
                pass


def run_lines(fleet: Fleet) -> Iterator[str]:
    """The table of runs, the latest first.

    Raises:
        StateError: a run cannot be read.
    """
    rows = [_HEAD, *(_row(brief(run)) for run in reversed(fleet.runs()))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    yield from (_line(row, widths) for row in rows)


def brief(run: StoredRun) -> Brief:
    """What a run came to, or has come to by now."""
    told = Brief(run.run_id, run.has_ended())
    for record in run.outcomes():
        told.take(record)
    return told


def _row(run: Brief) -> tuple[str, ...]:
    began = f"{run.began:%Y-%m-%d %H:%M:%S}" if run.began else "?"
    state = "completed" if run.ended else "unfinished"
    return run.run_id, began, state, str(run.targets), run.version, _outcomes(run)


def _outcomes(run: Brief) -> str:
    counts = Counter(run.outcomes.values())
    words = [f"{counts[outcome]} {outcome.value}" for outcome in Outcome if counts[outcome]]
    without = run.targets - len(run.outcomes)
    return ", ".join(words + [f"{without} without outcome"] * (without > 0)) or "no targets"


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
