"""Why a start would stand still: the decision that a session asks, on the run as the session finds it. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from shlex import quote

from orchestrator.app.status.outlook import Outlook, look
from orchestrator.app.status.what_next.steps import step_words
from orchestrator.executor.decide.actions import Action, CloseWave, Finish, Hold, OpenWave, WaitUntil
from orchestrator.executor.decide.next_action import next_action
from orchestrator.executor.decide.opening.start_gate import bound_passed
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.decide.wait_words import hold_wait
from orchestrator.executor.decide.waits import Cause, Wait
from orchestrator.executor.decide.what_waits import fleet_wait
from orchestrator.model.plan.plan import Plan
from orchestrator.model.record.record import (
    CloudTimeLearned,
    Record,
    ScopeOpened,
    SessionStarted,
    WaveDone,
    WaveOpened,
)
from orchestrator.model.run.run import Run
from orchestrator.planner.next_run import Asked, Standstill
from orchestrator.planner.set_aside import may_be_sent_again

#: What keeps everything from starting, and not just more beside what is under way.
_STILL = frozenset(
    {Cause.WINDOW, Cause.FREEZE, Cause.FIT, Cause.PER_WINDOW, Cause.SOAK, Cause.PERSON, Cause.DOUBT, Cause.BOUND}
)
#: Slots, which free themselves as long as anything is under way that is not in doubt.
_SLOTS = frozenset({Cause.LIMIT, Cause.LABEL})


def standstill(plan: Plan, run: Run, asked: Asked, now: datetime, clouds: Mapping[str, float]) -> Standstill | None:
    """What keeps everything of a run from starting at an instant; None when something may start or is under way.

    Args:
        plan: what the run follows.
        run: as a start finds it; it is carried on to the first decision that is no note of its own.
        asked: what the options of the start say.
        now: by this host's clock.
        clouds: the cloud's time minus that, in seconds, by scope; windows and soaks go by it.
    """
    run.recount(plan.failures)
    for record in _taken_up(run, now, clouds):
        run.apply(record)
    seen = look(plan, run, (), now, working=False)
    rollout = seen.rollout
    rollout.until, rollout.wait_s = asked.until, asked.wait_s
    rollout.ends_at = None if asked.longest_s is None else seen.now + timedelta(seconds=asked.longest_s)
    named, action = asked.named or quote(plan.path), _decided(rollout, seen.now)
    if isinstance(action, Hold) and action.cause != "approval":
        return _held_at_once(named, action)
    wait = fleet_wait(rollout, seen.now, working=False) if isinstance(action, Finish | WaitUntil) else None
    still = _STILL if seen.moving.upgrades else _STILL | _SLOTS
    return None if wait is None or wait.cause not in still else _still(named, seen, wait)


def at_work(plan: Plan, run: Run, asked: Asked, now: datetime) -> Standstill:
    """What the process waits for that works on a run, and what to do about it: no other starts anything beside it.

    Args:
        plan: what the process follows.
        run: as its journal tells it.
        asked: what the options of a start say.
        now: by this host's clock.
    """
    seen = look(plan, run, (), now, working=True)
    wait, stuck = seen.fleet(), next(iter(seen.stuck), None)
    step = step_words(wait, asked.named or quote(plan.path), working=True, stuck=stuck)
    return Standstill(f"the process at work waits for: {wait.seen_at(seen.now)}; do: {step}", passes=False)


def _taken_up(run: Run, now: datetime, clouds: Mapping[str, float]) -> Iterator[Record]:
    """What a session notes as it begins: a start tries each scope again, and the preview reads from it."""
    yield SessionStarted(at=now, number=len(run.sessions) + 1, pid=0, host="", orchestrator_version="")
    for scope in run.scopes:
        if scope in clouds:
            yield CloudTimeLearned(at=now, scope=scope, offset_s=clouds[scope])
        yield ScopeOpened(at=now, scope=scope)


def _held_at_once(named: str, hold: Hold) -> Standstill:
    step = step_words(hold_wait(hold), named, working=True)
    return Standstill(f"a start holds the fleet at once: {hold.reason}; after that: {step}", passes=False)


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
    if wait.cause is not Cause.DOUBT and _is_waited_for(seen.rollout, wait.until, seen.now):
        return Standstill(f"nothing starts yet, a start waits for: {wait.seen_at(seen.now)}", passes=True)
    step = step_words(wait, named, working=False, stuck=stuck)
    return Standstill(
        f"nothing starts now{_unless(seen)}; waits for: {wait.seen_at(seen.now)}; do: {step}", passes=False
    )


def _unless(seen: Outlook) -> str:
    """What a start looks at all the same, and may send: attempts that nobody knows to have begun anything."""
    attempts = seen.rollout.plan.retry.attempts
    again = any(may_be_sent_again(state, attempts) for state in seen.run.open_states())
    return ", unless the cloud shows that what is in doubt never began" if again else ""


def _is_waited_for(rollout: Rollout, until: datetime | None, now: datetime) -> bool:
    """Whether a session waits so long, and may start something then."""
    near = until is not None and (until - now).total_seconds() <= rollout.wait_s
    return near and until is not None and not bound_passed(rollout, until)
