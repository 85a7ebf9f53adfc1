"""One reading in a thread for all who ask meanwhile: at full speed a change of threads for each of them costs more."""

from collections.abc import Callable
from typing import Generic, TypeVar

import anyio
from anyio import to_thread

T = TypeVar("T")


class SharedReading(Generic[T]):
    """Reads when asked, one reading at a time. Each who asks gets one that began after that, perhaps with others.

    Args:
        read: called in a thread. What it raises goes to the one who called it; the others read again.
    """

    def __init__(self, read: Callable[[], T]) -> None:
        self._read = read
        self._one_at_a_time = anyio.Lock(fast_acquire=True)
        self._begun = 0
        self._latest: tuple[int, T] | None = None

    async def __call__(self) -> T:
        """What is there now."""
        begun_before = self._begun
        async with self._one_at_a_time:
            if self._latest is None or self._latest[0] <= begun_before:
                self._begun += 1
                self._latest = self._begun, await to_thread.run_sync(self._read)
            return self._latest[1]
