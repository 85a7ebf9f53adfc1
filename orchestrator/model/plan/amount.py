"""Numbers as a plan writes them: a count, a percentage, a rate. Reading them from text is the planner's job."""

import math
from typing import Literal, TypeAlias

from msgspec import Struct

#: Calls per second, or `auto`: found out while running.
Rate: TypeAlias = float | Literal["auto"]


class Amount(Struct, frozen=True):
    """A count, or a share of a total: `10` or `10%`.

    Attributes:
        value: the count, or the percentage (`10.0` for 10 %).
        percent: whether `value` is a percentage.
    """

    value: float
    percent: bool = False

    def cap(self, total: int) -> int:
        """How many of `total` this allows as a cap: rounded down, but at least 1."""
        return max(1, self._of(total))

    def budget(self, total: int) -> int:
        """How many of `total` this allows as a budget: rounded down, so it may be 0."""
        return max(0, self._of(total))

    def _of(self, total: int) -> int:
        if not self.percent:
            return int(self.value)
        # 7% of 100 is 7.000000000000001 in binary floating point and 29% of 100 is 28.999999999999996: what a
        # person means is the exact decimal, so noise far below one part in a million is rounded away first.
        return math.floor(round(self.value * total / 100, 6))

    def __str__(self) -> str:
        return f"{self.value:g}%" if self.percent else f"{self.value:g}"
