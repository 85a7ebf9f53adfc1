"""The last line of `status`: what a run waits for, how many wait with it, and what to do. `run` ends with the same."""

from collections.abc import Iterator

from orchestrator.app.status.after_the_end import after_the_end, missing, to_redo
from orchestrator.app.status.outlook import Outlook
from orchestrator.app.status.what_next.steps import step_words
from orchestrator.executor.decide.limits import wider_in_flight
from orchestrator.executor.decide.waits import Cause, Wait, on_calendar, shown
from orchestrator.spoken import counted
from orchestrator.tracker.report.behind import taken_words
from orchestrator.tracker.report.moving import Moving, moving_words

#: What a person lets go.
_RELEASED = frozenset({Cause.HOLD, Cause.APPROVAL})


def fleet_line(seen: Outlook, plan: str) -> str:
    """The line that says all; `plan`: as commands name it."""
    return "; ".join([f"waits for: {seen.fleet().seen_at(seen.now)}", *_beside(seen), f"do: {next_step(seen, plan)}"])


def last_step(seen: Outlook, plan: str) -> str:
    """What to do after a session, where no line before it says what is waited for, and until when."""
    until = seen.fleet().until
    return next_step(
        seen, plan, "" if until is None else f"from {shown(on_calendar(until, seen.rollout.ahead()))} UTC on"
    )


def next_step(seen: Outlook, plan: str, when: str = "after that") -> str:
    """What to do about what the run waits for; `when`: how its end is named."""
    stuck = next(iter(seen.stuck), None)
    barred = _barred_once_released(seen)
    alone = seen.working or (barred is not None and not seen.follows)
    words = step_words(seen.fleet(), plan, working=alone, stuck=stuck, outcomes=to_redo(seen.run), when=when)
    if barred is not None:
        words = f"{words}; then {step_words(barred, plan, working=False, stuck=stuck)}"
    others = taken_words(missing(seen.run)) if seen.fleet().cause is Cause.BEHIND else ""
    words = f"{words}; {others}: orchestrator run {plan}" if others else words
    return words + _let_others_start(seen, plan)


def _let_others_start(seen: Outlook, plan: str) -> str:
    """What a person may do beside settling what is stuck; a run that was approved with its limits has none raised."""
    may = seen.fleet().cause is Cause.PERSON and seen.run.waiting and not seen.run.approved
    wider = wider_in_flight(seen.rollout) if may and seen.rollout.barred is None else None
    if wider is None:
        return ""
    run = "" if seen.working else f" && orchestrator run {plan}"
    return f'; or let others start beside it: orchestrator limit {plan} in_flight={wider} --note "why"{run}'


def _barred_after(seen: Outlook) -> Wait | None:
    """What keeps the next start from starting anything when what is waited for now has come; None for nothing."""
    barred = None if seen.working else seen.rollout.barred
    return barred if barred is not None and seen.fleet().cause is not barred.cause else None


def _barred_once_released(seen: Outlook) -> Wait | None:
    """The same where a person has to release it: a plain run after that follows what moves, and is refused then."""
    return _barred_after(seen) if seen.fleet().cause in _RELEASED else None


def _beside(seen: Outlook) -> Iterator[str]:
    """What bars it beside that, what waits with it, what moves; and what a hold hides: that the run is over."""
    run, cause = seen.run, seen.fleet().cause
    if run.ended is not None:
        if run.hold is not None:
            yield after_the_end(seen.run, seen.rollout.plan.target_version).reason
        return
    barred = _barred_after(seen)
    if barred is not None:
        yield f"after that {barred.reason}"
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
