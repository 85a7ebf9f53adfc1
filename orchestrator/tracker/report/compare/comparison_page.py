"""A comparison as one HTML file that loads nothing and runs nothing."""

from collections.abc import Iterator

from orchestrator.page.shell import drawn, environment
from orchestrator.tracker.report.compare.compare import listed
from orchestrator.tracker.report.compare.comparison_schema import Comparison
from orchestrator.tracker.report.compare.comparison_words import SEEN, TITLES, rows, verdict, whole_report, whose, why

#: So many proxies of each kind have a row.
ROWS = 1000


def comparison_chunks(comparison: Comparison, named: str) -> Iterator[bytes]:
    """The comparison as a page; `named`: the plan as commands name it."""
    values = {
        "found": comparison,
        "verdict": verdict(comparison),
        "whose": whose(comparison),
        "why": why,
        "sides": rows(comparison),
        "listed": listed(comparison),
        "titles": TITLES,
        "seen": SEEN,
        "command": whole_report(comparison, named),
        "most": ROWS,
    }
    return drawn(environment("orchestrator.tracker.report.compare"), "comparison.html.jinja", values)
