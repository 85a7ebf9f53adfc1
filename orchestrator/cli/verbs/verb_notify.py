"""`orchestrator notify test`: a test event to every receiver of the plan."""

import os
from collections.abc import Iterator

from orchestrator.app.notify.try_receivers import Tried, try_receivers
from orchestrator.cli.options import Options
from orchestrator.cli.terminal import write
from orchestrator.clock import SystemClock
from orchestrator.errors import ExitCode, UsageError
from orchestrator.planner.plan_file.load import load_plan


def run(options: Options) -> ExitCode:
    """Tell each receiver, one after the other, and print who took it."""
    plan = load_plan(options.plan, options.overrides)
    if not plan.notify:
        raise UsageError(f"{plan.path}: the plan tells nobody", hint="orchestrator explain notify")
    clock = SystemClock()
    tried = list(try_receivers(plan, os.environ, clock.now(), clock.monotonic))
    well = all(each.why is None for each in tried)
    if not (options.quiet and well):
        write(_lines(tried))
    return ExitCode.DONE if well else ExitCode.OTHER_OUTCOMES


def _lines(tried: list[Tried]) -> Iterator[str]:
    for each in tried:
        yield f"✓ {each.name}: told in {each.seconds:.1f} s" if each.why is None else f"✗ {each.name}: {each.why}"
