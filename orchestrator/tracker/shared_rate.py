"""The port through which processes, and hosts, share a rate."""

from collections.abc import Callable
from typing import Protocol


class SharedRate(Protocol):
    """A rate that processes share; what lies there is the executor's business."""

    def exchange(self, act: Callable[[bytes], bytes]) -> bool:
        """Put there what `act` makes of what is there; False: another process has it just now."""

    def due(self, now_s: float, rate: float | None) -> float:
        """After how many seconds a slot comes that other hosts leave to this process; 0: now, or there are none.

        Args:
            now_s: monotonic seconds.
            rate: calls per second as the plan has it; None when it is to be found out, by each host for itself.
        """

    def took(self, *, waited: bool) -> None:
        """The slot that was due is used. `waited`: the caller stood in line, so another one is wanted soon."""

    def close(self) -> None:
        """Nothing comes any more."""
