"""What a run has left to do for a person when every target has its outcome. Pure."""

from collections import Counter

from orchestrator.executor.decide.waits import Cause, Wait
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.run.run import Run
from orchestrator.tracker.report.behind import ASKED_FOR, not_read_words
from orchestrator.tracker.report.how_ended import count_behind, count_not_read


def after_the_end(run: Run, version: str) -> Wait:
    """What is left to do, as something to wait for; `version`: the plan's."""
    behind = count_behind(run)
    if not behind:
        more = f"; {words}" if (words := not_read_words(count_not_read(run))) else ""
        return Wait(Cause.NOTHING, (f"the run has ended, no target is known to run less than {version}{more}",))
    number = len(run.targets) + len(run.kept)
    return Wait(_left_to_do(behind), (version, f"{behind.total():,}", f"{number:,}"))


def missing(run: Run) -> Counter[str]:
    """How many proxies of an ended run ended otherwise than well, by outcome; none of one that goes on."""
    return count_behind(run) if run.ended is not None else Counter[str]()


def to_redo(run: Run) -> list[str]:
    """The outcomes of an ended run with which proxies are left out until a person asks for them."""
    found = missing(run)
    return [outcome for outcome in ASKED_FOR if found[outcome]]


def _left_to_do(behind: Counter[str]) -> Cause:
    """Why proxies lag behind after the end, of several reasons the one with which a person gets furthest."""
    if any(behind[outcome] for outcome in ASKED_FOR):
        return Cause.BEHIND
    return Cause.LEFT_OUT if behind[Outcome.SKIPPED] else Cause.AGAIN
