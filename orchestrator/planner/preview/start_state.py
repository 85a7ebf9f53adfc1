"""In which state a start finds the fleet, as the first lines of a preview: who works on it, what goes on, what bars."""

import shlex
from collections.abc import Iterator

from orchestrator.errors import ExitCode
from orchestrator.model.learned.elsewhere import elsewhere_words
from orchestrator.model.plan.plan import Plan
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import HoldSet
from orchestrator.planner.next_run import NextRun
from orchestrator.planner.set_aside import OPEN


def state_lines(plan: Plan, coming: NextRun) -> Iterator[str]:
    """What a person should know before the numbers; nothing for a fleet that begins in peace.

    Args:
        plan: what a person asked for.
        coming: the run that a start takes up.
    """
    if coming.at_work is not None:
        yield f"at work: {coming.at_work}; a start beside it starts nothing, and ends with {ExitCode.LOCKED}"
    if coming.continues is not None:
        still = sum(aside.reason == OPEN for aside in coming.aside.values())
        when = "a start" if coming.at_work is None else "a start after that"
        yield f"run {coming.continues} has not ended: {when} goes on with it" + (f", {still:,} open" if still else "")
    if coming.hold is not None:
        yield f"held: {coming.hold.reason}; nothing starts before: {_release(_named(plan, coming), coming.hold)}"
    if coming.changes:
        yield (
            f"the plan was changed since that run began: {'; '.join(coming.changes)}; "
            "a start only follows what is open, and needs --new to begin with the new plan"
        )
    if coming.elsewhere:
        yield f"nothing starts: {elsewhere_words(coming.elsewhere)}"
    if coming.still is not None:
        yield coming.still.words


def _release(named: str, hold: HoldSet) -> str:
    """The command that lets go what this hold stops: an approval is of its wave alone."""
    if hold.cause == "approval" and hold.wave is not None:
        return _approve(named, hold.wave)
    return f'orchestrator release {named} --note "why"'


def _approve(named: str, wave: str) -> str:
    return f'orchestrator release {named} {shlex.quote(wave)} --note "why"'


def approve_command(plan: Plan, coming: NextRun, wave: str) -> str:
    """The command that approves a wave, also before its turn."""
    return _approve(_named(plan, coming), wave)


def limits_words(plan: Plan, coming: NextRun) -> str | None:
    """What holds in place of the plan's limits, and the command that ends that; None when nothing does."""
    words = None if coming.limits is None else coming.limits.words
    if words is None:
        return None
    return f'{words}; the plan\'s hold again after: orchestrator limit {_named(plan, coming)} --reset --note "why"'


def redo_command(plan: Plan, coming: NextRun) -> str | None:
    """The command that begins with what failed before; None when nothing did."""
    if not coming.failed_before:
        return None
    found = set(coming.failed_before.values())
    outcomes = ",".join(outcome.value for outcome in Outcome if outcome in found)
    new = " --new" if coming.supersedes else ""
    return f"orchestrator run {_named(plan, coming)}{new} --only-outcome {outcomes}"


def _named(plan: Plan, coming: NextRun) -> str:
    return coming.named or shlex.quote(plan.path)
