"""What a scope has begun with the cloud and not yet ended, oldest first."""

from contextlib import AbstractContextManager


class UnderWay:
    """The calls of one scope between their beginning and their end, and the waits for its credentials."""

    def __init__(self) -> None:
        self._began: dict[object, float] = {}

    def begun(self, now_s: float) -> AbstractContextManager[None]:
        """One of them, under way for as long as the block lasts."""
        return _Begun(self._began, now_s)

    def __len__(self) -> int:
        return len(self._began)

    def first_from(self, from_s: float) -> float | None:
        """When the first of them began that began then or later; None when none did."""
        return next((began_s for began_s in self._began.values() if began_s >= from_s), None)

    def oldest_since(self, before_s: float) -> object | None:
        """The oldest one, if it began before this instant; the same object each time it is asked for."""
        each = next(iter(self._began), None)
        return None if each is None or self._began[each] >= before_s else each


class _Begun(AbstractContextManager[None]):
    """One that is under way. A class, for a generator takes three times as long, and a call has three of them."""

    __slots__ = ("_all", "_now_s")

    def __init__(self, began: dict[object, float], now_s: float) -> None:
        self._all = began
        self._now_s = now_s

    def __enter__(self) -> None:
        self._all[self] = self._now_s

    def __exit__(self, *_error: object) -> None:
        del self._all[self]
