"""What one proxy waits for, as the last line of its story."""

from collections.abc import Iterator

from orchestrator.app.status.outlook import Outlook
from orchestrator.app.status.steps import step_words
from orchestrator.executor.decide.waits import Wait


def target_lines(seen: Outlook, proxy_id: str, plan: str) -> Iterator[str]:
    """What a target waits for and what to do, in one line; none when it waits for nothing."""
    wait = waits_for(seen, proxy_id)
    if wait is not None:
        yield f"waits for: {wait.seen_at(seen.now)}; do: {step_words(wait, plan, working=seen.working, proxy=proxy_id)}"


def waits_for(seen: Outlook, proxy_id: str) -> Wait | None:
    """What a target waits for; None when it has its outcome, or the run is over."""
    run = seen.run
    target, state = run.targets.get(proxy_id), run.states.get(proxy_id)
    if target is None or run.ended is not None or (state is not None and state.outcome is not None):
        return None
    return seen.target(target)
