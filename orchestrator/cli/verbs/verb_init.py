"""`orchestrator init`: a commented plan for what the cloud shows."""

import os
from collections.abc import Mapping
from shlex import join

from msgspec import structs

from orchestrator.app.discover.discover import DiscoveryIncomplete
from orchestrator.app.init.first_plan import first_plan
from orchestrator.app.init.found_fleet import find_fleet, plan_to_ask
from orchestrator.app.scopes.tell_pauses import telling_pauses
from orchestrator.cli.options import Options
from orchestrator.cli.place import given_world
from orchestrator.cli.terminal import Search, forget, live, tell, write
from orchestrator.clock import SystemClock
from orchestrator.errors import ExitCode, ScopeUnusable, UsageError
from orchestrator.host import path_text
from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.region import SERVICES, service_host
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
        _expect_address(options)
        text = _asked_text(asked, options)
    write_new(options.plan, [text.encode()])
    if not options.quiet:
        write([f"{options.plan} is written; nothing was sent", f"next: orchestrator plan {_named(options)}"])
    return ExitCode.DONE


def _expect_address(options: Options) -> None:
    if options.endpoint is None and service_host(options.region, os.environ) is None:
        said = "is missing" if options.region is None else f"unknown region {options.region!r}"
        regions = f"known regions: {', '.join(SERVICES)}"
        raise UsageError(f"init: --region: {said}; {regions}", hint="for any other region give --endpoint https://…")


def _asked_text(asked: Plan, options: Options) -> str:
    try:
        return _text(asked, asked, os.environ, options)
    except DiscoveryIncomplete as error:
        why = [line for line in str(error).splitlines() if line.startswith("scope ")]
        hint = "; where the region's IAM cannot be reached, give --project-id" if options.project_id is None else ""
        words = "\n".join(["the cloud does not show all of its proxies, so no plan is written", *why])
        raise ScopeUnusable(words, hint=f"try again when the cloud answers{hint}") from error


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
    found = find_fleet(pointed, environ, Search(shown=shown), telling_pauses(forget if options.quiet else tell))
    return first_plan(asked, found, _named(options), SystemClock().now())


def _named(options: Options) -> str:
    """The plan as commands have to name it that ask the same cloud: the one that showed these proxies."""
    simulated = ["--simulate", *given_world(options)] if options.simulate else []
    return join([str(options.plan), *simulated])
