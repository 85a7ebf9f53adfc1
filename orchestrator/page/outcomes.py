"""How pages show outcomes: a shape for each beside its word and its color, and rows divided by counts."""

from collections.abc import Mapping

from msgspec import Struct

#: A shape for each outcome, so that no color has to be told from another.
SHAPES = {
    "succeeded": "●",
    "accepted": "◐",
    "already": "○",
    "partial": "◭",
    "rejected": "▲",
    "failed": "✖",
    "mismatch": "≠",
    "in_doubt": "?",
    "timed_out": "◷",
    "in_flight": "▶",
    "waiting": "·",
}
#: Width of a row, in SVG units.
WIDTH = 1000.0


class Part(Struct, frozen=True):
    """A part of a row."""

    x: float
    width: float
    count: int
    name: str


def parts(counts: Mapping[str, int]) -> list[Part]:
    """A full row, divided by counts."""
    total, x, found = sum(counts.values()), 0.0, []
    for name, count in counts.items():
        width = round(WIDTH * count / total, 1)
        found.append(Part(round(x, 1), width, count, name))
        x += width
    return found
