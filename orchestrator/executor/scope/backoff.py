"""How long to wait before trying again. Pure: chance comes in as a number."""

from collections.abc import Callable

#: Multiples of `retry.busy` after the first, second, … busy answer.
_BUSY_STEPS = (1, 2, 5, 10)

#: A number in [0, 1), each time another.
Chance = Callable[[], float]


def backoff_s(tries: int, *, base_s: float, max_s: float, chance: float) -> float:
    """Exponential backoff with full jitter: anything between 0 and `base * 2^(tries-1)`, at most `max_s`.

    See "Exponential Backoff And Jitter", Amazon Architecture Blog, 2015.
    """
    return float(min(max_s, base_s * 2.0 ** min(tries - 1, 60))) * chance


def busy_wait_s(times: int, busy_s: float) -> float:
    """How long a target waits after it was found busy for the `times`-th time, counted from 0."""
    return busy_s * _BUSY_STEPS[min(times, len(_BUSY_STEPS) - 1)]
