"""The right to risk a refusal, without which nobody learns that a limit has risen."""

from msgspec import Struct

#: Refusals that may be risked: earned by each call that passes or, when calls are few, by the seconds that pass, so
#: that they stay below the larger of 1 % and one in five minutes. In debt, one is risked after so long without any.
_EARNED_PER_CALL, _EARNED_PER_S = 0.0085, 1 / 330
_FIRST, _MOST, _MOST_DEBT = 1.0, 30.0, 3.0
_LOOK_EVERY_S = 300.0


class RiskCredit(Struct):
    """How many refusals may be risked. All instants are monotonic seconds."""

    _credit: float = _FIRST
    _earned_at: float | None = None

    def earn(self, now_s: float) -> None:
        """A call has passed."""
        silent_s = now_s - (now_s if self._earned_at is None else self._earned_at)
        self._earned_at = now_s
        self._credit = min(_MOST, self._credit + max(_EARNED_PER_CALL, _EARNED_PER_S * silent_s))

    def spend(self) -> None:
        """A call was refused."""
        self._credit = max(-_MOST_DEBT, self._credit - 1)

    def covers(self, since_refusal_s: float) -> bool:
        """Whether one more refusal is within bounds, so long after the last one."""
        return self._credit >= 1 or since_refusal_s >= _LOOK_EVERY_S
