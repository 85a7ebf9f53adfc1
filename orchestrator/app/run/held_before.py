"""No run begins of a fleet that is held: it could start nothing, and would say nothing that the last one did not."""

from datetime import datetime
from typing import Final

from orchestrator.app.session.apply_command import carry_out
from orchestrator.errors import FleetHeld
from orchestrator.model.plan.plan import Plan
from orchestrator.model.record.record import HoldReleased, HoldSet, WaveApproved
from orchestrator.tracker.named_plan import named_plan
from orchestrator.tracker.runs.recovery import Recovered
from orchestrator.tracker.state_store import Fleet

#: Why a run ended in whose place a person wants another, with what was left of it.
SUPERSEDED: Final = "superseded"


def refuse_held(plan: Plan, fleet: Fleet, before: Recovered, now: datetime) -> None:
    """Refuse to begin a run after one that has come to its own end, while the fleet is held.

    Raises:
        FleetHeld: with who or what holds it, and what to do.
    """
    ended, hold = before.run.ended, _in_force(before, now)
    if hold is None or ended is None or ended.why == SUPERSEDED:
        return
    by = f" by {hold.who}" if hold.who else ""
    words = f"{plan.name} is held since {hold.began_at:%Y-%m-%d %H:%M:%SZ}{by}: {hold.reason}; no run begins"
    named = named_plan(plan, fleet.state)
    raise FleetHeld(words, hint=f'look at the cause, then orchestrator release {named} --note "why", then run again')


def _in_force(before: Recovered, now: datetime) -> HoldSet | None:
    """The hold as of now, with what persons have asked for since that run ended, which the next one carries out."""
    run = before.run
    hold = run.hold
    for number, command in before.stored.fleet.inbox().new(run.commands_seen):
        record = carry_out(run, number, command, now)
        if isinstance(record, HoldSet):
            hold = record
        elif isinstance(record, HoldReleased) or (isinstance(record, WaveApproved) and _asks_for(hold, record)):
            hold = None
    return hold


def _asks_for(hold: HoldSet | None, approval: WaveApproved) -> bool:
    return hold is not None and (hold.cause, hold.wave) == ("approval", approval.wave)
