"""`orchestrator schema`: the JSON Schema of a plan, or of what a verb prints for programs."""

import json

from orchestrator.cli.options import Options
from orchestrator.cli.terminal import write_json
from orchestrator.errors import ExitCode


def run(options: Options) -> ExitCode:
    """Print the schema."""
    if options.what == "plan":
        from orchestrator.planner.plan_file.json_schema import plan_schema as schema  # noqa: PLC0415  # one is imported
    elif options.what == "report":
        from orchestrator.tracker.report.schema import report_schema as schema  # noqa: PLC0415  # as above
    elif options.what == "comparison":
        from orchestrator.tracker.report.compare.comparison_schema import comparison_schema as schema  # noqa: PLC0415  # as above
    elif options.what == "doctor":
        from orchestrator.app.doctor.doctor_document import doctor_schema as schema  # noqa: PLC0415  # as above
    elif options.what == "runs":
        from orchestrator.app.status.run_list import runs_schema as schema  # noqa: PLC0415  # as above
    else:
        from orchestrator.app.status.document import status_schema as schema  # noqa: PLC0415  # as above
    write_json(json.dumps(schema(), indent=2, ensure_ascii=False))
    return ExitCode.DONE
