"""What a person's command means for a run: the records that carry it out. Pure."""

from datetime import datetime

from orchestrator.model.plan.commands import (
    ClaimCommand,
    Command,
    HoldCommand,
    LimitCommand,
    ReleaseCommand,
    SettleCommand,
)
from orchestrator.model.plan.limit_change import LimitChange
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import (
    CommandIgnored,
    FleetClaimed,
    HoldReleased,
    HoldSet,
    LimitsChanged,
    Record,
    ReturnedToWaiting,
    Settled,
    WaveApproved,
)
from orchestrator.model.run.run import Run
from orchestrator.model.run.state import TargetState


def carry_out(run: Run, number: int, command: Command, now: datetime) -> Record:
    """The record of a command, or that it no longer applies and why."""
    user, host, note = command.user, command.host, command.note
    match command:
        case HoldCommand():
            return HoldSet(
                at=now,
                step="hold",
                cause="person",
                reason=f"{note}; before that {_told(run.hold)}" if run.hold else note,
                by=user,
                host=host,
                note=note,
                command=number,
                proxy_ids=run.hold.proxy_ids if run.hold else (),
                since=command.at,
            )
        case ReleaseCommand():
            return _release(run, number, command, now)
        case LimitCommand(limits=change):
            before = run.limits.limits if run.limits else LimitChange()
            limits = before.and_then(change) if change.named else LimitChange()
            return LimitsChanged(at=now, limits=limits, by=user, host=host, note=note, command=number, since=command.at)
        case SettleCommand():
            return _settle(run, number, command, now)
        case ClaimCommand(before=before, after=after):
            return FleetClaimed(
                at=now, step="command", before=before, after=after, by=user, host=host, command=number, since=command.at
            )


def _told(hold: HoldSet) -> str:
    """A hold that another one comes on top of: since when, who set it, and why."""
    by = f" by {hold.who}" if hold.who else ""
    return f"held since {hold.began_at:%Y-%m-%d %H:%M:%SZ}{by}: {hold.reason}"


def refusal(run: Run, proxy_id: str, outcome: str) -> str | None:
    """Why a person may not settle this target so; None when it may be."""
    if proxy_id not in run.targets:
        return f"{proxy_id} is no target of this run"
    state = run.states.get(proxy_id)
    if state is None or not state.is_open:
        return f"{proxy_id} is not open: it is {run.standing(proxy_id)}"
    if outcome == "not_sent" and state.jobs:
        return f"{proxy_id} has the workflow_id {next(iter(state.jobs))}, so it was sent"
    return None


def _release(run: Run, number: int, command: ReleaseCommand, now: datetime) -> Record:
    user, host, note, since = command.user, command.host, command.note, command.at
    if command.wave is None:
        return HoldReleased(at=now, step="hold", by=user, host=host, note=note, command=number, since=since)
    if command.wave not in run.waves:
        return _ignored(now, number, command, f"there is no wave {command.wave}")
    return WaveApproved(
        at=now, step="wave", wave=command.wave, by=user, host=host, note=note, command=number, since=since
    )


def _settle(run: Run, number: int, command: SettleCommand, now: datetime) -> Record:
    why = refusal(run, command.proxy_id, command.outcome)
    if why is not None:
        return _ignored(now, number, command, why)
    state = run.states[command.proxy_id]
    if command.outcome == "not_sent":
        return ReturnedToWaiting(
            at=now,
            target=state.key,
            attempt=len(state.attempts),
            settled_by=command.user,
            host=command.host,
            note=command.note,
            command=number,
        )
    return _settled(state, number, command, now)


def _settled(state: TargetState, number: int, command: SettleCommand, now: datetime) -> Settled:
    return Settled(
        at=now,
        target=state.key,
        attempt=len(state.attempts),
        outcome=Outcome(command.outcome),
        reason=f"settled by {command.who}: {command.note}",
        settled_by=command.user,
        host=command.host,
        note=command.note,
        command=number,
    )


def _ignored(now: datetime, number: int, command: Command, why: str) -> CommandIgnored:
    return CommandIgnored(at=now, step="command", command=number, why=why, by=command.user, host=command.host)
