"""The plan as commands name it that a person may paste, wherever that is."""

from collections.abc import Iterable
from pathlib import Path
from shlex import join

from orchestrator.model.plan.plan import Plan
from orchestrator.model.run.run import Run
from orchestrator.tracker.state_store import State


def named_plan(plan: Plan, state: State, world: Iterable[str] = ()) -> str:
    """The plan's path, quoted, and what decides over the state, and over the world that answers.

    Without these a pasted command would reach another fleet, which knows nothing of what was sent, or the real cloud,
    or a simulated one in which other things go wrong.

    Args:
        plan: as its file has it.
        state: where the fleet is kept.
        world: see `world_of`.
    """
    return join([plan.path, *state.options(Path(plan.path)), *world])


def world_of(run: Run) -> tuple[str, ...]:
    """The options that made the simulated cloud of a run what it was; empty for a real run, or where none was given."""
    return () if run.started is None else run.started.world
