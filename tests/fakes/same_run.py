"""Everything that a run knows, to be held against another run."""

from typing import Any

from orchestrator.model.run.run import Run


def knowledge(run: Run) -> dict[str, Any]:
    """By attribute, with every state unpacked and in the order in which it was touched."""
    return {**vars(run), "states": list(run.states.items()), "targets": list(run.targets.items())}
