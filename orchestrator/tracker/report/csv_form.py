"""The report as CSV, one line per target. Columns are only ever added at the end.

Some cells hold words of the cloud, and a spreadsheet takes a cell that begins like a formula for one (OWASP, "CSV
Injection"): such a cell gets an apostrophe in front, which spreadsheets take as "this is text".
"""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime

from orchestrator.model.plan.target import labels_words
from orchestrator.tracker.report.build import Story
from orchestrator.tracker.report.parts.upgrade import AttemptReport, EarlierReport
from orchestrator.tracker.report.schema import TargetReport

#: How a formula begins.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")

#: What `csv` ends a line with here: it puts into quotes what may end one, and knows no other way to be told of both.
_ENDS = "\r\n"

COLUMNS = (
    "scope",
    "project_id",
    "instance_id",
    "proxy_id",
    "wave",
    "outcome",
    "reason",
    "source_version",
    "target_version",
    "verified_version",
    "workflow_ids",
    "attempts",
    "http_status",
    "error_code",
    "request_id",
    "job_status",
    "fail_reason",
    "settled_by",
    "started_at",
    "settled_at",
    "labels",
    "settled_host",
    "earlier_run_id",
    "earlier_outcome",
    "earlier_reason",
    "earlier_workflow_ids",
)


def report_chunks(story: Story) -> Iterator[bytes]:
    """The targets of a report, as bytes."""
    return (line.encode() for line in csv_lines(story.targets))


def csv_lines(targets: Iterable[TargetReport]) -> Iterator[str]:
    """Header and lines, each with its line end. Lists are separated by spaces, null is empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator=_ENDS)
    writer.writerow(COLUMNS)
    yield _taken(buffer)
    for target in targets:
        writer.writerow(map(_harmless, _cells(target)))
        yield _taken(buffer)


def _taken(buffer: io.StringIO) -> str:
    line = buffer.getvalue().removesuffix(_ENDS)
    buffer.seek(0)
    buffer.truncate()
    return f"{line}\n"


def _cells(target: TargetReport) -> tuple[object, ...]:
    last: AttemptReport | None = target.attempts[-1] if target.attempts else None
    return (
        target.scope,
        target.project_id,
        target.instance_id,
        target.proxy_id,
        target.wave,
        target.outcome,
        target.reason,
        target.source_version,
        target.target_version,
        target.verified_version,
        " ".join(target.workflow_ids),
        len(target.attempts),
        last.http_status if last else None,
        last.error_code if last else None,
        last.request_id if last else None,
        target.job.status if target.job else None,
        target.job.fail_reason if target.job else None,
        target.settled_by,
        _instant(target.started_at),
        _instant(target.settled_at),
        labels_words(target.labels),
        target.settled_host,
        *_earlier(target.earlier),
    )


def _earlier(known: EarlierReport | None) -> tuple[str | None, ...]:
    if known is None:
        return (None,) * 4
    return known.run_id, known.outcome, known.reason, " ".join(known.workflow_ids)


def _harmless(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULAS) else cell


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
