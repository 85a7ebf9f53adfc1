"""Whether a release changes anything: what is released or approved already, or was never held, is not recorded.

A release forgives what the budgets have counted, so one too many would do harm.
"""

from collections.abc import Sequence
from datetime import datetime

from orchestrator.app.status.fleet_status import latest_or_none, outlook
from orchestrator.app.status.outlook import Outlook, before_run
from orchestrator.executor.decide.waits import Cause
from orchestrator.model.plan.commands import Command, ReleaseCommand
from orchestrator.model.plan.plan import Plan
from orchestrator.tracker.state_store import State


def needless_release(plan: Plan, state: State, wave: str | None, now: datetime) -> str | None:
    """Why there is nothing to release, as a sentence; None when there is.

    Args:
        plan: the fleet's.
        state: the state folder.
        wave: to approve; None for the fleet.
        now: by this host's clock.

    Raises:
        StateError: the state folder cannot be read.
    """
    seen = _seen(plan, state, now)
    return _of_fleet(plan.name, seen) if wave is None else _of_wave(plan, wave, seen)


def held_already(plan: Plan, state: State, now: datetime) -> str | None:
    """The hold that a new one comes on top of, as a sentence; None when there is none."""
    held = _seen(plan, state, now).run.hold
    if held is None:
        return None
    by = f" by {held.who}" if held.who else ""
    since = f"{held.began_at:%Y-%m-%d %H:%M:%SZ}{by}"
    return f"it was held already, since {since}: {held.reason}; your note is recorded too"


def _seen(plan: Plan, state: State, now: datetime) -> Outlook:
    recovered = latest_or_none(state, plan)
    if recovered is not None:
        return outlook(recovered, plan, now)
    return before_run(plan, plan.proxies, state.fleet(plan.name).inbox().new(), now)


def _of_fleet(name: str, seen: Outlook) -> str | None:
    run = seen.run
    if run.hold is not None or seen.fleet().cause is Cause.HOLD:  # it may be due, and its process dead
        return None
    done = _last(seen.asked, None)
    if done is not None:
        return f"fleet {name} is already released, by {done.who} at {done.at:%Y-%m-%d %H:%M:%SZ}: {done.note}"
    if run.released is not None:
        by, at, note = run.released.who, run.released.at, run.released.note
        return f"fleet {name} is already released, by {by} at {at:%Y-%m-%d %H:%M:%SZ}: {note}"
    return f"fleet {name} is not held: there is nothing to release"


def _of_wave(plan: Plan, wave: str, seen: Outlook) -> str | None:
    run, hold = seen.run, seen.run.hold
    held = f"; the fleet is held: {hold.reason}" if hold is not None else ""
    done = _last(seen.asked, wave)
    if done is not None:
        when = f"by {done.who} at {done.at:%Y-%m-%d %H:%M:%SZ}: {done.note}"
        return f"wave {wave} of fleet {plan.name} is already approved, {when}{held}"
    status = run.waves.get(wave) if run.ended is None else None
    if status is not None and status.approved:
        by = f", by {status.approved_by}" if status.approved_by else ""
        return f"wave {wave} of fleet {plan.name} is already approved{by}{held}"
    asks = any(each.name == wave and each.approve for each in plan.waves)
    waited_for = hold is not None and hold.wave == wave and hold.cause == "approval"
    return None if asks or waited_for else f"wave {wave} of fleet {plan.name} asks for no approval{held}"


def _last(asked: Sequence[Command], wave: str | None) -> ReleaseCommand | None:
    """The last release of the fleet, or of a wave, that no process has read yet."""
    return next((each for each in reversed(asked) if isinstance(each, ReleaseCommand) and each.wave == wave), None)
