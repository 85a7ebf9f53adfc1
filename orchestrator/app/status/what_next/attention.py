"""What of a run a person should look at: why it is held, what does not run the target version, what only he settles."""

from collections.abc import Iterator

from orchestrator.app.status.held import held_lines
from orchestrator.app.status.outlook import Outlook
from orchestrator.app.status.what_next.left_behind import left_behind
from orchestrator.model.state import TargetState
from orchestrator.tracker.report.behind import Behind, behind_lines, count_bad, named_lines
from orchestrator.tracker.report.schema import Head

#: Targets that need a person are named up to this many.
_NAMED = 10


def attention_lines(seen: Outlook, head: Head, plan: str) -> Iterator[str]:
    """The lines about it; none when nothing needs a look.

    Args:
        seen: the run.
        head: of its report.
        plan: as commands name it.
    """
    if head.run.hold is not None:
        yield from held_lines(seen, head.run.hold, plan)
    if left := left_behind(seen.run, seen.rollout.plan):
        yield from behind_lines(head, left) if seen.run.ended is not None else _ended_badly(left, head)
    yield from _needs_person(seen.stuck)


def _ended_badly(left: Behind, head: Head) -> Iterator[str]:
    """What has not ended well so far, but for what a hold names already: who releases or approves must see it."""
    named = set(head.run.hold.proxy_ids) if head.run.hold else set()
    lines = list(named_lines(left, without=named))
    if lines:
        yield "not ended well so far:"
    yield from lines
    others = count_bad(head.totals) - sum(left.not_offered.values()) - len(left.first)
    if others > 0:
        yield f"  and {others:,} more, in the report"


def _needs_person(stuck: list[TargetState]) -> Iterator[str]:
    if stuck:
        yield "these need a person:"
    yield from (_stuck(state) for state in stuck[:_NAMED])
    if len(stuck) > _NAMED:
        yield f"  and {len(stuck) - _NAMED} more, in the report"


def _stuck(state: TargetState) -> str:
    ids = ", ".join(state.jobs) or "no workflow_id"
    name = f"{state.target.name} " if state.target.name else ""
    return f"  {name}{state.key} {state.standing} ({ids}): {state.reason}"
