"""Whether a cloud that refuses nothing is overloaded: it answers ever more slowly."""

from math import inf

from msgspec import Struct, field

#: How much one call counts in the smoothed latency, and at most how many times the latency so far.
_WEIGHT, _CLIP = 1 / 16, 4.0

#: Answers are slow when they take so many times as long as at their best, and so much longer: a new connection alone
#: may take that.
_RISE, _MORE_S = 2.0, 0.5

#: It is said once for so many calls.
_CALLS = 24

#: The best latency counts double after so long.
_FORGET_S = 600.0


class LatencyWatch(Struct):
    """Whether answers take much longer than at their best, smoothed; each kind of call for itself."""

    typical_s: float = 0.0
    _best: dict[str, tuple[float, float]] = field(default_factory=dict)
    _smooth: dict[str, float] = field(default_factory=dict)
    _since: int = 0

    def rising(self, kind: str, latency_s: float, now_s: float) -> bool:
        """Take in how long a call took; whether to slow down, said once for so many calls.

        The best is forgotten slowly, so that a way that has become longer is accepted in the end.
        """
        smooth = self._smooth.get(kind, latency_s)
        smooth += _WEIGHT * (min(latency_s, _CLIP * smooth) - smooth)
        best, at_s = self._best.get(kind, (inf, now_s))
        best = min(smooth, best * 2 ** ((now_s - at_s) / _FORGET_S))
        self.typical_s = smooth
        self._smooth[kind], self._best[kind] = smooth, (best, now_s)
        self._since += 1
        if smooth <= max(_RISE * best, best + _MORE_S) or self._since < _CALLS:
            return False
        self._since = 0
        return True
