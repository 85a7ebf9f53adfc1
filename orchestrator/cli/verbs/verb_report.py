"""`orchestrator report`: the report of a run, made from its journal."""

from orchestrator.app.report.full_story import full_story
from orchestrator.app.status.fleet_status import find_run
from orchestrator.cli.options import Options
from orchestrator.cli.place import expect_folder, fleet_and_state, plan_words
from orchestrator.cli.terminal import write_file
from orchestrator.errors import ExitCode
from orchestrator.tracker.disk import put_file
from orchestrator.tracker.report.forms import DEFAULT_FORM, in_form


def run(options: Options) -> ExitCode:
    """Print or write the report."""
    expect_folder("--output", options.output)
    plan, state = fleet_and_state(options)
    recovered = find_run(state, plan, options.run_id)
    story = full_story(recovered.run, recovered.in_force, named=plan_words(plan, options))
    form = options.format or DEFAULT_FORM
    chunks = in_form(form, story)
    if options.output is not None:
        put_file(options.output, chunks)
    elif not options.quiet:
        write_file(chunks, form)
    return ExitCode.DONE
