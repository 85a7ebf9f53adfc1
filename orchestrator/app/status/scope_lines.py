"""The scopes of a run in words: those that cannot be used, and those of which nobody knows whether they still can."""

from collections.abc import Iterator
from datetime import datetime

from orchestrator.app.status.outlook import Outlook
from orchestrator.executor.decide.waits import shown, time_until
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.run.tally import EMPTY

#: A scope that is used is asked more often, as a rule, and its calls are written down within half a minute.
_LATELY_S = 300.0


def scope_lines(seen: Outlook) -> Iterator[str]:
    """One line for each scope that is not open, but for the one that the run waits for, or not asked now."""
    last = seen.fleet()
    yield from (wait.seen_at(seen.now) for wait in seen.scopes() if wait != last)
    for name, at in _not_asked(seen):
        yield f"scope {name}: open when it was last asked, at {shown(at)} UTC, {time_until(seen.now, at)} ago"


def _not_asked(seen: Outlook) -> Iterator[tuple[str, datetime]]:
    """Open scopes with targets left that are not asked now, each with when calls to it were last seen.

    Without a process nobody asks any: there it is looked from the end of the last one.
    """
    by = seen.now if seen.working else seen.run.last_at or seen.now
    for name, scope in seen.run.scopes.items():
        idle_s = 0.0 if scope.asked_at is None else (by - scope.asked_at).total_seconds()
        if (
            scope.asked_at is not None
            and idle_s > _LATELY_S
            and scope.standing(by).state == "open"
            and _left(seen, name)
        ):
            yield name, scope.asked_at


def _left(seen: Outlook, scope: str) -> bool:
    standing = seen.run.tally.scopes.get(scope, EMPTY).standing
    return sum(standing[outcome] for outcome in Outcome) < seen.rollout.scope_targets[scope]
