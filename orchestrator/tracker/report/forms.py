"""The forms in which a report is printed. A new one is a module with `report_chunks`, and a line here.

Each is imported when it is asked for: the command line names them all, and must start at once.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestrator.tracker.report.build import Story

FORMS = {"json": "json_form", "text": "text_form", "csv": "csv_form", "html": "page.render"}
DEFAULT_FORM = "json"


def in_form(name: str, story: Story) -> Iterable[bytes]:
    """The report as bytes, piece by piece; `name`: one of `FORMS`."""
    chunks: Iterable[bytes] = import_module(f"orchestrator.tracker.report.{FORMS[name]}").report_chunks(story)
    return chunks
