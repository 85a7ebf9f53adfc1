"""The last line of `status`: what a run waits for, how many wait with it, and what to do. `run` ends with the same."""

from collections.abc import Iterator

from orchestrator.app.status.outlook import Outlook
from orchestrator.app.status.what_next.steps import step_words
from orchestrator.executor.decide.waits import Cause
from orchestrator.spoken import counted
from orchestrator.tracker.report.moving import moving_words

#: What says of itself what is in doubt, or that nothing moves.
_OF_MOVING = frozenset({Cause.DOUBT, Cause.NOTHING})


def fleet_line(seen: Outlook, plan: str) -> str:
    """The line that says all; `plan`: as commands name it."""
    return "; ".join([f"waits for: {seen.fleet().seen_at(seen.now)}", *_beside(seen), f"do: {next_step(seen, plan)}"])


def next_step(seen: Outlook, plan: str) -> str:
    """What to do about what the run waits for."""
    stuck = next(iter(seen.stuck), None)
    return step_words(seen.fleet(), plan, working=seen.working, stuck=stuck, outcomes=seen.to_redo)


def _beside(seen: Outlook) -> Iterator[str]:
    """What waits with it, what moves, and what a hold keeps in the dark: that the run is over, and what is left."""
    run, cause = seen.run, seen.fleet().cause
    if run.ended is not None:
        if run.hold is not None:
            yield seen.after_the_end().reason
        return
    if run.waiting:
        yield counted(run.waiting, "target waits", "targets wait")
    if cause is Cause.JOB:
        yield from moving_words(seen.moving._replace(upgrades=0), working=seen.working)
    elif cause not in _OF_MOVING:
        yield from moving_words(seen.moving, working=seen.working)
