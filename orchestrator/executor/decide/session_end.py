"""When a session ends although there is more to do: its bound has come, or a pause that it does not wait for. Pure."""

from datetime import datetime, timedelta

from orchestrator.executor.decide.actions import Ending, Finish
from orchestrator.executor.decide.opening.closed import closed_wait
from orchestrator.executor.decide.opening.start_gate import bound_passed, start_opening
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.decide.wait_words import scope_wait
from orchestrator.executor.decide.waits import shown
from orchestrator.model.run.tally import EMPTY

#: Pauses that the cloud asks for are waited for so long, whatever the session's `wait_s`.
_ALWAYS_WAITED_S = 900.0


def over(rollout: Rollout, now: datetime) -> Finish | None:
    """After the bound of the session, the end of one in which nothing is followed, and no start would get anywhere.

    Those that are about to start would wait for their scopes, for as long as the cloud likes, and then not be let in.
    """
    held = rollout.run.hold is not None or not bound_passed(rollout, now)
    if held or rollout.wave is None or not rollout.stands_still:
        return None
    if not rollout.queue.starting and not being_reached(rollout):
        return None  # no such start keeps the session
    gate = start_opening(rollout, now)
    return Finish(Ending.LATER, gate.why, closed_wait(rollout, gate, now))


def long_pause(rollout: Rollout, now: datetime) -> Finish | None:
    """The end of a session in which nothing can move before a pause ends that the cloud asks for, as of a window.

    Short pauses are always waited for, and longer ones up to the session's `wait_s`.
    """
    ends = {each.name: each.throttled_until for each in rollout.run.scopes.values() if each.throttled_until}
    if not ends or rollout.verifying is not None or rollout.queue.next_back() is not None:
        return None
    moving = [name for name in rollout.run.scopes if _moves(rollout, name)]
    first, name = min(((ends.get(name, now), name) for name in moving), default=(now, ""))
    far = (first - now).total_seconds() > max(rollout.wait_s, _ALWAYS_WAITED_S)
    bounded = bound_passed(rollout, first)
    if not far and not (bounded and first > now + timedelta(seconds=_ALWAYS_WAITED_S)):
        return None
    probe_at = rollout.run.scopes[name].probe_at if name in ends else None
    sooner = f"; it may be over sooner, a start from {shown(probe_at)} UTC on asks" if probe_at else ""
    why = f"the cloud asks for a pause: next possible start {shown(first)} UTC{sooner}"
    return Finish(Ending.LATER, why, scope_wait(rollout.run.scopes[name], now))


def _moves(rollout: Rollout, scope: str) -> bool:
    """Whether a scope has targets that would move, or start, if it could be used."""
    run, queue = rollout.run, rollout.queue
    if run.scopes[scope].given_up:
        return False
    resting = sum(run.targets[key].scope == scope for key in rollout.resting)
    under_way = queue.starting_scopes[scope] + run.tally.scopes.get(scope, EMPTY).open - resting
    return under_way > 0 or queue.waits_in(scope)


def being_reached(rollout: Rollout) -> bool:
    """Whether a scope may still be reached for the first time in this session."""
    return not all(scope.opened or scope.given_up for scope in rollout.run.scopes.values())
