"""What a pacer is: it says when the next request may leave. Pacers are values, which processes can hand each other."""

from array import array
from typing import TYPE_CHECKING, Protocol, TypeAlias

from orchestrator.model.reply.reply import Quota

#: When calls left, oldest first, in monotonic seconds.
if TYPE_CHECKING:
    Sent: TypeAlias = array[float]
else:
    Sent = array  # before Python 3.12 it takes no parameters


def no_calls() -> Sent:
    """None so far."""
    return array("d")


class Pacer(Protocol):
    """When the next request may leave. All instants are monotonic seconds given by the caller."""

    @property
    def rate(self) -> float:
        """The pace in force, requests per second."""

    @property
    def nominal(self) -> float:
        """The rate that is kept to when nothing is refused, and that the report states."""

    @property
    def learned(self) -> float | None:
        """What the cloud was found to bear, to be kept for the next start; None when nothing was found out."""

    @property
    def held_until(self) -> float:
        """Nothing leaves before this instant, because the cloud asked for a pause."""

    def claim(self, now_s: float, *, waited: bool) -> float:
        """Take a slot, if there is one now. `waited`: the caller stood in line, so lateness is made up.

        Returns:
            0 when a request may leave now; else after how many seconds to ask again.
        """

    def answered(self, sent_s: float, now_s: float, kind: str = "") -> None:
        """A call was answered, and not refused as one too many. `kind`: calls of a kind take about as long."""

    def throttle(
        self,
        now_s: float,
        wait_s: float,
        *,
        sent_s: float | None = None,
        server_named_pause: bool = True,
        quota: Quota | None = None,
    ) -> None:
        """The cloud refused a call as one too many: wait, and go on slower.

        Args:
            now_s: when the refusal came.
            wait_s: the pause that the cloud asked for, or that the caller chose.
            sent_s: when the call left; None for a call that this rate does not count, such as a login.
            server_named_pause: whether the cloud named the pause.
            quota: the limit, when the pause is the period of a limit that the cloud named.
        """


class _Slots(Protocol):
    def earliest(self) -> float: ...

    def take(self, now_s: float, *, waited: bool) -> None: ...


class Claiming:
    """Claims for a pacer that nobody else uses meanwhile: look, and take."""

    __slots__ = ()

    def claim(self: _Slots, now_s: float, *, waited: bool) -> float:
        """As `Pacer.claim`."""
        delay_s = self.earliest() - now_s
        if delay_s > 0:
            return delay_s
        self.take(now_s, waited=waited)
        return 0.0
