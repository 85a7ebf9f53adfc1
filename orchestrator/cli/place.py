"""The plan and the state that a verb's options name. Here, and in the API, the kind of store is chosen."""

import os
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from orchestrator.cli.options import Options
from orchestrator.cli.terminal import tell
from orchestrator.errors import PlanError, UsageError
from orchestrator.model.plan.plan import Plan
from orchestrator.planner.plan_file.load import load_plan
from orchestrator.planner.targets.regions import check_regions
from orchestrator.tracker.named_plan import named_plan, world_of
from orchestrator.tracker.open_state import open_state
from orchestrator.tracker.state_store import State

if TYPE_CHECKING:
    from orchestrator.app.run.run_plan import Redirect
    from orchestrator.model.run.run import Run

_NOT_STARTED = "no fleet has run from this file in this state folder; name the folder with --state"
#: How a process is kept from starting more when neither its plan file nor its state can be found.
_STOP_IT = "; to stop a process that is at work all the same: kill -TERM PID, and it starts nothing more"


def plan_and_state(options: Options) -> tuple[Plan, State]:
    """The plan, checked, and the state."""
    return load_plan(options.plan, options.overrides), state_of(options)


def fleet_and_state(options: Options) -> tuple[Plan, State]:
    """The same for a verb that needs no more of the plan than its fleet: an incident may fall into an edit of the file.

    When the file cannot be used, the plan is the one that the latest run from it was begun with, and stderr says so.

    Raises:
        PlanError: the file cannot be used, and no fleet has run from it.
    """
    try:
        return plan_and_state(options)
    except PlanError as error:
        from orchestrator.app.status.kept_plan import kept_plan  # noqa: PLC0415  # hardly ever needed

        state = state_of(options)
        kept = kept_plan(state, options.plan)
        if kept is None:
            stop = _STOP_IT if options.verb == "hold" else ""
            raise PlanError(str(error), hint=error.hint or f"{_NOT_STARTED}{stop}") from error
        tell(f"orchestrator: {error}")
        tell(f"orchestrator: it cannot be used; this goes by the plan that the latest run of {kept.name} keeps")
        return kept, state


def plan_to_call(options: Options) -> Plan:
    """The plan, checked, also for where its scopes answer, unless a simulated cloud answers for them."""
    plan = load_plan(options.plan, options.overrides)
    if not options.simulate:
        check_regions(plan, os.environ)
    return plan


def state_of(options: Options) -> State:
    """The state, that of simulated runs with `--simulate`; without a plan, that of plans in the present folder."""
    named = None if options.state is None else str(options.state)
    beside = options.plan if options.has_plan else Path("plan.yaml")
    return open_state(named, os.environ, beside, simulated=options.simulate)


def redirect_of(options: Options) -> "Redirect | None":
    """With `--simulate`, what points a plan at an embedded simulated cloud."""
    if not options.simulate:
        return None
    from orchestrator.app.simulate.redirect import simulated  # noqa: PLC0415  # only when it is asked for

    warn = None if options.quiet else _warn
    return partial(simulated, seed=options.seed, speed=options.speed, faults=options.faults, warn=warn)


def _warn(warning: str) -> None:
    tell(f"orchestrator: {warning}")


def plan_words(plan: Plan, options: Options, run: "Run | None" = None) -> str:
    """The plan as a command has to name it to mean the same fleet.

    Args:
        plan: as its file has it.
        options: of the command line.
        run: what the command is for; None for what the options name.
    """
    return named_plan(plan, state_of(options), given_world(options) if run is None else world_of(run))


def place_words(options: Options) -> list[str]:
    """The options that decide over the state and over the world that answers, as a command has to give them."""
    return [quote(word) for word in (*state_of(options).options(options.plan), *given_world(options))]


def given_world(options: Options) -> tuple[str, ...]:
    """What was given of the simulated cloud, as a command has to give it."""
    said = vars(options)
    if not options.simulate or not said.keys() & {"seed", "speed", "faults"}:
        return ()
    from orchestrator.app.simulate.world_words import world_words  # noqa: PLC0415  # only when there are any

    return tuple(world_words(said.get("seed"), said.get("speed"), said.get("faults")))


def expect_folder(option: str, path: Path | None) -> None:
    """See that a file which an option names can be made, before hours of work go by.

    Raises:
        UsageError: its folder is not there, or it is a folder itself.
    """
    if path is None:
        return
    try:
        if not path.absolute().parent.is_dir():
            raise UsageError(f"{option}: there is no folder {path.absolute().parent}")
        if path.is_dir():
            raise UsageError(f"{option}: {path} is a folder")
    except OSError as error:
        raise UsageError(f"{option}: {path}: {error.strerror or error}") from error
