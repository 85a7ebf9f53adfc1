"""What a run that was played leaves behind: its report and its journal, as bytes."""

from fakes.stage import Played

from orchestrator.model.plan.plan import Plan
from orchestrator.tracker.journal.line import encode_lines
from orchestrator.tracker.report.build import build_report
from orchestrator.tracker.report.json_form import report_chunks


def written(played: Played, plan: Plan) -> tuple[bytes, bytes]:
    """The report as JSON, and the lines of the journal."""
    report = b"".join(report_chunks(build_report(played.run, plan, exit_code=played.code)))
    return report, encode_lines(played.records, 1)
