"""What to do next, as one pure function of the rollout and the present instant. The dispatcher performs it."""

from datetime import datetime, timedelta

from orchestrator.executor.decide.actions import (
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
from orchestrator.executor.decide.bench import EVENTS, GATE
from orchestrator.executor.decide.health.measured import measured_at
from orchestrator.executor.decide.limits import Room, due_hold, room, scope_room
from orchestrator.executor.decide.one_target.blocked import blocked
from orchestrator.executor.decide.opening.addresses import short_action
from orchestrator.executor.decide.opening.calendar import Opening
from orchestrator.executor.decide.opening.closed import closed_wait, own_closed_wait
from orchestrator.executor.decide.opening.gates import gate_action, next_question, shut_action
from orchestrator.executor.decide.opening.readings import due_reading, next_reading
from orchestrator.executor.decide.opening.start_gate import bound_ahead, bound_passed, start_opening
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.decide.session_end import being_reached, long_pause, over
from orchestrator.executor.decide.stuck import gone_wait, stuck
from orchestrator.executor.decide.wait_words import full_wait, hold_wait, moving_wait, none_ready_wait
from orchestrator.executor.decide.waits import Cause, Wait, on_calendar, shown
from orchestrator.model.plan.health_gate import HealthGate
from orchestrator.model.plan.plan import Wave
from orchestrator.model.plan.target import Target
from orchestrator.model.record.record import HoldSet
from orchestrator.model.run.status import WaveStatus
from orchestrator.model.run.tally import EMPTY


def next_action(rollout: Rollout, now: datetime) -> Action:
    """The next thing to do. O(log n), amortised; looks at nothing but its arguments."""
    action = _next(rollout, now)
    if not isinstance(action, WaitUntil):
        return action
    asks = next_question(rollout, now) if _could_start(rollout, action) else None
    dues = (action.instant, bound_ahead(rollout, now), asks, next_reading(rollout, now))
    first = min(filter(None, dues), default=None)
    return WaitUntil(first, action.wait)


def _could_start(rollout: Rollout, action: WaitUntil) -> bool:
    """Whether answers of gates matter: something waits for one, or is about to start."""
    kept = action.wait.cause in (Cause.GATE, Cause.ASKED) or rollout.queue.first_of(GATE)
    return bool(kept or rollout.queue.starting)


def _next(rollout: Rollout, now: datetime) -> Action:
    ending = _stopped(rollout) or over(rollout, now) or long_pause(rollout, now)
    if ending is not None:
        return ending
    if rollout.run.hold is not None:
        return _held(rollout, rollout.run.hold)
    hold = due_hold(rollout)
    if hold is not None:
        return hold
    if rollout.plan.scopes_required == "all" and not all(scope.opened for scope in rollout.run.scopes.values()):
        return _required(rollout)
    wave = rollout.wave
    return _completed(rollout, now) if wave is None else _wave_action(rollout, wave, now)


def _completed(rollout: Rollout, now: datetime) -> Action:
    measured = measured_at(rollout, now)
    if measured is not None:
        return WaitUntil(measured, Wait(Cause.MEASURED, until=measured))
    return Finish(Ending.COMPLETED, "every target is settled")


def _stopped(rollout: Rollout) -> Finish | None:
    return None if rollout.stop is None else Finish(Ending.STOPPED, rollout.stop)


def _required(rollout: Rollout) -> Action:
    """With `scopes_required: all`, nothing starts before every scope was reached, or when one was given up."""
    gone = [scope.name for scope in rollout.run.scopes.values() if scope.given_up]
    missing = [scope.name for scope in rollout.run.scopes.values() if not scope.opened]
    wait = Wait(Cause.REACH, (", ".join(missing),))
    if rollout.moving or not gone:
        return WaitUntil(None, wait)
    return Finish(Ending.SCOPE, f"scope {gone[0]} cannot be used, and the plan requires all scopes", wait)


def _held(rollout: Rollout, hold: HoldSet) -> Action:
    """Those that are about to start, and wait for their scopes, would not be let in: they keep no session."""
    wait = hold_wait(hold)
    if not rollout.stands_still:
        return WaitUntil(None, wait)
    by = f" by {hold.who}" if hold.who else ""
    return Finish(Ending.HELD, f"held{by}: {hold.reason}", wait)


def _wave_action(rollout: Rollout, wave: Wave, now: datetime) -> Action:
    status = rollout.run.waves[wave.name]
    if status.soaks_until is not None:
        return _soak(rollout, wave, status, now)
    if _wave_settled(rollout, wave):
        return _after_wave(rollout, wave, now)
    if status.opened_at is None:
        if wave.approve and not status.approved:
            return Hold("approval", f"wave {wave.name} waits for approval", wave=wave.name)
        return _before_wave(rollout, wave, now) or OpenWave(wave.name)
    return _start(rollout, wave, now)


def _before_wave(rollout: Rollout, wave: Wave, now: datetime) -> Action | None:
    """What a gate makes of a wave that is about to open; the first one has nothing behind it to be asked about."""
    first = wave.name == rollout.plan.waves[0].name
    return None if first or rollout.queue.exhausted(wave.name) else gate_action(rollout, "wave", now)


def _wave_settled(rollout: Rollout, wave: Wave) -> bool:
    """Whether every target of the wave has its outcome or is stuck, and it cannot draw another.

    Stuck ones keep their slots and are looked at further; the budgets, not the wave, decide whether the fleet goes on.
    """
    queue = rollout.queue
    if queue.starting or rollout.run.tally.waves.get(wave.name, EMPTY).under_way:
        return False
    return queue.exhausted(wave.name) or _only_stuck_hold_up(rollout, wave)


def _only_stuck_hold_up(rollout: Rollout, wave: Wave) -> bool:
    """Whether all that waits in the wave does so for slots of its instance or labels that stuck targets hold."""
    return not rollout.run.tally.fleet.under_way and not rollout.broken and rollout.queue.all_blocked(wave.name)


def _after_wave(rollout: Rollout, wave: Wave, now: datetime) -> Action:
    if rollout.run.tally.fleet.open and not rollout.queue.undrawn:
        return _last_of_all(rollout, now)
    failed = _wave_failed(rollout, wave)
    if failed is not None:
        return failed
    sent = rollout.run.waves[wave.name].sent
    if wave.soak_s > 0 and sent and rollout.queue.undrawn and not rollout.only_accepted:
        return SoakWave(wave.name, now + timedelta(seconds=wave.soak_s))
    return CloseWave(wave.name)


def _last_of_all(rollout: Rollout, now: datetime) -> Action:
    """The last wave that sends stays open for what is stuck, in it or before it: that may have to be sent again."""
    return WaitUntil(None, moving_wait(rollout)) if rollout.moving else stuck(rollout, now)


def _wave_failed(rollout: Rollout, wave: Wave) -> Hold | None:
    """A wave in which something was sent and nothing succeeded holds the fleet, unless a person let it pass.

    What only ended as it had before says nothing new, and neither does what a release came after.
    """
    status = rollout.run.waves[wave.name]
    count = rollout.run.tally.waves.get(wave.name, EMPTY)
    standing, sent = count.standing, status.sent - count.repeated
    successes = standing["succeeded"] + standing["accepted"] + standing["partial"]
    if sent <= status.accepted or successes or status.passed:
        return None
    return Hold("wave_failed", f"wave {wave.name}: {sent} sent, none succeeded", wave=wave.name)


def _soak(rollout: Rollout, wave: Wave, status: WaveStatus, now: datetime) -> Action:
    left_s = status.soak_s - rollout.run.timeline.least_elapsed_s(status.soaking, now)
    if left_s > 0:
        ends = now + timedelta(seconds=left_s)
        return _wait_bounded(rollout, ends, Wait(Cause.SOAK, (wave.name,), ends), f"wave {wave.name} soaks", now)
    if rollout.moving and rollout.run.tally.waves.get(wave.name, EMPTY).under_way:
        return WaitUntil(None, moving_wait(rollout))  # what was stuck moves again
    if rollout.plan.follow.to != "verified" or wave.name in rollout.verified:
        return _wave_failed(rollout, wave) or CloseWave(wave.name)
    if wave.name in rollout.unverified:
        return Finish(Ending.SCOPE, f"wave {wave.name} could not be verified after its soak", gone_wait(rollout, now))
    if rollout.verifying is not None:
        return WaitUntil(None, Wait(Cause.STEP))
    return VerifyWave(wave.name)


# --- starting ---------------------------------------------------------------------------------------------------------


def _start(rollout: Rollout, wave: Wave, now: datetime) -> Action:
    if rollout.queue.exhausted(wave.name) and not rollout.queue.starting:
        return _last_of_all(rollout, now)
    gate = start_opening(rollout, now)
    if not gate.open:
        return _closed(rollout, gate, now)
    free = room(rollout, now)
    if free.free > 0 or rollout.queue.starting:
        gated = gate_action(rollout, "start", now)
        if gated is not None:
            return gated
    if free.free <= 0:
        return _full(rollout, free, now)
    target = rollout.queue.peek(
        wave.name, now, scopes=_scopes_by_need(rollout), blocked=lambda target: blocked(rollout, target, now)
    )
    if target is not None:
        return Start(target, _own_wave(rollout, target, wave))
    return _nothing_ready(rollout, wave, now)


def _own_wave(rollout: Rollout, target: Target, wave: Wave) -> str:
    """The wave that a target belongs to: an earlier one, when it was stuck there or held up by one that was."""
    state = rollout.run.states.get(target.proxy_id)
    return (state and state.wave) or rollout.queue.drawn_by(target) or wave.name


def _scopes_by_need(rollout: Rollout) -> list[str]:
    """Scopes that may be used, the one with the fewest slots first: so a slow one cannot take them all."""
    run, queue = rollout.run, rollout.queue

    def held(scope: str) -> int:
        return queue.starting_scopes[scope] + run.tally.scopes.get(scope, EMPTY).open

    usable = [name for name in run.scopes if rollout.available(name) and scope_room(rollout, name)]
    return sorted(usable, key=held) if len(usable) > 1 else usable


# --- waiting ----------------------------------------------------------------------------------------------------------


def _closed(rollout: Rollout, gate: Opening, now: datetime) -> Action:
    wait = closed_wait(rollout, gate, now)
    if gate.until is None:
        return WaitUntil(None, wait) if rollout.moving else Finish(Ending.LATER, gate.why, wait)
    return _wait_bounded(rollout, gate.until, wait, gate.why, now)


def _wait_bounded(rollout: Rollout, instant: datetime, wait: Wait, why: str, now: datetime) -> Action:
    """Wait in this process if something moves anyway, or if the instant is near enough; else come back later.

    It is not left to the host's clock alone: it may be wrong, and wrong again at the next start.
    """
    near = (instant - now).total_seconds() <= rollout.wait_s and not bound_passed(rollout, instant)
    if rollout.moving or near:
        return WaitUntil(instant, wait)
    if being_reached(rollout):
        return WaitUntil(None, wait)  # as far as this host knows; the cloud's time is asked for
    return Finish(Ending.LATER, f"{why}: next possible start {shown(on_calendar(instant, rollout.ahead()))} UTC", wait)


def _full(rollout: Rollout, free: Room, now: datetime) -> Action:
    return WaitUntil(None, full_wait(rollout, free)) if rollout.moving else stuck(rollout, now, free.why)


def _nothing_ready(rollout: Rollout, wave: Wave, now: datetime) -> Action:
    """Every target of the wave that has not started waits for something."""
    reading = due_reading(rollout, now)
    if reading is not None:
        return reading
    later, opens, shut = rollout.queue.next_back(), rollout.queue.next_opening(), _shut(rollout)
    if rollout.moving or later is not None or _returning(rollout) or rollout.queue.first_of(EVENTS):
        first = min(filter(None, (later and later[0], opens and opens[0])), default=None)
        return WaitUntil(first, none_ready_wait(rollout, now))
    if shut is not None:
        return shut_action(rollout, shut, now)
    short = short_action(rollout, now)
    if short is not None:
        return short
    if opens is not None:
        wait = own_closed_wait(rollout, *opens, now)
        why = wait.reason if wait.cause is Cause.EVENT else "the windows of all instances are closed"
        return _wait_bounded(rollout, opens[0], wait, why, now)
    return _after_wave(rollout, wave, now) if _wave_settled(rollout, wave) else stuck(rollout, now)


def _shut(rollout: Rollout) -> HealthGate | None:
    """A gate that keeps targets of the wave from starting, each of them by itself."""
    return next((gate for gate in rollout.plan.gates if rollout.queue.waits_for((GATE, gate.name))), None)


def _returning(rollout: Rollout) -> bool:
    """Whether a scope that cannot be used now, and has targets to start, may still come back in this session."""
    return any(
        not rollout.available(scope.name) and not scope.given_up and rollout.queue.waits_in(scope.name)
        for scope in rollout.run.scopes.values()
    )
