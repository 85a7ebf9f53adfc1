"""What a session says to cron when it ends. Pure."""

from datetime import datetime

from orchestrator.errors import PRECEDENCE, ExitCode
from orchestrator.executor.decide.actions import Ending, Finish
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.model.record.outcome import BAD
from orchestrator.model.record.record import SessionEnded
from orchestrator.model.run.run import Run


def exit_code(run: Run, finish: Finish, *, barred: bool = False) -> ExitCode:
    """Of all codes that apply, the first by precedence; 2 when the run was `barred`, so that nothing could start."""
    if run.troubles or run.set_aside():
        return ExitCode.INTERNAL
    if run.host_errors:
        return ExitCode.STATE_UNUSABLE
    if barred:
        return ExitCode.USAGE
    applying = {ExitCode.DONE, *_unfinished(run, finish)}
    if _bad_news(run):
        applying.add(ExitCode.OTHER_OUTCOMES)
    return next(code for code in PRECEDENCE if code in applying)


def session_ended(rollout: Rollout, finish: Finish, code: ExitCode, now: datetime) -> SessionEnded:
    """The record with which a session ends."""
    ends_so = finish.ending is Ending.SCOPE and code is ExitCode.SCOPE_UNUSABLE
    left_to = left_to_others(rollout) if ends_so else ()
    return SessionEnded(
        at=now,
        step="session",
        exit_code=int(code),
        why=_why(rollout, finish, code),
        waits=() if finish.wait is None else finish.wait.noted,
        stopped=finish.ending is Ending.STOPPED,
        left_to=left_to,
        left_by=rollout.run.hosts.leaving() if left_to else (),
    )


def _why(rollout: Rollout, finish: Finish, code: ExitCode) -> str:
    """Why it ended, and why so: of a run in which nothing may start that comes first, whatever else would stop it."""
    barred = rollout.barred.reason if rollout.barred is not None and code is ExitCode.USAGE else ""
    return finish.why if barred in finish.why else f"{barred}; {finish.why}"


def left_to_others(rollout: Rollout) -> tuple[str, ...]:
    """The hosts that alone may serve scopes in which something is left."""
    theirs = [scope for scope in rollout.run.scopes.values() if scope.given_up and scope.hosts]
    return tuple(dict.fromkeys(host for scope in theirs if rollout.unsettled_in(scope.name) for host in scope.hosts))


def _unfinished(run: Run, finish: Finish) -> set[ExitCode]:
    codes = set()
    if run.hold is not None:
        codes.add(ExitCode.HELD)
    if run.settled == run.total:
        return codes
    if finish.ending is Ending.SCOPE or _given_up(run):
        codes.add(ExitCode.SCOPE_UNUSABLE)
    if finish.ending is Ending.PERSON:
        codes.add(ExitCode.PERSON_NEEDED)
    if finish.ending in (Ending.LATER, Ending.STOPPED, Ending.COMPLETED):
        codes.add(ExitCode.MORE_TO_DO)
    return codes


def _given_up(run: Run) -> bool:
    return any(scope.given_up for scope in run.scopes.values())


def _bad_news(run: Run) -> bool:
    """Whether a target has another outcome than a good one, and no run before said so. Scans only when there is one.

    What an earlier run said of the targets that this one leaves alone is no news, unless no session has told it.
    """
    if any(kept.news for kept in run.kept):
        return True
    standing = run.tally.fleet.standing
    if not any(standing[outcome.value] for outcome in BAD):
        return False
    return any(not state.no_news for state in run.states.ended_in(BAD))
