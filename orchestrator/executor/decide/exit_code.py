"""What a session says to cron when it ends. Pure."""

from orchestrator.errors import PRECEDENCE, ExitCode
from orchestrator.executor.decide.actions import Ending, Finish
from orchestrator.model.outcome import GOOD, Outcome
from orchestrator.model.run import Run

#: Why a target may be `skipped` in a run that had nothing to do.
FAILED_BEFORE = "failed_before"


def exit_code(run: Run, finish: Finish, *, barred: bool = False) -> ExitCode:
    """Of all codes that apply, the first by precedence; 2 when the run was `barred`, so that nothing could start."""
    if run.troubles or run.set_aside():
        return ExitCode.INTERNAL
    if barred:
        return ExitCode.USAGE
    applying = {ExitCode.DONE, *_unfinished(run, finish)}
    if _bad_outcomes(run) and not _nothing_to_do(run):
        applying.add(ExitCode.OTHER_OUTCOMES)
    return next(code for code in PRECEDENCE if code in applying)


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


def _bad_outcomes(run: Run) -> bool:
    standing = run.tally.fleet.standing
    kept = any(each.outcome not in GOOD for each in run.kept)
    return kept or any(standing[outcome.value] for outcome in Outcome if outcome not in GOOD)


def _nothing_to_do(run: Run) -> bool:
    """Whether the run holds nothing but `already` and `failed_before`."""
    standing = run.tally.fleet.standing
    skipped = standing[Outcome.SKIPPED.value]
    if standing[Outcome.ALREADY.value] + skipped < run.total:
        return False
    states = (state for state in run.states.values() if state.outcome is Outcome.SKIPPED)
    return all(state.reason == FAILED_BEFORE for state in states)
