"""`orchestrator init`: a commented plan for what the cloud shows."""

import os
from collections.abc import Mapping
from shlex import quote

from msgspec import structs

from orchestrator.app.init.first_plan import first_plan
from orchestrator.app.init.found_fleet import find_fleet, plan_to_ask
from orchestrator.cli.options import Options
from orchestrator.cli.terminal import Search, live, write
from orchestrator.clock import SystemClock
from orchestrator.errors import ExitCode, UsageError
from orchestrator.host import path_text
from orchestrator.model.plan import Plan
from orchestrator.planner.targets.regions import check_regions
from orchestrator.tracker.disk import write_new
from orchestrator.tracker.fleet_name import expect_fleet_name

#: What the simulated cloud is to offer, as long as no plan says it.
_OFFERED = "2.24.03.000"


def run(options: Options) -> ExitCode:
    """Ask the cloud, and write the plan."""
    if options.plan.exists():
        raise UsageError(f"{options.plan}: is there already, and is left as it is", hint="name another file")
    expect_fleet_name(options.plan.stem)
    path = path_text(str(options.plan.absolute()))
    asked = plan_to_ask(options.plan.stem, path, options.region, options.project_id, options.endpoint)
    if options.simulate:
        text = _simulated(asked, options)
    else:
        check_regions(asked, os.environ)
        text = _text(asked, asked, os.environ, options)
    write_new(options.plan, [text.encode()])
    if not options.quiet:
        write([f"{options.plan} is written; nothing was sent", f"next: orchestrator plan {quote(str(options.plan))}"])
    return ExitCode.DONE


def _simulated(asked: Plan, options: Options) -> str:
    from orchestrator.app.simulate.redirect import simulated  # noqa: PLC0415  # only when it is asked for
    from orchestrator.app.simulate.simulated_fleet import REGION  # noqa: PLC0415  # as above

    (scope,) = asked.scopes
    scope = structs.replace(scope, region=scope.region or REGION)
    asked = structs.replace(asked, target_version=_OFFERED, scopes=(scope,))
    with simulated(asked, [], seed=options.seed, speed=options.speed, faults=options.faults) as (pointed, environ):
        return "# SIMULATED: no such proxy exists.\n" + _text(asked, pointed, environ, options)


def _text(asked: Plan, pointed: Plan, environ: Mapping[str, str], options: Options) -> str:
    shown = live(no_progress=options.no_progress, quiet=options.quiet)
    found = find_fleet(pointed, environ, Search(shown=shown))
    return first_plan(asked, found, quote(str(options.plan)), SystemClock().now())
