"""The audit of a run: reads its journal and its report, and nothing else.

It uses nothing of the program, so that it can be read, and run, by whoever does not want to believe the program:
`PYTHONPATH=tests python -m auditor STATE/FLEET/runs/RUN_ID`.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from auditor.claims import claim_problems
from auditor.elapsed import elapsed_problems
from auditor.gates import gate_problems
from auditor.ids import Ids
from auditor.impacts import impact_problems
from auditor.journal import Book, Line, journal_problems, read_book
from auditor.subnets import subnet_problems
from auditor.sums import sum_problems


def audit(folder: Path) -> list[str]:
    """Everything that is wrong with the files of a run; nothing when every claim is backed by a line."""
    report: Line = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return examine(report, read_book(folder / "journal.ndjson"))


def examine(report: Line, book: Book) -> list[str]:
    """The same for files that were read."""
    try:
        return list(_problems(report, book))
    except (LookupError, TypeError, AttributeError) as error:
        return [f"these are not the files of a run: {error!r}"]


def _problems(report: Line, book: Book) -> Iterator[str]:
    yield from journal_problems(book)
    yield from elapsed_problems(book)
    yield from sum_problems(report, book)
    ids = Ids(book, {target["proxy_id"]: target["instance_id"] for target in report["targets"]})
    yield from impact_problems(report, book)
    yield from subnet_problems(report, book)
    yield from gate_problems(report, book)
    for target in report["targets"]:
        yield from claim_problems(target, book, ids)
    missing = book.of.keys() - {target["proxy_id"] for target in report["targets"]}
    for proxy_id in sorted(missing):
        yield f"{proxy_id}: the journal tells of it, the report does not"
