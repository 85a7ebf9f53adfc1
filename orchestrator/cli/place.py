"""The plan and the state folder that a verb's options name."""

import os
from pathlib import Path

from orchestrator.cli.options import Options
from orchestrator.model.plan import Plan
from orchestrator.planner.plan_file import load_plan
from orchestrator.tracker.place import state_dir


def plan_and_state(options: Options) -> tuple[Plan, Path]:
    """The plan, checked, and the state folder."""
    return load_plan(options.plan, options.overrides), state_of(options)


def state_of(options: Options) -> Path:
    """The state folder, that of simulated runs with `--simulate`."""
    named = None if options.state is None else str(options.state)
    return state_dir(named, os.environ, options.plan, simulated=options.simulate)
