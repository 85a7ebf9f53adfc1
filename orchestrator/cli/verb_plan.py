"""`orchestrator plan`: the preview."""

import os
import sys
from collections.abc import Mapping

from orchestrator.cli.options import Options
from orchestrator.cli.terminal import Counter, live, rows, write
from orchestrator.errors import ExitCode
from orchestrator.model.plan import Plan
from orchestrator.planner.plan_file import load_plan
from orchestrator.planner.preview import Preview, make_preview
from orchestrator.planner.targets import Resolved, resolve_targets


def run(options: Options) -> ExitCode:
    """Check the plan and show what would happen."""
    plan = load_plan(options.plan, options.overrides)
    resolved = resolve_targets(plan)
    if options.offline:
        _show(make_preview(plan, resolved), options)
        return ExitCode.DONE
    if options.simulate:
        from orchestrator.app.simulated import simulated  # noqa: PLC0415  # only when it is asked for

        with simulated(plan, resolved.targets, seed=options.seed, speed=options.speed, faults=options.faults) as (
            pointed,
            environ,
        ):
            if options.format != "json" and not options.quiet:
                print("simulated cloud: nothing here is real")
            return _online(pointed, resolved, environ, options)
    return _online(plan, resolved, os.environ, options)


def _online(plan: Plan, resolved: Resolved, environ: Mapping[str, str], options: Options) -> ExitCode:
    from orchestrator.app.preview import preview_online  # noqa: PLC0415  # brings HTTP along

    shown = live(no_progress=options.no_progress, quiet=options.quiet)
    counter = Counter("read", len(resolved.targets), shown=shown)
    online = preview_online(plan, resolved, environ, counter)
    _show(online.preview, options)
    for name, why in online.unusable.items():
        print(f"orchestrator: scope {name} cannot be used: {why}", file=sys.stderr)
    return ExitCode.SCOPE_UNUSABLE if online.unusable else ExitCode.DONE


def _show(preview: Preview, options: Options) -> None:
    if options.quiet:
        return
    if options.format == "json":
        import msgspec  # noqa: PLC0415  # only for this format

        print(msgspec.json.format(msgspec.json.encode(preview)).decode())
        return
    from orchestrator.planner.table import table  # noqa: PLC0415  # only for this format

    write(table(preview, rows=rows()))
