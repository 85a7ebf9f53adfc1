"""A run as its folder tells it: the frozen plan and targets, and the fold of the journal. Reads only."""

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from orchestrator.errors import JournalDamaged, place_of
from orchestrator.model.plan import Plan
from orchestrator.model.record import Record, RunStarted
from orchestrator.model.run import Run
from orchestrator.tracker.journal.file import read_journal
from orchestrator.tracker.journal.line import DAMAGED_HINT
from orchestrator.tracker.paths import JOURNAL, TARGETS
from orchestrator.tracker.runs.folder import load_frozen_plan, load_frozen_targets, load_settings
from orchestrator.tracker.runs.settings import in_force


class Recovered(Struct, frozen=True, kw_only=True):
    """A run as it was left, or as it stands now beside the process that works on it.

    Attributes:
        plan: as it was frozen.
        in_force: the same with the settings of the latest session.
        run: the fold of every record; its targets are the frozen ones.
        next_seq: number of the journal's next line.
    """

    folder: Path
    plan: Plan
    in_force: Plan
    run: Run
    next_seq: int


def recover(folder: Path, observe: Callable[[Record], None] | None = None) -> Recovered:
    """Read a run's folder.

    Args:
        folder: of the run.
        observe: called with every record once it is folded, for who wants more than the fold keeps.

    Raises:
        JournalDamaged: a file is not what was written.
        StateError: a file cannot be read, or was written by a newer version.
    """
    plan = load_frozen_plan(folder)
    now = in_force(plan, load_settings(folder))
    run = new_run(now, folder)
    seq = _fold(folder, run, observe)
    return Recovered(folder=folder, plan=plan, in_force=now, run=run, next_seq=seq + 1)


def new_run(plan: Plan, folder: Path) -> Run:
    """The run of a folder before its first record.

    Raises:
        StateError: the frozen targets cannot be read.
    """
    return Run(
        load_frozen_targets(folder),
        waves=[wave.name for wave in plan.waves],
        scopes=[scope.name for scope in plan.scopes],
        failures=plan.failures,
    )


def _fold(folder: Path, run: Run, observe: Callable[[Record], None] | None) -> int:
    path, seq = folder / JOURNAL, 0
    for seq, record in read_journal(path):
        if (seq == 1) != isinstance(record, RunStarted):
            raise _broken(f"{path}:{seq}", "the start of the run is not the first record, and nothing else")
        try:
            run.apply(record)
        except Exception as error:
            raise _broken(f"{path}:{seq}", f"the record does not fit those before it: {place_of(error)}") from error
        if isinstance(record, RunStarted):
            _expect_whole(folder, run, record)
        if observe is not None:
            observe(record)
    if run.started is None:
        raise _broken(f"{path}:1", "the start of the run is not there")
    return seq


def _expect_whole(folder: Path, run: Run, started: RunStarted) -> None:
    """What was frozen with the run is all there; asked first, so that the right file is blamed."""
    if started.run_id != folder.name:
        raise _broken(f"{folder / JOURNAL}:1", f"it belongs to the run {started.run_id}")
    if started.targets != run.total:
        raise _broken(f"{folder / TARGETS}", f"{run.total} targets are there of {started.targets}")


def _broken(where: str, what: str) -> JournalDamaged:
    return JournalDamaged(f"{where}: {what}", hint=DAMAGED_HINT)
