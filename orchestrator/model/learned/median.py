"""The median, without what `statistics` brings along: every command would wait for its import. Pure."""

from collections.abc import Iterable


def median(values: Iterable[float]) -> float:
    """The middle one of the values, or the mean of the two in the middle.

    Raises:
        ValueError: there is none.
    """
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no median of nothing")
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
