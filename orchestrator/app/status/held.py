"""A held fleet in words: since when, why, through which proxies, what the cloud said of them, and what is under way."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from orchestrator.app.status.outlook import Outlook
from orchestrator.executor.decide.waits import time_until
from orchestrator.model.record.outcome import FAILED_BEFORE
from orchestrator.model.run.run import Run
from orchestrator.model.run.state import TargetState
from orchestrator.tracker.report.beside_causes import beside_causes
from orchestrator.tracker.report.moving import moving_words
from orchestrator.tracker.report.schema import HoldReport

#: Of each cause so many proxies are named; the report has them all.
_NAMED = 10


def held_lines(seen: Outlook, hold: HoldReport, plan: str) -> Iterator[str]:
    """What the one on call has to know of a hold.

    Args:
        seen: the run.
        hold: of its report.
        plan: path of the plan file.
    """
    by = f" by {hold.who}" if hold.who else ""
    note = f" ({hold.note})" if hold.note and hold.note not in hold.reason else ""
    ago = time_until(seen.now, hold.at)
    yield f"HELD since {hold.at:%Y-%m-%d %H:%M:%SZ} ({ago} ago){by}: {hold.reason}{note}"
    for group in hold.causes:
        yield f"  {len(group.proxy_ids)} x {group.reason or 'no reason is known'}"
        yield from _proxies(seen.run, group.proxy_ids)
    yield from (f"  {words}" for words in beside_causes(hold, seen.run.tally.fleet))
    what = "; ".join(moving_words(seen.moving, working=seen.working)) or "nothing is under way"
    yield f"  {what}; nothing starts, so it may stay held"
    if hold.proxy_ids:
        yield f"  look: orchestrator status {plan} {hold.proxy_ids[0]}"


def _proxies(run: Run, proxy_ids: Sequence[str]) -> Iterator[str]:
    yield from (_proxy(run, proxy_id) for proxy_id in proxy_ids[:_NAMED])
    if len(proxy_ids) > _NAMED:
        yield f"    and {len(proxy_ids) - _NAMED} more, in the report"


def _proxy(run: Run, proxy_id: str) -> str:
    """A proxy by its name, where that is known, and by its ids."""
    target, state = run.targets.get(proxy_id), _own(run, proxy_id)
    if target is None:
        return f"    {proxy_id}, of an earlier run"
    name = f" ({target.called})" if target.called else ""
    earlier = run.earlier.get(proxy_id)
    if state is None and earlier is not None:
        jobs = f", workflow {', '.join(earlier.workflow_ids)}" if earlier.workflow_ids else ""
        return f"    {proxy_id}{name} on instance {target.instance_id}{jobs}, in run {earlier.run_id}"
    jobs = f", workflow {', '.join(state.jobs)}" if state is not None and state.jobs else ""
    when = f", {_at(state.settled_at)}" if state is not None and state.settled_at else ""
    return f"    {proxy_id}{name} on instance {target.instance_id}{jobs}{when}"


def _own(run: Run, proxy_id: str) -> TargetState | None:
    """What this run knows of it; None where it only leaves it out for what happened in an earlier one."""
    state = run.states.get(proxy_id)
    return None if state is None or state.reason == FAILED_BEFORE else state


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%SZ}"
