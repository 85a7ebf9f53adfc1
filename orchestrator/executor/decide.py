"""What to do next, as one pure function of the rollout and the present instant. The dispatcher performs it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from orchestrator.executor.actions import (
    Action,
    CloseWave,
    Ending,
    Finish,
    Hold,
    OpenWave,
    SoakWave,
    Start,
    VerifyWave,
    WaitUntil,
)
from orchestrator.executor.calendar import ALWAYS, Opening, instance_window, opening
from orchestrator.executor.limits import Room, room, scope_room, target_block, tripped
from orchestrator.executor.queue import Block
from orchestrator.executor.rollout import Rollout
from orchestrator.model.plan import Wave, Window
from orchestrator.model.tally import Count
from orchestrator.model.target import Target


def next_action(rollout: Rollout, now: datetime) -> Action:
    """The next thing to do. O(log n), amortised; looks at nothing but its arguments."""
    if rollout.stop is not None:
        return Finish(Ending.STOPPED, rollout.stop)
    if rollout.run.hold is not None:
        return _held(rollout, rollout.run.hold.reason)
    hold = _due_hold(rollout)
    if hold is not None:
        return hold
    if rollout.plan.scopes_required == "all" and not all(scope.opened for scope in rollout.run.scopes.values()):
        return _required(rollout)
    wave = rollout.wave
    if wave is None:
        return Finish(Ending.COMPLETED, "every target is settled")
    return _wave_action(rollout, wave, now)


def _due_hold(rollout: Rollout) -> Hold | None:
    """The hold that the fleet must set itself now."""
    budget = tripped(rollout)
    if budget is not None:
        return Hold(budget.cause, str(budget), wave=budget.wave, scope=budget.scope)
    reason = _new_reject(rollout)
    return None if reason is None else Hold("new_reject", f"a REJECT reason never seen before: {reason}")


def _new_reject(rollout: Rollout) -> str | None:
    if rollout.plan.failures.new_reject != "hold":
        return None
    return next((reason for reason in rollout.run.rejects if reason not in rollout.run.known_rejects), None)


def _required(rollout: Rollout) -> Action:
    """With `scopes_required: all`, nothing starts before every scope was reached, or when one was given up."""
    gone = [scope.name for scope in rollout.run.scopes.values() if scope.given_up]
    if rollout.moving or not gone:
        return WaitUntil(None, "every scope must be reached before anything starts")
    return Finish(Ending.SCOPE, f"scope {gone[0]} cannot be used, and the plan requires all scopes")


def _held(rollout: Rollout, reason: str) -> Action:
    if rollout.moving:
        return WaitUntil(None, f"held: {reason}; what is open is followed")
    return Finish(Ending.HELD, reason)


def _wave_action(rollout: Rollout, wave: Wave, now: datetime) -> Action:
    status = rollout.run.waves[wave.name]
    if status.soaks_until is not None:
        return _soak(rollout, wave, status.soaks_until, now)
    if _wave_settled(rollout, wave):
        return _after_wave(rollout, wave, now)
    if status.opened_at is None:
        if wave.approve and not status.approved:
            return Hold("approval", f"wave {wave.name} waits for approval", wave=wave.name)
        return OpenWave(wave.name)
    return _start(rollout, wave, now)


def _wave_settled(rollout: Rollout, wave: Wave) -> bool:
    """Whether every target of the wave has its outcome, and it cannot draw another."""
    count = rollout.run.tally.waves.get(wave.name)
    return not rollout.queue.starting and (count is None or not count.open) and rollout.queue.exhausted(wave.name)


def _after_wave(rollout: Rollout, wave: Wave, now: datetime) -> Action:
    status = rollout.run.waves[wave.name]
    standing = rollout.run.tally.waves.get(wave.name, Count()).standing
    successes = standing["succeeded"] + standing["accepted"] + standing["partial"]
    if status.sent and not successes and not status.passed:
        return Hold("wave_failed", f"wave {wave.name}: {status.sent} sent, none succeeded", wave=wave.name)
    soaks = wave.soak_s > 0 and status.sent and rollout.queue.undrawn and not rollout.only_accepted
    if soaks:
        return SoakWave(wave.name, now + timedelta(seconds=wave.soak_s))
    return CloseWave(wave.name)


def _soak(rollout: Rollout, wave: Wave, until: datetime, now: datetime) -> Action:
    if now < until:
        return _wait_bounded(rollout, until, f"wave {wave.name} soaks", now)
    if rollout.plan.follow.to != "verified":
        return CloseWave(wave.name)
    if wave.name in rollout.unverified:
        return Finish(Ending.SCOPE, f"wave {wave.name} could not be verified after its soak")
    if rollout.verifying is not None:
        return WaitUntil(None, f"wave {wave.name} is verified once more")
    return VerifyWave(wave.name)


# --- starting ---------------------------------------------------------------------------------------------------------


def _start(rollout: Rollout, wave: Wave, now: datetime) -> Action:
    gate = start_opening(rollout, now)
    if not gate.open:
        return _closed(rollout, gate, now)
    free = room(rollout)
    if free.free <= 0:
        return _full(rollout, free)
    target = rollout.queue.peek(
        wave.name, now, scopes=_scopes_by_need(rollout), blocked=lambda target: _blocked(rollout, target, now)
    )
    if target is not None:
        return Start(target, wave.name)
    return _nothing_ready(rollout, wave)


def start_opening(rollout: Rollout, now: datetime) -> Opening:
    """Whether anything may start now, by window, freeze, `fit` and the session's own bound."""
    if rollout.until is not None and now >= rollout.until:
        return Opening(open=False, until=None, why="the time for starts in this session is over")
    plan = rollout.plan
    windows = () if plan.windows == "instance" else plan.windows
    if not windows and not plan.freezes:
        return ALWAYS
    return _fitting(rollout, opening(windows, plan.freezes, now), windows, now)


def target_opening(rollout: Rollout, target: Target, now: datetime) -> Opening:
    """The same for one target, when each instance's own window counts."""
    if rollout.plan.windows != "instance":
        return ALWAYS
    windows = instance_window(target.facts.maintenance_window if target.facts else None)
    if not windows:
        return Opening(open=False, until=None, why="its instance has no maintenance window")
    return _fitting(rollout, opening(windows, rollout.plan.freezes, now), windows, now)


def _fitting(rollout: Rollout, gate: Opening, windows: Sequence[Window], now: datetime) -> Opening:
    """With `fit`, a window that closes before an upgrade would end is closed already."""
    if not (gate.open and gate.until and windows and rollout.plan.fit):
        return gate
    if now + timedelta(seconds=rollout.expected_s) <= gate.until:
        return gate
    after = opening(windows, rollout.plan.freezes, gate.until)
    return Opening(open=False, until=after.until, why=f"too late to end before {gate.until:%H:%M} UTC; {after.why}")


def _blocked(rollout: Rollout, target: Target, now: datetime) -> Block | datetime | None:
    gate = target_opening(rollout, target, now)
    if not gate.open:
        return gate.until or now + timedelta(days=1)
    return target_block(rollout, target)


def _scopes_by_need(rollout: Rollout) -> list[str]:
    """Scopes that may be used, the one with the fewest slots first: so a slow one cannot take them all."""
    run, queue = rollout.run, rollout.queue

    def held(scope: str) -> int:
        count = run.tally.scopes.get(scope)
        return queue.starting_scopes[scope] + (count.open if count else 0)

    usable = [name for name in run.scopes if rollout.available(name) and scope_room(rollout, name)]
    return sorted(usable, key=held) if len(usable) > 1 else usable


# --- waiting ----------------------------------------------------------------------------------------------------------


def _closed(rollout: Rollout, gate: Opening, now: datetime) -> Action:
    if gate.until is None:
        if rollout.moving:
            return WaitUntil(None, f"{gate.why}; what is open is followed")
        return Finish(Ending.LATER, gate.why)
    return _wait_bounded(rollout, gate.until, gate.why, now)


def _wait_bounded(rollout: Rollout, instant: datetime, why: str, now: datetime) -> Action:
    """Wait in this process if something moves anyway, or if the instant is near enough; else come back later."""
    near = (instant - now).total_seconds() <= rollout.wait_s
    if rollout.moving or near:
        return WaitUntil(instant, f"{why}, until {instant:%Y-%m-%d %H:%M:%S} UTC")
    return Finish(Ending.LATER, f"{why}: next possible start {instant:%Y-%m-%d %H:%M:%S} UTC")


def _full(rollout: Rollout, free: Room) -> Action:
    if rollout.moving:
        return WaitUntil(None, f"limited by {free.why}")
    return Finish(Ending.PERSON, f"every slot is held by a target that needs a person ({free.why})")


def _nothing_ready(rollout: Rollout, wave: Wave) -> Action:
    """Every target of the wave that has not started waits for something."""
    instant = _first_instant(rollout)
    if rollout.moving or instant is not None or _probing(rollout):
        return WaitUntil(instant, f"wave {wave.name}: {rollout.queue.waiting} targets wait")
    if any(scope.given_up for scope in rollout.run.scopes.values()) and (
        rollout.queue.waiting or rollout.queue.undrawn
    ):
        return Finish(Ending.SCOPE, "what is left is in scopes that cannot be used")
    return Finish(Ending.PERSON, "nothing moves but targets that stay in doubt or timed out")


def _first_instant(rollout: Rollout) -> datetime | None:
    throttled = (
        scope.throttled_until
        for scope in rollout.run.scopes.values()
        if scope.throttled_until and not rollout.available(scope.name) and not scope.given_up and not scope.paused
    )
    return min(filter(None, (rollout.queue.next_instant(), *throttled)), default=None)


def _probing(rollout: Rollout) -> bool:
    """Whether a scope that cannot be used now may still come back in this session."""
    return any(not rollout.available(scope.name) and not scope.given_up for scope in rollout.run.scopes.values())
