"""`orchestrator state`: make and check the tables of a state in a database, carry runs to it and from it."""

import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.app.process.state_clock import state_clock
from orchestrator.app.state.carry import export_run, import_fleets
from orchestrator.cli.options import Options
from orchestrator.cli.terminal import write
from orchestrator.errors import ExitCode, StateError, UsageError
from orchestrator.planner.plan_file.numbers import duration
from orchestrator.spoken import counted
from orchestrator.tracker.open_state import named_database, open_state

if TYPE_CHECKING:
    from orchestrator.tracker.postgres.database_state import DatabaseState

#: How long runs that have ended may be kept: a mistyped `1h` must not take last night away.
_KEPT = duration("1d", "3650d")


def run(options: Options) -> ExitCode:
    """Do what is asked for."""
    act, names = _ACTS[options.what or ""]
    if len(_words(options)) != len(names):
        expected = " ".join(("state", options.what or "", *names))
        raise UsageError(f"expected: orchestrator {expected}")
    act(options)
    return ExitCode.DONE


def _init(options: Options) -> None:
    if options.print_only:
        from orchestrator.tracker.postgres.tables import TABLES  # noqa: PLC0415  # only here

        write(TABLES.rstrip().split("\n"))
        return
    state = _database(options)
    state.make_tables()
    write([f"{state}: the tables are there"])


def _check(options: Options) -> None:
    state = _database(options)
    faults = state.faults()
    if faults:
        hint = "turn it on in postgresql.conf: what is on record must survive a crash of the server"
        raise StateError(f"{state}: {'; '.join(faults)}", hint=hint)
    state.expect_clock()
    write([f"{state}: the tables are known, and what is confirmed survives a crash", *state.remarks()])


def _export(options: Options) -> None:
    run_id, folder = _words(options)
    state = _database(options)
    made = export_run(state, run_id, open_state(folder, {}, Path()), state_clock(state).now())
    write([f"{made.fleet.name}: the run {made.run_id} is in {folder}"])


def _import(options: Options) -> None:
    (folder,) = _words(options)
    found = open_state(folder, {}, Path())
    if not found.fleets():
        raise UsageError(f"there is no trace of any fleet in {folder}")
    state = _database(options)
    for name, runs in import_fleets(found, state, state_clock(state).now()):
        write([f"{name}: {counted(runs, 'run')} taken over"])


def _prune(options: Options) -> None:
    kept, state = _kept(options.keep), _database(options)
    before = state_clock(state).now() - kept
    removed = state.prune(before)
    write([*(f"{fleet}: run {run_id} removed" for fleet, run_id in removed), f"{counted(len(removed), 'run')} removed"])


def _kept(text: str) -> timedelta:
    try:
        return timedelta(seconds=_KEPT.parse(text.strip()))
    except ValueError as error:
        raise UsageError(f"--keep: {str(error) or 'expected a duration such as 400d'}, got {text!r}") from None


def _words(options: Options) -> list[str]:
    return [word for word in (options.first, options.second) if word is not None]


def _database(options: Options) -> "DatabaseState":
    return named_database(None if options.state is None else str(options.state), os.environ)


#: What each word does, and what stands behind it.
_ACTS: Mapping[str, tuple[Callable[[Options], None], tuple[str, ...]]] = {
    "init": (_init, ()),
    "check": (_check, ()),
    "export": (_export, ("RUN_ID", "DIR")),
    "import": (_import, ("DIR",)),
    "prune": (_prune, ()),
}
