"""Where the state of a fleet lives: which folder, which names, and which plan owns them.

It writes nothing but the claim of a plan on its fleet's name.

    STATE/rates.json (see `rates_file`), STATE/.rate-<digest> (see `rate_file`)
    STATE/<fleet>/lock, plan_path, commands.ndjson, notices.json, latest -> runs/<run_id>
    STATE/<fleet>/runs/<run_id>/plan.json, settings.json, targets.ndjson, journal.ndjson, report.json,
        report.html
    STATE/<fleet>/runs/<run_id>/targets.sums (see `frozen_targets`)
    STATE/<fleet>/runs/<run_id>/checkpoint.ndjson, of a long journal (see `checkpoint_file`)
    STATE/simulated/<fleet>/…   the same for simulated runs, which never mix with real ones
"""

import os
from collections.abc import Mapping
from pathlib import Path

from orchestrator.errors import UsageError
from orchestrator.host import is_lasting
from orchestrator.pattern import pattern
from orchestrator.tracker.disk import guard, make_folder, open_to_read, replace_file
from orchestrator.tracker.fleet_name import SIMULATED, expect_fleet_name, expect_owner_before, refuse_other
from orchestrator.tracker.folder.ownership import check_folder

STATE_VARIABLE = "ORCHESTRATOR_STATE"
LOCK, OWNER, COMMANDS, LATEST, RUNS = "lock", "plan_path", "commands.ndjson", "latest", "runs"
NOTICES = "notices.json"
#: In the state folder: locked by the process that begins a run.
BEGIN = ".begin"
#: The state folder that nobody has named, beside the plan.
_BESIDE = ".orchestrator"
PLAN, SETTINGS, TARGETS, JOURNAL, CHECKPOINT, REPORT, PAGE = (
    "plan.json",
    "settings.json",
    "targets.ndjson",
    "journal.ndjson",
    "checkpoint.ndjson",
    "report.json",
    "report.html",
)

_RUN_ID = pattern(r"\d{8}T\d{9}Z(-[A-Za-z0-9]+)?")
#: The checksums of whole blocks of the targets.
TARGET_SUMS = "targets.sums"
#: A path is no longer.
_MOST_OWNER = 1 << 16


def state_dir(option: str | None, environ: Mapping[str, str], plan_path: Path, *, simulated: bool = False) -> Path:
    """The state folder: `--state`, else `$ORCHESTRATOR_STATE`, else `.orchestrator/` beside the plan.

    Raises:
        UsageError: neither is set, and the plan is a pipe.
    """
    named = _named_folder(option, environ)
    if named is None and not is_lasting(plan_path):
        raise UsageError(
            f"{plan_path}: a plan that is read from a pipe has no folder of its own for its state",
            hint=f"name the state folder with --state or ${STATE_VARIABLE}",
        )
    return _of_kind(named, simulated=simulated) if named else beside(plan_path, simulated=simulated)


def beside(plan_path: Path, *, simulated: bool = False) -> Path:
    """The state folder that nobody has named."""
    return _of_kind(plan_path.absolute().parent / _BESIDE, simulated=simulated)


def _of_kind(folder: Path, *, simulated: bool) -> Path:
    return folder / SIMULATED if simulated else folder


def options_to(state: Path, plan_path: Path) -> tuple[str, ...]:
    """What a command says beside the path of its plan to come to this state folder, anywhere."""
    simulated = state.name == SIMULATED
    folder = state.parent if simulated else state
    named = () if folder == plan_path.absolute().parent / _BESIDE else ("--state", str(folder))
    return (*named, *(("--simulate",) if simulated else ()))


def _named_folder(option: str | None, environ: Mapping[str, str]) -> Path | None:
    named = option or environ.get(STATE_VARIABLE)
    return _expanded(named).absolute() if named else None


def _expanded(named: str) -> Path:
    try:
        return Path(named).expanduser()
    except RuntimeError as error:  # a `~name` that this machine does not know
        raise UsageError(f"state folder {named}: {error}", hint="write the whole path") from error


def fleet_folder(state: Path, name: str, *, writes: bool = False) -> Path:
    """The folder of one fleet. Every verb comes by its folder here, so here it is looked at.

    Args:
        state: the state folder.
        name: of the fleet.
        writes: whether the verb writes there.

    Raises:
        PlanError: the name cannot be a folder's.
        StateError: the folder, or one above it in the state folder, is another user's, or others may write there.
    """
    expect_fleet_name(name)
    above = (state.parent, state) if state.name == SIMULATED else (state,)
    for folder in (*above, state / name):
        check_folder(folder, writes=writes)
    return state / name


def claim_fleet(folder: Path, plan_path: Path) -> None:
    """Make a fleet's name belong to a plan file, unless it belongs to another one that still exists.

    Raises:
        PlanError: the name is taken.
        StateError: the folder cannot be used.
    """
    if check_owner(folder, plan_path) != plan_path.absolute():
        make_folder(folder)
        replace_file(folder / OWNER, [os.fsencode(plan_path.absolute()) + b"\n"])


def check_owner(folder: Path, plan_path: Path) -> Path | None:
    """The plan file that the fleet's name belongs to, None when it belongs to nobody.

    Raises:
        PlanError: it belongs to another file, which still exists.
        StateError: the folder cannot be read.
    """
    owner = owner_of(folder)
    if owner is None:
        return None
    with guard(folder / OWNER, "read"):
        refuse_other(folder.name, owner, plan_path, options_to(folder.parent, plan_path))
    return owner


def hand_over(folder: Path, before: Path, now: Path) -> None:
    """Make a fleet belong to another plan file, with its whole memory, also while the old file exists.

    Args:
        folder: of the fleet.
        before: the plan file that it belongs to, so that nobody takes a fleet that he does not mean.
        now: the plan file that it is to belong to.

    Raises:
        UsageError: it belongs to another file, or to nobody.
        StateError: the folder cannot be used.
    """
    owner = owner_of(folder)
    if owner is None:
        raise UsageError(f"{now}: there is no fleet {folder.name} in {folder.parent}", hint="see --state")
    expect_owner_before(folder.name, owner, before, now)
    replace_file(folder / OWNER, [os.fsencode(now.absolute()) + b"\n"])


def owner_of(folder: Path) -> Path | None:
    """The plan file that the fleet's name belongs to, None when it belongs to nobody.

    Raises:
        StateError: the folder cannot be read.
    """
    with guard(folder / OWNER, "read"):
        if not (folder / OWNER).exists():
            return None
        with open_to_read(folder / OWNER) as file:
            return Path(os.fsdecode(file.read(_MOST_OWNER).removesuffix(b"\n")))


def shared_rate(state: Path, digest: str) -> Path:
    """Where the processes of a state folder keep a rate that they share: for an endpoint and credentials."""
    return state / f".rate-{digest}"


def fleets(state: Path) -> list[Path]:
    """The folders of all fleets of a state folder that ever ran, or belong to a plan at least, by name.

    Raises:
        StateError: the folder cannot be read.
    """
    with guard(state, "read"):
        return sorted(path for path in state.iterdir() if _is_fleet(path)) if state.is_dir() else []


def _is_fleet(path: Path) -> bool:
    return (path / RUNS).is_dir() or (path / OWNER).is_file()


def list_runs(folder: Path) -> list[Path]:
    """The folders of all runs of a fleet, oldest first; those that were never completely made are not among them.

    Raises:
        StateError: the folder cannot be read.
    """
    runs = folder / RUNS
    with guard(runs, "read"):
        return sorted(path for path in runs.iterdir() if _RUN_ID.fullmatch(path.name)) if runs.is_dir() else []
