"""Chance that depends on a seed and on what it is for, never on the order in which it is asked.

Every draw names its purpose and its subject, as in `unit(seed, "fate", proxy_id, 1)`; so two runs whose requests
interleave differently still meet the same fates.
"""

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from statistics import NormalDist
from typing import TypeVar

Name = TypeVar("Name", bound=str)
_NORMAL = NormalDist()


@lru_cache(maxsize=1 << 14)  # what a listing shows of a proxy is drawn again for every listing
def _digest(seed: int, parts: tuple[object, ...], size: int) -> bytes:
    text = "\x1f".join([str(seed), *map(str, parts)])
    return blake2b(text.encode(), digest_size=size).digest()


def unit(seed: int, *parts: object) -> float:
    """A number in [0, 1)."""
    return (int.from_bytes(_digest(seed, parts, 8), "big") >> 11) / 2**53


def between(bounds: tuple[float, float], seed: int, *parts: object) -> float:
    """A number between the two bounds."""
    low, high = bounds
    return low + (high - low) * unit(seed, *parts)


def below(count: int, seed: int, *parts: object) -> int:
    """A whole number in 0 .. count - 1."""
    return int(count * unit(seed, *parts))


def around(median: float, sigma: float, seed: int, *parts: object) -> float:
    """A log-normal number with this median: how latencies look."""
    return median * float(2.718281828459045 ** (sigma * _NORMAL.inv_cdf(max(unit(seed, *parts), 1e-12))))


def pick(shares: Mapping[Name, float], number: float) -> Name | None:
    """The name whose share holds the number in [0, 1); None in the part that no share claims."""
    for name, share in shares.items():
        if number < share:
            return name
        number -= share
    return None


def hexadecimal(length: int, seed: int, *parts: object) -> str:
    """This many hexadecimal digits (at most 64)."""
    return _digest(seed, parts, 32).hex()[:length]


def dashed(seed: int, *parts: object) -> str:
    """An id in the form of workflow and job ids, 8-4-4-4-12."""
    digits = hexadecimal(32, seed, *parts)
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{digits[16:20]}-{digits[20:]}"
