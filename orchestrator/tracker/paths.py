"""Where the state of a fleet lives: which folder, which names, and which plan owns them.

It writes nothing but the claim of a plan on its fleet's name.

    STATE/rates.json (see `rates`)
    STATE/<fleet>/lock, plan_path, commands.ndjson, latest -> runs/<run_id>
    STATE/<fleet>/runs/<run_id>/plan.json, settings.json, targets.ndjson, journal.ndjson, report.json
    STATE/simulated/<fleet>/…   the same for simulated runs, which never mix with real ones
"""

import os
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from shlex import quote

from orchestrator.errors import PlanError, UsageError
from orchestrator.host import is_lasting
from orchestrator.tracker.disk import guard, make_folder, open_to_read, replace_file
from orchestrator.tracker.ownership import check_folder

STATE_VARIABLE = "ORCHESTRATOR_STATE"
SIMULATED = "simulated"
LOCK, OWNER, COMMANDS, LATEST, RUNS = "lock", "plan_path", "commands.ndjson", "latest", "runs"
#: In the state folder: locked by the process that begins a run.
BEGIN = ".begin"
PLAN, SETTINGS, TARGETS, JOURNAL, REPORT = (
    "plan.json",
    "settings.json",
    "targets.ndjson",
    "journal.ndjson",
    "report.json",
)

_FLEET = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_RUN_ID = re.compile(r"\d{8}T\d{9}Z(-[A-Za-z0-9]+)?")
#: A path is no longer.
_MOST_OWNER = 1 << 16
_STAMP = "%Y%m%dT%H%M%S"


def state_dir(option: str | None, environ: Mapping[str, str], plan_path: Path, *, simulated: bool = False) -> Path:
    """The state folder: `--state`, else `$ORCHESTRATOR_STATE`, else `.orchestrator/` beside the plan.

    Raises:
        UsageError: neither is set, and the plan is a pipe.
    """
    named = option or environ.get(STATE_VARIABLE)
    if not named and not is_lasting(plan_path):
        raise UsageError(
            f"{plan_path}: a plan that is read from a pipe has no folder of its own for its state",
            hint=f"name the state folder with --state or ${STATE_VARIABLE}",
        )
    folder = _expanded(named).absolute() if named else plan_path.absolute().parent / ".orchestrator"
    return folder / SIMULATED if simulated else folder


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
    if not _FLEET.fullmatch(name) or name == SIMULATED:
        raise PlanError(
            f"name: {name!r} cannot name a fleet",
            hint=f"letters, digits, '.', '_' and '-', at most 128 and not beginning with '.' or '-'; not {SIMULATED!r}",
        )
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

    A plan that was read from a pipe keeps no name from others: the next pipe of that name holds another plan.

    Raises:
        PlanError: it belongs to another file, which still exists.
        StateError: the folder cannot be read.
    """
    owner = _owner(folder)
    if owner is None:
        return None
    with guard(folder / OWNER, "read"):
        if is_lasting(owner) and owner.exists() and not (plan_path.exists() and owner.samefile(plan_path)):
            raise PlanError(
                f"{plan_path}: the fleet name {folder.name!r} belongs to {owner}",
                hint=f"if this plan has taken its place, hand it the fleet: {_claiming(plan_path, owner)}; "
                "a plan of other proxies needs a name or a state folder of its own",
            )
    return owner


def hand_over(folder: Path, before: Path, now: Path) -> None:
    """Make a fleet belong to another plan file, with its whole memory, also while the old file exists.

    Args:
        folder: of the fleet.
        before: the plan file that it belongs to, so that nobody takes a fleet that he does not mean.
        now: the plan file that it is to belong to.

    Raises:
        UsageError: it never ran, or belongs to another file.
        StateError: the folder cannot be used.
    """
    owner = _owner(folder)
    if owner is None:
        raise UsageError(f"{now}: there is no fleet {folder.name} in {folder.parent}", hint="see --state")
    if owner not in (before.absolute(), now.absolute()):
        raise UsageError(f"{now}: the fleet {folder.name} belongs to {owner}, not to {before}")
    replace_file(folder / OWNER, [os.fsencode(now.absolute()) + b"\n"])


def _owner(folder: Path) -> Path | None:
    with guard(folder / OWNER, "read"):
        if not (folder / OWNER).exists():
            return None
        with open_to_read(folder / OWNER) as file:
            return Path(os.fsdecode(file.read(_MOST_OWNER).removesuffix(b"\n")))


def _claiming(plan_path: Path, owner: Path) -> str:
    return f"orchestrator claim {quote(str(plan_path))} --from {quote(str(owner))}"


def fleets(state: Path) -> list[Path]:
    """The folders of all fleets of a state folder that ever ran, by name.

    Raises:
        StateError: the folder cannot be read.
    """
    with guard(state, "read"):
        return sorted(path for path in state.iterdir() if (path / RUNS).is_dir()) if state.is_dir() else []


def list_runs(folder: Path) -> list[Path]:
    """The folders of all runs of a fleet, oldest first; those that were never completely made are not among them.

    Raises:
        StateError: the folder cannot be read.
    """
    runs = folder / RUNS
    with guard(runs, "read"):
        return sorted(path for path in runs.iterdir() if _RUN_ID.fullmatch(path.name)) if runs.is_dir() else []


def latest_run(folder: Path) -> Path | None:
    """The folder of the newest run of a fleet. The link `latest` is for people: a crash may leave it one behind.

    Raises:
        StateError: the folder cannot be read.
    """
    runs = list_runs(folder)
    return runs[-1] if runs else None


def new_run_id(folder: Path, now: datetime, suffix: str) -> str:
    """An id for a new run of a fleet, which sorts after every run there is, even when the clock was set back.

    Args:
        folder: of the fleet.
        now: UTC.
        suffix: a few random letters and digits.

    Raises:
        StateError: the folder cannot be read.
    """
    latest = latest_run(folder)
    if latest is not None:
        now = max(now, _instant(latest.name) + timedelta(milliseconds=1))
    return f"{now:{_STAMP}}{now.microsecond // 1000:03}Z-{suffix}"


def _instant(run_id: str) -> datetime:
    stamp = run_id.partition("Z")[0]
    return datetime.strptime(f"{stamp[:-3]}.{stamp[-3:]}+0000", f"{_STAMP}.%f%z")
