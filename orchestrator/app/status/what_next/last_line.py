"""The last line of `status`: what a run waits for, how many wait with it, and what to do. `run` ends with the same."""

from collections.abc import Iterator

from orchestrator.app.status.outlook import Outlook
from orchestrator.app.status.what_next.steps import step_words
from orchestrator.executor.decide.waits import Cause
from orchestrator.spoken import counted
from orchestrator.tracker.report.behind import taken_words
from orchestrator.tracker.report.moving import Moving, moving_words


def fleet_line(seen: Outlook, plan: str) -> str:
    """The line that says all; `plan`: as commands name it."""
    return "; ".join([f"waits for: {seen.fleet().seen_at(seen.now)}", *_beside(seen), f"do: {next_step(seen, plan)}"])


def next_step(seen: Outlook, plan: str) -> str:
    """What to do about what the run waits for."""
    stuck = next(iter(seen.stuck), None)
    words = step_words(seen.fleet(), plan, working=seen.working, stuck=stuck, outcomes=seen.to_redo)
    others = taken_words(seen.missing) if seen.fleet().cause is Cause.BEHIND else ""
    return f"{words}; {others}: orchestrator run {plan}" if others else words


def _beside(seen: Outlook) -> Iterator[str]:
    """What waits with it, what moves, and what a hold keeps in the dark: that the run is over, and what is left."""
    run, cause = seen.run, seen.fleet().cause
    if run.ended is not None:
        if run.hold is not None:
            yield seen.after_the_end().reason
        return
    if run.waiting:
        yield counted(run.waiting, "target waits", "targets wait")
    yield from moving_words(_unsaid(seen.moving, cause), working=seen.working)


def _unsaid(moving: Moving, cause: Cause) -> Moving:
    """What the cause does not say itself of what is under way or may be."""
    match cause:
        case Cause.JOB:
            return moving._replace(upgrades=0)
        case Cause.DOUBT | Cause.LOOK:
            return moving._replace(doubts=0)
        case Cause.PERSON:
            return moving.by_themselves
        case _:
            return moving
