"""The forms in which a comparison is printed; each is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestrator.tracker.report.compare.comparison_schema import Comparison

COMPARISON_FORMS = {"json": "comparison_json", "text": "comparison_text", "html": "comparison_page"}


def comparison_in_form(name: str, comparison: Comparison, named: str) -> Iterable[bytes]:
    """The comparison as bytes, piece by piece.

    Args:
        name: one of `COMPARISON_FORMS`.
        comparison: of two runs.
        named: the plan as commands name it.
    """
    form = import_module(f"orchestrator.tracker.report.compare.{COMPARISON_FORMS[name]}")
    chunks: Iterable[bytes] = form.comparison_chunks(comparison, named)
    return chunks
