"""Making the folder of a run, and reading back the plan that is frozen in it; its targets are in `frozen_targets`.

A run exists from the instant at which its complete folder gets its name, so a crash never leaves half a run. Plan and
targets are written as lines of the journal's form, so that a changed byte in them is found as surely as there.
"""

from collections.abc import Iterable
from pathlib import Path

from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.settings import Settings, settings_of
from orchestrator.model.plan.target import Target
from orchestrator.model.record.record import RunStarted
from orchestrator.tracker.disk import guard, make_folder, replace_file, sync_folder, write_file
from orchestrator.tracker.folder.frozen_targets import write_frozen_targets
from orchestrator.tracker.folder.paths import JOURNAL, LATEST, PLAN, RUNS, SETTINGS
from orchestrator.tracker.journal.decoder import Decoder
from orchestrator.tracker.journal.file import Journal
from orchestrator.tracker.journal.line import damaged, decode_line, encode_lines, read_lines

_UNFINISHED = ".new-"

_plan_decoder: Decoder[Plan] = Decoder(Plan)
_settings_decoder: Decoder[Settings] = Decoder(Settings)


def create_run(folder: Path, plan: Plan, targets: Iterable[Target], first: RunStarted) -> tuple[Path, Journal]:
    """Make the folder of a new run, complete or not at all, and make it the latest. The fleet's lock must be held.

    Args:
        folder: of the fleet.
        plan: frozen with the run.
        targets: in plan order; frozen too, read once and never held together.
        first: the journal's first record.

    Returns:
        The run's folder, and its journal, which already holds `first`.

    Raises:
        StateError: it cannot be made.
    """
    runs = folder / RUNS
    make_folder(runs)
    _remove_unfinished(runs)
    making, made = runs / f"{_UNFINISHED}{first.run_id}", runs / first.run_id
    make_folder(making)
    write_file(making / PLAN, [encode_lines([plan], 1)])
    save_settings(making, settings_of(plan))
    write_frozen_targets(making, plan.name, targets)
    _write_first(making / JOURNAL, first)
    with guard(made, "make the run's folder"):
        sync_folder(making)
        making.rename(made)
        sync_folder(runs)
    point_latest(folder, made)
    return made, Journal.resume(made / JOURNAL, 2)


def point_latest(folder: Path, run: Path) -> None:
    """Let the fleet's link `latest` lead to a run, atomically.

    Raises:
        StateError: the link cannot be made.
    """
    link, new = folder / LATEST, folder / f".{LATEST}.new"
    with guard(link, "make the link"):
        new.unlink(missing_ok=True)
        new.symlink_to(Path(RUNS) / run.name)
        new.replace(link)
        sync_folder(folder)


def load_frozen_plan(run: Path) -> Plan:
    """The plan as it was when the run began.

    Raises:
        JournalDamaged: it is not what was written.
        StateError: it cannot be read.
    """
    path = run / PLAN
    for line in read_lines(path):
        return decode_line(_plan_decoder, path, line)
    raise damaged(path, 1, 0, "the plan is not there")


def load_settings(run: Path) -> Settings:
    """What was in force in the run's latest session, of all that may change between sessions.

    Raises:
        JournalDamaged: it is not what was written.
        StateError: it cannot be read.
    """
    path = run / SETTINGS
    for line in read_lines(path):
        return decode_line(_settings_decoder, path, line)
    raise damaged(path, 1, 0, "the settings are not there")


def save_settings(run: Path, settings: Settings) -> None:
    """Keep the settings of a session, once its `SessionStarted` is on disk: a crash before only repeats the change.

    Raises:
        StateError: they cannot be written.
    """
    replace_file(run / SETTINGS, [encode_lines([settings], 1)])


def _write_first(path: Path, first: RunStarted) -> None:
    journal = Journal.create(path)
    try:
        journal.append([first])
    finally:
        journal.close()


def _remove_unfinished(runs: Path) -> None:
    with guard(runs, "remove what a crash has left"):
        for left in list(runs.glob(f"{_UNFINISHED}*")):
            from shutil import rmtree  # noqa: PLC0415  # brings compression along

            rmtree(left)
