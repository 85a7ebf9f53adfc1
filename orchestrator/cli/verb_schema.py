"""`orchestrator schema`: the JSON Schema of plan or report."""

import json

from orchestrator.cli.options import Options
from orchestrator.cli.terminal import write_json
from orchestrator.errors import ExitCode


def run(options: Options) -> ExitCode:
    """Print the schema."""
    if options.what == "plan":
        from orchestrator.planner.plan_file.json_schema import plan_schema as schema  # noqa: PLC0415  # one of both is imported
    else:
        from orchestrator.tracker.report.schema import report_schema as schema  # noqa: PLC0415  # as above
    write_json(json.dumps(schema(), indent=2, ensure_ascii=False))
    return ExitCode.DONE
