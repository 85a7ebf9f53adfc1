"""`orchestrator run`: the job. What is wrong with the command line or the plan is found before the rest is imported."""

import os
from datetime import datetime
from typing import TYPE_CHECKING

from orchestrator.cli.options import Options
from orchestrator.cli.place import expect_folder, plan_to_call
from orchestrator.cli.terminal import write
from orchestrator.clock import SystemClock
from orchestrator.errors import ExitCode
from orchestrator.planner.plan_file.load import is_saved_preview
from orchestrator.planner.targets.regions import check_regions

if TYPE_CHECKING:
    from orchestrator.app.approve.take_saved import Taken
    from orchestrator.app.process.start_bound import Bounds
    from orchestrator.app.run.approved import Approved


def run(options: Options) -> ExitCode:
    """Run one session, and print what came of it."""
    taken = None
    if is_saved_preview(options.plan):
        from orchestrator.cli.verbs.saved_run import take  # noqa: PLC0415  # only then

        taken, options = take(options)
    if options.dry_run and taken is None:
        from orchestrator.cli.verbs import verb_plan  # noqa: PLC0415  # the same verb under another name

        return verb_plan.run(options)
    expect_folder("--report", options.report)
    expect_folder("--metrics", options.metrics)
    expect_folder("--log-file", options.log_file)
    plan = plan_to_call(options) if taken is None else taken.plan
    approved = _approved(taken, options)
    if approved is not None and options.dry_run:
        return _try(approved, options)
    now = SystemClock().now()
    bounds = _bounds(options, now)
    from orchestrator.cli.verbs.one_session import one_session  # noqa: PLC0415  # brings HTTP, log and display along

    return one_session(plan, options, bounds, approved)


def _bounds(options: Options, now: datetime) -> "Bounds":
    from orchestrator.app.process.start_bound import Bounds, longest_s, seconds, start_bound  # noqa: PLC0415  # brings time zones along

    return Bounds(start_bound(options.until, now), longest_s(options.max_duration), seconds(options.wait, "--wait"))


def _approved(taken: "Taken | None", options: Options) -> "Approved | None":
    if taken is None:
        return None
    from orchestrator.cli.verbs.saved_run import approved  # noqa: PLC0415  # only then

    if not options.simulate:
        check_regions(taken.plan, os.environ)
    return approved(taken, options)


def _try(approved: "Approved", options: Options) -> ExitCode:
    """Only compare."""
    approved.compare()
    if not options.quiet:
        write(["nothing has changed: `run` with this file does exactly what was saved in it; nothing was sent"])
    return ExitCode.DONE
