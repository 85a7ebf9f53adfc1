"""Which kind of store a state is: a folder, or a database that several hosts share. Here alone one is chosen."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.errors import UsageError
from orchestrator.tracker.folder.paths import STATE_VARIABLE, beside, state_dir
from orchestrator.tracker.folder.state_folder import FolderState
from orchestrator.tracker.postgres.address import expect_no_password, names_database
from orchestrator.tracker.state_store import State

if TYPE_CHECKING:
    from orchestrator.tracker.postgres.database_state import DatabaseState


def open_state(option: str | None, environ: Mapping[str, str], plan_path: Path, *, simulated: bool = False) -> State:
    """The state: `--state`, else `$ORCHESTRATOR_STATE`, else the folder `.orchestrator/` beside the plan.

    Raises:
        UsageError: it is named nowhere, and the plan is a pipe; or it is a database that cannot be used from here.
    """
    named = option or environ.get(STATE_VARIABLE) or ""
    if names_database(named):
        return open_database(named, given=option, reports=beside(plan_path, simulated=simulated), simulated=simulated)
    return FolderState(state_dir(option, environ, plan_path, simulated=simulated))


def open_database(named: str, *, given: str | None, reports: Path, simulated: bool = False) -> "DatabaseState":
    """The state in a database. Nothing is connected yet.

    Args:
        named: the address.
        given: the same, when it stands on the command line.
        reports: the folder of this host for reports.
        simulated: whether it is that of simulated runs.

    Raises:
        UsageError: the extra `hosts` is not installed, or a password stands on the command line.
    """
    if given is not None:
        expect_no_password(given)
    try:
        from orchestrator.tracker.postgres.database_state import database_state  # noqa: PLC0415  # an extra
    except ModuleNotFoundError as error:
        raise UsageError(
            f"a state in a database needs {error.name}, which is not installed",
            hint="pip install 'proxy-fleet-orchestrator[hosts]'",
        ) from error
    words = () if given is None else ("--state", given)
    return database_state(named, reports, words=words, simulated=simulated, pid=os.getpid())


def named_database(option: str | None, environ: Mapping[str, str]) -> "DatabaseState":
    """The database that is named, for what is done with no plan.

    Raises:
        UsageError: none is, or it cannot be used from here.
    """
    named = option or environ.get(STATE_VARIABLE) or ""
    if not names_database(named):
        found = f"{named} is a folder" if named else "no state is named"
        hint = f"name the database: --state postgresql://HOST/DB, or ${STATE_VARIABLE}"
        raise UsageError(f"{found}, and this is for a state in a database", hint=hint)
    return open_database(named, given=option, reports=beside(Path("plan.yaml")))
