"""A comparison for programs."""

from collections.abc import Iterator

import msgspec

from orchestrator.tracker.report.compare.comparison_schema import Comparison


def comparison_chunks(comparison: Comparison, _named: str) -> Iterator[bytes]:
    """The comparison as JSON."""
    yield msgspec.json.format(msgspec.json.encode(comparison), indent=2) + b"\n"
