"""A saved preview on the command line of `run`: the plan that it names, and what the session is bound to."""

from orchestrator.app.approve.take_saved import Taken, take_saved
from orchestrator.app.run.approved import Approved
from orchestrator.cli.options import Options
from orchestrator.cli.verbs.verb_plan import preview_request
from orchestrator.errors import UsageError
from orchestrator.host import path_of

#: Options that the saved preview decides.
_DECIDED = ("new", "only_outcome", "offline", "forecast", "format", "out")


def take(options: Options) -> tuple[Taken, Options]:
    """The saved preview, and the options as if its plan had been named with those that it was saved with.

    Raises:
        PlanError: it is none that can be used.
        UsageError: an option goes not with it.
    """
    taken = take_saved(options.plan)
    saved = taken.saved
    for name in _DECIDED:
        if name in vars(options):
            raise _decided(f"--{name.replace('_', '-')}")
    if options.overrides:
        raise _decided("--set")
    if options.simulate != saved.simulated:
        made, give = ("with", "give it too") if saved.simulated else ("without", "leave it out")
        raise UsageError(f"--simulate: the preview was made {made} it", hint=give)
    only = None if saved.only_outcome is None else frozenset(each.value for each in saved.only_outcome)
    known = {"plan": path_of(saved.plan.path), "new": saved.new, "only_outcome": only, "overrides": saved.set}
    return taken, Options(**{**vars(options), **known})


def approved(taken: Taken, options: Options) -> Approved:
    """What binds the session; the options are those that `take` has given."""
    return taken.approved(preview_request(taken.plan, options))


def _decided(option: str) -> UsageError:
    return UsageError(f"{option}: a saved preview has decided that", hint="make another one: `plan --out` takes it too")
