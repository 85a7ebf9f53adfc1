"""What one proxy waits for, as the last line of its story."""

from collections.abc import Iterator
from datetime import datetime

from orchestrator.app.status.fleet_status import outlook
from orchestrator.app.status.outlook import Outlook, look
from orchestrator.app.status.steps import step_words
from orchestrator.executor.decide.waits import Wait
from orchestrator.model.plan import Plan
from orchestrator.tracker.runs.recovery import Glimpse, recover


def target_lines(seen: Outlook, proxy_id: str, plan: str) -> Iterator[str]:
    """What a target waits for and what to do, in one line; none when it waits for nothing."""
    wait = waits_for(seen, proxy_id)
    if wait is not None:
        words = step_words(wait, plan, working=seen.working, proxy=_to_settle(seen, proxy_id))
        yield f"waits for: {wait.seen_at(seen.now)}; do: {words}"


def _to_settle(seen: Outlook, proxy_id: str) -> str:
    """The proxy itself when it is open; else the first of those whose slots it waits for."""
    resting = seen.rollout.resting
    return proxy_id if proxy_id in resting else min(resting, default=proxy_id)


def target_outlook(seen: Glimpse, plan: Plan, proxy_id: str, now: datetime) -> Outlook:
    """The run as it bears on one target: of the whole run only what says how long that one waits.

    Args:
        seen: the latest run.
        plan: as the file has it now.
        proxy_id: of the target.
        now: by this host's clock.
    """
    if not _stands_alone(seen, proxy_id):
        return outlook(recover(seen.stored), plan, now)
    return look(seen.in_force, seen.run, (), now, working=seen.stored.fleet.holder() is not None)


def _stands_alone(seen: Glimpse, proxy_id: str) -> bool:
    """Whether it waits for nothing, or for its own upgrade to end: nothing of other targets says for how long.

    Any other waits for its turn, which depends on all targets. So may an open one, when a person has asked something.
    """
    run, state = seen.run, seen.run.states.get(proxy_id)
    if run.ended is not None or proxy_id not in run.targets:
        return True
    if state is None or state.outcome is not None:
        return state is not None
    return state.is_open and not seen.stored.fleet.inbox().new(run.commands_seen)


def waits_for(seen: Outlook, proxy_id: str) -> Wait | None:
    """What a target waits for; None when it has its outcome, or the run is over."""
    run = seen.run
    target, state = run.targets.get(proxy_id), run.states.get(proxy_id)
    if target is None or run.ended is not None or (state is not None and state.outcome is not None):
        return None
    return seen.target(target)
