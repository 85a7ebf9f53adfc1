"""The verbs by which a person steers a fleet: hold, release and settle write commands, which the run carries out.

What a person settles while no process works on the run is carried out at once: report and status tell it. `claim`
writes no command: it changes to which plan file the fleet belongs.
"""

from datetime import datetime
from pathlib import Path
from typing import Literal

from orchestrator.app.run.apply_command import carry_out, refusal
from orchestrator.app.run.begin_or_resume import unfinished_run
from orchestrator.app.status.fleet_status import find_run
from orchestrator.errors import FleetLocked, UsageError
from orchestrator.host import path_of, user_name
from orchestrator.lock import fleet_lock
from orchestrator.model.plan import Plan
from orchestrator.tracker.disk import make_folder
from orchestrator.tracker.journal.file import Journal
from orchestrator.tracker.paths import JOURNAL, LOCK, REPORT, claim_fleet, fleet_folder, hand_over
from orchestrator.tracker.report.json_form import write_report
from orchestrator.tracker.runs.commands import (
    Command,
    HoldCommand,
    ReleaseCommand,
    SettleCommand,
    append_command,
    read_commands,
)


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
) -> bool:
    """Decide what became of an open target. True: it counts already; else from the process on that works on the run.

    Raises:
        UsageError: it is not open, or was sent and cannot be settled as not sent.
    """
    recovered = find_run(state, plan)
    why = refusal(recovered.run, proxy_id, outcome)
    if why is not None:
        raise UsageError(why)
    _give(plan, state, SettleCommand(at=now, user=user_name(), note=note, proxy_id=proxy_id, outcome=outcome))
    try:
        with fleet_lock(fleet_folder(state, plan.name) / LOCK, now):
            return _carry_out_now(fleet_folder(state, plan.name), now)
    except FleetLocked:
        return False


def claim(plan: Plan, state: Path, before: Path, now: datetime) -> None:
    """Hand a fleet over from the plan file that it belonged to, with all that is known of its proxies.

    Raises:
        UsageError: there is no such fleet, or it belongs to another file.
        FleetLocked: a process works on it.
    """
    folder = fleet_folder(state, plan.name, writes=True)
    if not folder.is_dir():
        raise UsageError(f"{plan.path}: there is no fleet {plan.name} in {state}", hint="see --state")
    with fleet_lock(folder / LOCK, now):
        hand_over(folder, before, path_of(plan.path))


def _carry_out_now(folder: Path, now: datetime) -> bool:
    """Carry out what persons have asked of the unfinished run, as its next session would."""
    recovered = unfinished_run(folder)
    if recovered is None:
        return False
    run, journal = recovered.run, Journal.resume(recovered.folder / JOURNAL, recovered.next_seq)
    try:
        for number, command in read_commands(folder, run.commands_seen):
            record = carry_out(run, number, command, now)
            journal.append([record])
            run.apply(record)
    finally:
        journal.close()
    write_report(run, recovered.in_force, recovered.folder / REPORT)
    return True


def _give(plan: Plan, state: Path, command: Command) -> int:
    folder = fleet_folder(state, plan.name, writes=True)
    make_folder(folder)
    claim_fleet(folder, path_of(plan.path))
    return append_command(folder, command)
