"""Runs carried from one state to another: out of a database for tools that read files, or into it for more hosts."""

from collections.abc import Iterator
from datetime import datetime

from orchestrator.errors import UsageError
from orchestrator.tracker.runs.copy_run import copy_commands, copy_run
from orchestrator.tracker.state_store import Fleet, State, StoredRun


def export_run(state: State, run_id: str, into: State, now: datetime) -> StoredRun:
    """Write one run of any fleet into another state.

    Raises:
        UsageError: there is no such run, or it is there already.
        FleetLocked: a process works on the fleet over there.
    """
    found = [run for fleet in state.fleets() for run in fleet.runs() if run.run_id == run_id]
    if not found:
        raise UsageError(f"{state}: there is no run {run_id}", hint="`orchestrator runs PLAN` names them")
    run = found[0]
    fleet = into.fleet(run.fleet.name, writes=True)
    with fleet.lock(now):
        if any(each.run_id == run_id for each in fleet.runs()):
            raise UsageError(f"{into}: the run {run_id} is there already")
        return copy_run(run, fleet)


def import_fleets(state: State, into: State, now: datetime) -> Iterator[tuple[str, int]]:
    """Write every fleet of a state into another one; by fleet, how many runs came. What is there already stays.

    Raises:
        FleetLocked: a process works on one of them.
    """
    for fleet in state.fleets():
        other = into.fleet(fleet.name, writes=True)
        with fleet.lock(now), other.lock(now):
            yield fleet.name, _import(fleet, other)


def _import(fleet: Fleet, into: Fleet) -> int:
    there = {run.run_id for run in into.runs()}
    new = [run for run in fleet.runs() if run.run_id not in there]
    copy_commands(fleet, into)
    for run in new:
        copy_run(run, into)
    return len(new)
