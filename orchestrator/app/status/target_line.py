"""What one proxy waits for, as the last line of its story."""

from collections.abc import Iterator

from orchestrator.app.status.outlook import Outlook
from orchestrator.app.status.steps import step_words


def target_lines(seen: Outlook, proxy_id: str, plan: str) -> Iterator[str]:
    """What a target waits for and what to do, in one line; none when it has its outcome, or the run is over."""
    run = seen.run
    target, state = run.targets.get(proxy_id), run.states.get(proxy_id)
    if target is not None and run.ended is None and (state is None or state.outcome is None):
        wait = seen.target(target)
        yield f"waits for: {wait.seen_at(seen.now)}; do: {step_words(wait, plan, working=seen.working, proxy=proxy_id)}"
