"""How a session ends in which nothing moves any more. Pure."""

from datetime import datetime

from orchestrator.executor.decide.actions import Ending, Finish
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.decide.wait_words import scope_wait
from orchestrator.executor.decide.waits import Cause, Wait
from orchestrator.spoken import counted


def stuck(rollout: Rollout, now: datetime, why: str | None = None) -> Finish:
    """Nothing moves any more: for scopes that are gone, for an internal error, or until a person settles something."""
    gone = [scope.name for scope in rollout.run.scopes.values() if scope.given_up]
    if gone:
        words = f"what is left waits for scopes that cannot be used: {', '.join(gone)}"
        return Finish(Ending.SCOPE, words, gone_wait(rollout, now))
    if rollout.broken:
        broken = counted(len(rollout.broken), "target")
        words = f"left for the next session after an internal error: {broken}"
        return Finish(Ending.LATER, words, Wait(Cause.BROKEN, (broken,)))
    slots = f" ({why})" if why else ""
    words = f"nothing moves but targets that stay in doubt or timed out{slots}"
    return Finish(Ending.PERSON, words, Wait(Cause.PERSON, (counted(len(rollout.resting), "target"),)))


def gone_wait(rollout: Rollout, now: datetime) -> Wait | None:
    """The scope that cannot be used any more in this session; None when there is none."""
    return next((scope_wait(scope, now) for scope in rollout.run.scopes.values() if scope.given_up), None)
