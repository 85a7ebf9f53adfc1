"""The table of what was measured: a row per goal, as Markdown and as JSON."""

import json
import operator
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

_HOLDS: dict[str, Callable[[float, float], bool]] = {"<=": operator.le, ">=": operator.ge}


@dataclass(frozen=True, slots=True)
class Row:
    """One goal: what was measured, how it is compared, and what stands behind the figure."""

    what: str
    value: float
    unit: str
    goal: float | None = None
    holds: str = "<="
    reference: str = ""
    detail: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None when there is none."""
        return None if self.goal is None else _HOLDS[self.holds](self.value, self.goal)


def markdown(rows: Sequence[Row]) -> str:
    """All rows as a table."""
    lines = ["| what | measured | goal | met | reference in the same run | detail |", "|---|---|---|---|---|---|"]
    return "\n".join([*lines, *map(_line, rows)])


def _line(row: Row) -> str:
    goal = "" if row.goal is None else f"{row.holds} {row.goal:,g} {row.unit}".rstrip()
    met = {None: "", True: "yes", False: "**no**"}[row.met]
    return f"| {row.what} | {row.value:,.3g} {row.unit} | {goal} | {met} | {row.reference} | {row.detail} |"


def as_json(rows: Sequence[Row]) -> str:
    """All rows as a JSON list, with the verdict."""
    return json.dumps([{**asdict(row), "met": row.met} for row in rows], indent=1)
