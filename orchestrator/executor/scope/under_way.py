"""What a scope has begun with the cloud and not yet ended, oldest first."""

from collections.abc import Iterator
from contextlib import contextmanager


class UnderWay:
    """The calls of one scope between their beginning and their end, and the waits for its credentials."""

    def __init__(self) -> None:
        self._began: dict[object, float] = {}

    @contextmanager
    def begun(self, now_s: float) -> Iterator[None]:
        """One of them, under way for as long as the block lasts."""
        each = object()
        self._began[each] = now_s
        try:
            yield
        finally:
            del self._began[each]

    def __len__(self) -> int:
        return len(self._began)

    def first_from(self, from_s: float) -> float | None:
        """When the first of them began that began then or later; None when none did."""
        return next((began_s for began_s in self._began.values() if began_s >= from_s), None)

    def oldest_since(self, before_s: float) -> object | None:
        """The oldest one, if it began before this instant; the same object each time it is asked for."""
        each = next(iter(self._began), None)
        return None if each is None or self._began[each] >= before_s else each
