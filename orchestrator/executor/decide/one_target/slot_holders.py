"""Who holds the slot of an instance or of a label that a target waits for. Pure; scans what a run has touched."""

from collections.abc import Iterator

from orchestrator.executor.decide.bench import INSTANCE, LABEL, Block
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.model.plan.target import Target
from orchestrator.model.run.state import TargetState


def holders(rollout: Rollout, block: Block) -> list[TargetState]:
    """The open targets that hold such slots; those that are about to start have none of their own yet."""
    return [state for state in rollout.run.open_states() if _shares(state.target, block)]


def holder_words(rollout: Rollout, block: Block) -> str:
    """The first of those that hold such slots, how it stands, and how many there are beside it; empty for none."""
    named = list(_named(rollout, block))
    if not named:
        return ""
    others = f" and {len(named) - 1:,} more" if len(named) > 1 else ""
    return f" (held by {named[0]}{others})"


def _named(rollout: Rollout, block: Block) -> Iterator[str]:
    yield from (f"{state.key}: {state.standing}" for state in holders(rollout, block))
    targets = rollout.run.targets
    yield from (f"{key}: about to start" for key in rollout.queue.starting if _shares(targets[key], block))


def _shares(target: Target, block: Block) -> bool:
    kind, value = block
    if kind == INSTANCE:
        return target.instance_id == value
    return target.labels.get(kind.removeprefix(LABEL)) == value
