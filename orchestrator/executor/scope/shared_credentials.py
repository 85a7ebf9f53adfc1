"""Credentials that several scopes share: one scope tries them first, so that wrong ones are not refused once per scope.

The cloud locks an access key after more than five wrong signatures in a row, and an account after a few wrong passwords
(OCR FAQ ocr_01_0063; IAM.0061): also for everybody else who uses them.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

from orchestrator.model.reply.reply import Answered, Busy, Exchange, Refused, Reply, Unauthenticated

T = TypeVar("T")

#: The first use, and the one after the renewal.
_TRIES = 2

_UNAUTHORIZED = 401


class SharedCredentials:
    """What is known of some credentials in this session: nothing yet, that they work, or that they were refused."""

    def __init__(self) -> None:
        self._accepted = False
        self._refusals = 0
        self._why = ""
        self._lock = anyio.Lock()

    async def probe(self, call: Callable[[], Awaitable[Reply[T]]]) -> Reply[T]:
        """Make the call: alone while nothing is known of the credentials, not at all once they were refused twice."""
        if not self._accepted:
            async with self._lock:
                if not self._accepted:
                    return await self._first(call)
        return await call()

    async def _first(self, call: Callable[[], Awaitable[Reply[T]]]) -> Reply[T]:
        if self._refusals >= _TRIES:
            return Unauthenticated(f"not tried, another scope was refused with the same: {self._why}", Exchange())
        reply = await call()
        if isinstance(reply, Unauthenticated) and reply.exchange.http_status == _UNAUTHORIZED:
            self._refusals += 1
            self._why = reply.reason
        self._accepted = isinstance(reply, Answered | Refused | Busy)
        return reply
