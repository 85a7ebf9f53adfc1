"""The verbs by which a person steers a fleet: hold, release, settle. They write commands, which the run carries out."""

import getpass
import os
from datetime import datetime
from pathlib import Path
from typing import Literal

from orchestrator.app.orders import refusal
from orchestrator.app.standing import find_run
from orchestrator.errors import UsageError
from orchestrator.model.plan import Plan
from orchestrator.tracker.commands import Command, HoldCommand, ReleaseCommand, SettleCommand, append_command
from orchestrator.tracker.disk import make_folder
from orchestrator.tracker.place import claim_fleet, fleet_folder


def hold(plan: Plan, state: Path, note: str, now: datetime) -> int:
    """Stop all starts of the fleet, now and in later runs."""
    return _give(plan, state, HoldCommand(at=now, user=user_name(), note=note))


def release(plan: Plan, state: Path, wave: str | None, note: str, now: datetime) -> int:
    """Let the fleet go on, or approve one wave.

    Raises:
        UsageError: the plan has no such wave.
    """
    if wave is not None and wave not in {each.name for each in plan.waves}:
        names = ", ".join(each.name for each in plan.waves)
        raise UsageError(f"{plan.path}: there is no wave {wave}; the plan has {names}")
    return _give(plan, state, ReleaseCommand(at=now, user=user_name(), note=note, wave=wave))


def settle(
    plan: Plan,
    state: Path,
    proxy_id: str,
    outcome: Literal["succeeded", "failed", "not_sent"],
    note: str,
    now: datetime,
) -> int:
    """Decide what became of an open target.

    Raises:
        UsageError: it is not open, or was sent and cannot be settled as not sent.
    """
    recovered = find_run(state, plan)
    why = refusal(recovered.run, proxy_id, outcome)
    if why is not None:
        raise UsageError(why)
    return _give(plan, state, SettleCommand(at=now, user=user_name(), note=note, proxy_id=proxy_id, outcome=outcome))


def _give(plan: Plan, state: Path, command: Command) -> int:
    folder = fleet_folder(state, plan.name)
    make_folder(folder)
    claim_fleet(folder, Path(plan.path))
    return append_command(folder, command)


def user_name() -> str:
    """Who asks."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
