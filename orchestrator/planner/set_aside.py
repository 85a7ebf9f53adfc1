"""Why proxies of a run are not sent, and whether evidence may change that. Pure."""

from collections.abc import Iterator

from msgspec import Struct

from orchestrator.model.record.outcome import REPLACED
from orchestrator.model.run.run import Run
from orchestrator.model.run.state import TargetState

#: Why what is under way is not sent.
OPEN = "open"


class Aside(Struct, frozen=True):
    """Why a proxy is not sent: its outcome or phase, the rule as one word, and the same for people.

    Attributes:
        replaced: whether a wave draws another in its place, and budgets do not count it.
        may_be_sent: whether the run may send it all the same, when evidence shows that its upgrade never began.
    """

    outcome: str
    reason: str
    why: str
    replaced: bool = False
    may_be_sent: bool = False


def settled_or_open(run_id: str, run: Run, attempts: int) -> Iterator[tuple[str, Aside]]:
    """What a start goes on with, and does not send as things stand.

    Args:
        run_id: of the run that goes on.
        run: as it stands.
        attempts: most attempts that a target may have in it; 0: a start sends nothing in it at all.
    """
    for key, state in run.states.known():
        if state.outcome is not None:
            replaced, why = state.outcome in REPLACED, f"settled in run {run_id}"
            full = run.states.glance(key) if replaced else None
            reason = (full and full.reason) or state.outcome.value
            yield key, Aside(state.outcome.value, reason, why, replaced=replaced)
        elif isinstance(state, TargetState) and state.is_open:
            may_be_sent = may_be_sent_again(state, attempts)
            then = "may be sent again if the cloud shows that it never began" if may_be_sent else "not sent again"
            yield key, Aside(state.standing, OPEN, f"followed in run {run_id}, {then}", may_be_sent=may_be_sent)


def may_be_sent_again(state: TargetState, attempts: int) -> bool:
    """Whether its doubt may end in that nothing began, with an attempt left: nothing of it is known to have begun."""
    known = state.began or any(entry.accepted for entry in state.doubtful_entries)
    return state.is_open and not known and len(state.attempts) < attempts
