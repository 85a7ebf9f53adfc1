"""What of a run a person should look at: why it is held, what does not run the target version, what only he settles."""

from collections.abc import Iterator

from orchestrator.app.scopes.unusable_words import project_advice
from orchestrator.app.status.held import held_lines
from orchestrator.app.status.outlook import Outlook
from orchestrator.app.status.what_next.left_behind import left_behind
from orchestrator.tracker.report.behind import Behind, behind_lines, count_bad, named_lines
from orchestrator.tracker.report.schema import Head, TargetReport
from orchestrator.tracker.report.target import target_in
from orchestrator.tracker.report.why import why_words

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
    yield from _wrong_projects(seen)
    yield from _kept_from_others(seen)
    yield from _in_doubt(seen)
    yield from _needs_person(seen)


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


def _wrong_projects(seen: Outlook) -> Iterator[str]:
    """Where the plan may be wrong about the project of a scope that was given up."""
    for scope in seen.run.scopes.values():
        advice = project_advice(seen.rollout.plan, scope.name, scope.given_up) if scope.given_up else None
        if advice is not None:
            yield f"scope {scope.name}, which cannot be used: {advice}"


def _kept_from_others(seen: Outlook) -> Iterator[str]:
    """The wave that scopes which were given up keep open, while targets of other scopes wait for a later one."""
    rollout, wave = seen.rollout, seen.rollout.wave
    gone = [name for name, scope in seen.run.scopes.items() if scope.given_up]
    if wave is None or wave.name == rollout.plan.waves[-1].name or seen.run.waves[wave.name].opened_at is None:
        return
    if not any(map(rollout.queue.waits_in, gone)):
        return
    others = [name for name in seen.run.scopes if name not in gone and rollout.queue.waits_in(name)]
    if others:
        yield (
            f"wave {wave.name} waits for scope {', '.join(gone)}, and no later wave opens before it is over: "
            f"what is in scope {', '.join(others)} and in a later wave does not start either"
        )


def _in_doubt(seen: Outlook) -> Iterator[str]:
    """Attempts of which nobody knows yet whether they began anything, and nobody has to do anything about them yet."""
    if seen.doubtful:
        yield f"in doubt, and {'evidence is looked for' if seen.working else 'the next start looks for evidence'}:"
    plan = seen.rollout.plan
    for state in seen.doubtful[:_NAMED]:
        target = target_in(seen.run, plan, {}, state.target)
        yield f"  {_named(target)}: {why_words(target)}"
    if len(seen.doubtful) > _NAMED:
        yield f"  and {len(seen.doubtful) - _NAMED} more, in the report"


def _needs_person(seen: Outlook) -> Iterator[str]:
    if seen.stuck:
        yield "these need a person:"
    plan = seen.rollout.plan
    yield from (_stuck(target_in(seen.run, plan, {}, state.target)) for state in seen.stuck[:_NAMED])
    if len(seen.stuck) > _NAMED:
        yield f"  and {len(seen.stuck) - _NAMED} more, in the report"


def _stuck(target: TargetReport) -> str:
    ids = ", ".join(target.workflow_ids) or "no workflow_id"
    return f"  {_named(target)} {target.outcome} ({ids}): {why_words(target)}"


def _named(target: TargetReport) -> str:
    return f"{target.called} {target.proxy_id}".lstrip()
