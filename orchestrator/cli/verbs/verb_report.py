"""`orchestrator report`: the report of a run, or two runs compared, made from their journals."""

from collections.abc import Iterable

from orchestrator.app.report.full_story import full_story
from orchestrator.app.status.fleet_status import find_run, find_stored
from orchestrator.cli.options import Options
from orchestrator.cli.place import expect_folder, fleet_and_state, plan_words
from orchestrator.cli.terminal import write_file
from orchestrator.errors import ExitCode, UsageError
from orchestrator.model.plan.plan import Plan
from orchestrator.tracker.disk import put_file
from orchestrator.tracker.report.compare.comparison_forms import COMPARISON_FORMS, comparison_in_form
from orchestrator.tracker.report.forms import DEFAULT_FORM, in_form
from orchestrator.tracker.state_store import State


def run(options: Options) -> ExitCode:
    """Print or write the report."""
    expect_folder("--output", options.output)
    form = options.format or DEFAULT_FORM
    plan, state = fleet_and_state(options)
    chunks = (
        _comparison(options, plan, state, form) if options.compare is not None else _report(options, plan, state, form)
    )
    if options.output is not None:
        put_file(options.output, chunks)
    elif not options.quiet:
        write_file(chunks, form)
    return ExitCode.DONE


def _report(options: Options, plan: Plan, state: State, form: str) -> Iterable[bytes]:
    recovered = find_run(state, plan, options.run_id)
    named = plan_words(plan, options, recovered.run)
    return in_form(form, full_story(recovered.run, recovered.in_force, named=named))


def _comparison(options: Options, plan: Plan, state: State, form: str) -> Iterable[bytes]:
    from orchestrator.app.report.compare_runs import compare_runs  # noqa: PLC0415  # only when it is asked for

    if form not in COMPARISON_FORMS:
        raise UsageError(f"--compare: there is no {form} of a comparison", hint=f"use {', '.join(COMPARISON_FORMS)}")
    one, other = find_stored(state, plan, options.run_id), find_stored(state, plan, options.compare)
    return comparison_in_form(form, compare_runs(plan, one, other), plan_words(plan, options))
