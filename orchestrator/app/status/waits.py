"""What a target that waits is waiting for, by the very rules that start it. Pure.

The view of a run from its journal lacks what only its process knows: preflights that are under way, and rates.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from orchestrator.app.run.apply_command import carry_out
from orchestrator.app.status.clocks import calendar, steady
from orchestrator.app.status.scopes import scope_words
from orchestrator.app.status.why_closed import closed, time_until
from orchestrator.executor.decide.limits import room, target_block
from orchestrator.executor.decide.next_action import postponed_s
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.restore_queue import make_queue
from orchestrator.model.commands import Command
from orchestrator.model.outcome import Phase
from orchestrator.model.plan import Plan
from orchestrator.model.run import Run
from orchestrator.model.state import TargetState
from orchestrator.model.target import Target
from orchestrator.tracker.runs.recovery import Recovered


class Cause(Enum):
    """Everything that a target can wait for, each with the form of its sentence."""

    HOLD = "the fleet is held: {0}"
    APPROVAL = "approval of wave {0}"
    SOAK = "the soak of wave {0}, in {1}"
    SCOPE = "scope {0}: {1}"
    EARLIER_WAVE = "its wave has not opened; wave {0} comes first"
    CLOSED = "{0}"
    BUSY = "busy until {0} UTC (in {1}): {2}"
    LIMIT = "a free slot: {0} is full"
    TURN = "its turn; the journal shows nothing in its way"
    DOUBT = "evidence of what became of its attempt: {0}"
    JOB = "the end of its upgrade"
    PERSON = "a person, to settle it: {0}"


class Wait(NamedTuple):
    """What a target waits for."""

    cause: Cause
    facts: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.cause.value.format(*self.facts)


def target_lines(
    recovered: Recovered, commands: Sequence[tuple[int, Command]], proxy_id: str, now: datetime
) -> Iterator[str]:
    """What a target waits for, in one line; none when it has its outcome, or the run is over.

    Args:
        recovered: its run, which is carried on in memory alone.
        commands: of persons, which no process has read yet: the next start carries them out first.
        proxy_id: of the target.
        now: by this host's clock.
    """
    run = recovered.run
    for number, command in commands:
        run.apply(carry_out(run, number, command, now))
    target, state = run.targets.get(proxy_id), run.states.get(proxy_id)
    if target is not None and run.ended is None and (state is None or state.outcome is None):
        wait = wait_of(view(recovered.in_force, run), target, steady(run, now), calendar(run, now))
        yield f"waits for: {wait}"


def view(plan: Plan, run: Run) -> Rollout:
    """The run as its next session would see it."""
    targets = list(run.targets.values())
    return Rollout(
        plan=plan, run=run, queue=make_queue(plan, targets, run), wave_targets={}, scope_targets={}, scope_rates={}
    )


def wait_of(rollout: Rollout, target: Target, now: datetime, today: datetime) -> Wait:
    """What a target without an outcome waits for; of several things the first by which no start can come.

    Args:
        rollout: the run, see `view`.
        target: of it.
        now: by the clock of the session.
        today: by the calendar.
    """
    state = rollout.run.states.get(target.proxy_id)
    if state is not None and state.is_open:
        return _open(state)
    return next(_reasons(rollout, target, now, today), Wait(Cause.TURN))


def _open(state: TargetState) -> Wait:
    if state.phase is Phase.IN_FLIGHT:
        return Wait(Cause.JOB)
    cause = Cause.DOUBT if state.phase is Phase.DOUBT else Cause.PERSON
    return Wait(cause, (state.reason or "nothing is known yet",))


def _reasons(rollout: Rollout, target: Target, now: datetime, today: datetime) -> Iterator[Wait]:
    """What stands in its way, the longest wait first."""
    run = rollout.run
    if run.hold is not None:
        yield Wait(*_held(rollout))
    words = scope_words(run.scopes[target.scope], now)
    if words is not None:
        yield Wait(Cause.SCOPE, (target.scope, words))
    yield from _by_wave(rollout, target, now)
    gate = closed(rollout.plan, run, today)
    if gate is not None:
        yield Wait(Cause.CLOSED, (gate,))
    yield from _by_itself(rollout, target, now)
    free = room(rollout)
    if free.free <= 0:
        yield Wait(Cause.LIMIT, (free.why,))


def _held(rollout: Rollout) -> tuple[Cause, tuple[str, ...]]:
    hold = rollout.run.hold
    if hold is not None and hold.cause == "approval" and hold.wave is not None:
        return Cause.APPROVAL, (hold.wave,)
    return Cause.HOLD, (hold.reason if hold is not None else "",)


def _by_wave(rollout: Rollout, target: Target, now: datetime) -> Iterator[Wait]:
    wave, state = rollout.wave, rollout.run.states.get(target.proxy_id)
    if wave is None or (state is not None and state.wave == wave.name):
        return
    status = rollout.run.waves[wave.name]
    if status.soaks_until is not None and status.soaks_until > now:
        yield Wait(Cause.SOAK, (wave.name, time_until(status.soaks_until, now)))
    elif status.opened_at is None and wave.approve and not status.approved:
        yield Wait(Cause.APPROVAL, (wave.name,))
    elif status.opened_at is not None and rollout.queue.exhausted(wave.name):
        yield Wait(Cause.EARLIER_WAVE, (wave.name,))


def _by_itself(rollout: Rollout, target: Target, now: datetime) -> Iterator[Wait]:
    state = rollout.run.states.get(target.proxy_id)
    if state is not None and state.not_before is not None and postponed_s(rollout, target, now) > 0:
        end = state.not_before
        yield Wait(Cause.BUSY, (f"{end:%Y-%m-%d %H:%M:%S}", time_until(end, now), state.reason or "the cloud was busy"))
    block = target_block(rollout, target)
    if block is not None:
        limit = "per_instance" if block[0] == "instance" else f"per_{block[0]}={block[1]}"
        yield Wait(Cause.LIMIT, (limit,))
