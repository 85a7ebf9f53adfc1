"""Why a start would stand still: the decision that a session asks, on the run as the session finds it. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from shlex import quote

from orchestrator.app.status.outlook import Outlook, look
from orchestrator.app.status.what_next.steps import step_words
from orchestrator.executor.decide.actions import Action, CloseWave, Finish, OpenWave, WaitUntil
from orchestrator.executor.decide.next_action import next_action
from orchestrator.executor.decide.opening.start_gate import bound_passed
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.decide.waits import Cause, Wait
from orchestrator.model.plan.plan import Plan
from orchestrator.model.record.record import Record, ScopeOpened, WaveDone, WaveOpened
from orchestrator.model.run.run import Run
from orchestrator.planner.next_run import Asked, Standstill

#: What keeps everything from starting, and not just more beside what is under way.
_STILL = frozenset({Cause.WINDOW, Cause.FREEZE, Cause.FIT, Cause.PER_WINDOW, Cause.SOAK, Cause.PERSON})


def standstill(plan: Plan, run: Run, asked: Asked, now: datetime) -> Standstill | None:
    """What keeps everything of a run from starting at an instant; None when something may start or is under way.

    Args:
        plan: what the run follows.
        run: as a start finds it; it is carried on to the first decision that is no note of its own.
        asked: what the options of the start say.
        now: by this host's clock.
    """
    for scope in run.scopes:  # a start tries each again, and the preview reads from it
        run.apply(ScopeOpened(at=now, scope=scope))
    seen = look(plan, run, (), now, working=False)
    rollout = seen.rollout
    rollout.until, rollout.wait_s = asked.until, asked.wait_s
    rollout.ends_at = None if asked.longest_s is None else seen.now + timedelta(seconds=asked.longest_s)
    action = _decided(rollout, seen.now)
    wait = action.wait if isinstance(action, Finish | WaitUntil) else None
    if wait is None or wait.cause not in _STILL:
        return None
    return _still(asked.named or quote(plan.path), seen, wait)


def _decided(rollout: Rollout, now: datetime) -> Action:
    """The first action that is more than a record of where the waves stand."""
    action = next_action(rollout, now)
    while notes := list(_notes(action, now)):
        for note in notes:
            rollout.run.apply(note)
        action = next_action(rollout, now)
    return action


def _notes(action: Action, now: datetime) -> Iterator[Record]:
    match action:
        case OpenWave(wave=wave):
            yield WaveOpened(at=now, wave=wave)
        case CloseWave(wave=wave):
            yield WaveDone(at=now, wave=wave)
        case _:
            pass


def _still(named: str, seen: Outlook, wait: Wait) -> Standstill:
    stuck = next(iter(seen.stuck), None)
    if _is_waited_for(seen.rollout, wait.until, seen.now):
        return Standstill(f"nothing starts yet, a start waits for: {wait.seen_at(seen.now)}", passes=True)
    step = step_words(wait, named, working=False, stuck=stuck)
    return Standstill(f"nothing starts now; waits for: {wait.seen_at(seen.now)}; do: {step}", passes=False)


def _is_waited_for(rollout: Rollout, until: datetime | None, now: datetime) -> bool:
    """Whether a session waits so long, and may start something then."""
    near = until is not None and (until - now).total_seconds() <= rollout.wait_s
    return near and until is not None and not bound_passed(rollout, until)
