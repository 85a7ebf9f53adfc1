"""How long another one has been silent: a silence counts only for who has watched all of it."""

from collections.abc import Callable

#: How often who has a place shows himself, after how much silence he is replaced, and how often others look.
BEAT_S, DEAD_S, LOOK_S = 2.0, 10.0, 0.5


class Watch:
    """What one who looks again and again has seen of another one. One thread at a time may use it.

    Args:
        monotonic: seconds that never go back.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._sign: object = None
        self._looked_s = self._since_s = monotonic()

    def moved(self, sign: object) -> bool:
        """Whether the other one has shown himself since the look before."""
        return self._sign is not None and sign != self._sign

    def silent(self, sign: object) -> bool:
        """Look; whether the other one has been silent for too long.

        Args:
            sign: is another one each time that he has shown himself; never None.
        """
        now_s = self._monotonic()
        if self._sign is None or self.moved(sign) or now_s - self._looked_s > BEAT_S:
            self._since_s = now_s
        self._looked_s, self._sign = now_s, sign
        return now_s - self._since_s >= DEAD_S
