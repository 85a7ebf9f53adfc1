"""The verbs by which a person steers a fleet: each writes a command, which the run carries out, or records.

What a person settles, or claims, while no process works on the run is recorded at once: report and status tell it.
"""

from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Literal

from orchestrator.app.commands.needless import held_already, needless_release
from orchestrator.app.report.on_disk import write_reports
from orchestrator.app.run.begin_or_resume import unfinished_run
from orchestrator.app.session.apply_command import carry_out, refusal
from orchestrator.app.status.fleet_status import find_run, latest_or_none
from orchestrator.app.status.one_proxy.unknown_target import unknown_target
from orchestrator.errors import FleetLocked, UsageError
from orchestrator.host import machine_name, path_of, path_text, user_name
from orchestrator.model.plan.commands import (
    ClaimCommand,
    Command,
    HoldCommand,
    LimitCommand,
    ReleaseCommand,
    SettleCommand,
)
from orchestrator.model.plan.limit_change import LimitChange, widened
from orchestrator.model.plan.plan import Plan
from orchestrator.tracker.fleet_name import same_plan
from orchestrator.tracker.state_store import Fleet, State


def hold(plan: Plan, state: State, note: str, now: datetime) -> str | None:
    """Stop all starts of the fleet, now and in later runs. Returns the hold that there was already, in words."""
    before = held_already(plan, state, now)
    _give(plan, state, HoldCommand(at=now, user=user_name(), host=machine_name(), note=note))
    return before


def release(plan: Plan, state: State, wave: str | None, note: str, now: datetime) -> str | None:
    """Let the fleet go on, or approve one wave. Returns why there was nothing to release; None when there was.

    Raises:
        UsageError: the plan has no such wave.
    """
    if wave is not None and wave not in {each.name for each in plan.waves}:
        names = ", ".join(each.name for each in plan.waves)
        raise UsageError(f"{plan.path}: there is no wave {wave}; the plan has {names}")
    needless = needless_release(plan, state, wave, now)
    if needless is None:
        _give(plan, state, ReleaseCommand(at=now, user=user_name(), host=machine_name(), note=note, wave=wave))
    return needless


def limit(plan: Plan, state: State, change: LimitChange, note: str, now: datetime) -> None:
    """Change limits of the fleet, now and in later runs; with an empty change the plan's hold again.

    Raises:
        UsageError: nothing can be meant by it, or the run was approved with tighter limits.
    """
    recovered = latest_or_none(state, plan)
    if "in_flight" in change.named and plan.follow.to == "accepted":
        raise UsageError("in_flight: has no meaning with follow.to: accepted, for nothing is seen after the answer")
    if (change.concurrency or 0) > plan.limits.concurrency:
        hint = "a process has connections for so many; raise it in the plan, for the next session"
        raise UsageError(f"concurrency: the plan has {plan.limits.concurrency}", hint=hint)
    if recovered is not None and recovered.run.ended is None and recovered.run.approved:
        wider = next(widened(recovered.in_force.limits, change, recovered.run.total), None)
        if wider is not None:
            hint = "approve another preview with `plan --out`, or lower it"
            raise UsageError(f"{wider}: the run was approved with a lower one", hint=hint)
    _give(plan, state, LimitCommand(at=now, user=user_name(), host=machine_name(), note=note, limits=change))


def settle(
    plan: Plan,
    state: State,
    proxy_id: str,
    outcome: Literal["succeeded", "failed", "not_sent"],
    note: str,
    now: datetime,
) -> bool:
    """Decide what became of an open target. True: it counts already; else from the process on that works on the run.

    Raises:
        UsageError: it is no target of the run, is not open, or was sent and cannot be settled as not sent.
    """
    recovered = find_run(state, plan)
    if proxy_id not in recovered.run.targets:
        raise unknown_target(f"run {recovered.run_id}", proxy_id, recovered.run.targets)
    why = refusal(recovered.run, proxy_id, outcome)
    if why is not None:
        raise UsageError(why)
    who, host = user_name(), machine_name()
    _give(plan, state, SettleCommand(at=now, user=who, host=host, note=note, proxy_id=proxy_id, outcome=outcome))
    fleet = state.fleet(plan.name)
    try:
        with fleet.lock(now):
            return _carry_out_now(fleet, now)
    except FleetLocked:
        return False


def claim(plan: Plan, state: State, before: Path, now: datetime) -> None:
    """Hand a fleet over from the plan file that it belonged to, with all that is known of its proxies.

    Raises:
        UsageError: there is no such fleet, or it belongs to another file, perhaps to this one already.
        FleetLocked: a process works on it.
    """
    fleet, here = state.fleet(plan.name, writes=True), path_of(plan.path)
    owner = fleet.owner()
    if not fleet.exists() or (owner and same_plan(owner, here) and not same_plan(here, before)):
        raise _not_handed_over(plan, state, before)
    with fleet.lock(now):
        fleet.hand_over(before, here)
        then = path_text(str(before.absolute()))
        fleet.give(ClaimCommand(at=now, user=user_name(), host=machine_name(), before=then, after=plan.path))
        _carry_out_now(fleet, now)


def _not_handed_over(plan: Plan, state: State, before: Path) -> UsageError:
    """Why this plan's fleet cannot be that of another file: it has another name, or this plan has a fleet already."""
    theirs = next((each.name for each in state.fleets() if (owner := each.owner()) and same_plan(owner, before)), None)
    known = state.fleet(plan.name).exists()
    have = f"the fleet {plan.name} belongs to it already" if known else f"there is no fleet {plan.name} in {state}"
    if theirs is None:
        return UsageError(
            f"{plan.path}: {have}, and none there belongs to {before}: nothing was handed over", hint="see --state"
        )
    return UsageError(
        f"{plan.path}: {have}; that of {before} is called {theirs}",
        hint=f"write `name: {theirs}` into {plan.path}, then claim it again",
    )


def _carry_out_now(fleet: Fleet, now: datetime) -> bool:
    """Carry out what persons have asked of the unfinished run, as its next session would."""
    recovered = unfinished_run(fleet)
    if recovered is None:
        return False
    run = recovered.run
    with closing(recovered.stored.resume(recovered.next_seq)) as journal:
        for number, command in fleet.inbox().new(run.commands_seen):
            record = carry_out(run, number, command, now)
            journal.append([record])
            run.apply(record)
    write_reports(recovered.stored, run, recovered.in_force)
    return True


def _give(plan: Plan, state: State, command: Command) -> int:
    fleet = state.fleet(plan.name, writes=True)
    fleet.claim(path_of(plan.path))
    return fleet.give(command)
