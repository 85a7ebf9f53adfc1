"""Give each call one connection, on which nothing but its own answer can come.

HTTP/1.1 answers bear no number: what comes next on a connection is taken for the answer. So a connection on which bytes
came that nobody asked for is closed, and an answer that is the one before, sent once more, is none.
A request id that comes twice shows that, as long as the cloud makes one for each request.
"""

import re
import select
from collections import deque
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from aiohttp import ClientConnectionError, ClientError, ClientResponse, TCPConnector
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection

from orchestrator.cloud.wire.own_thread_resolver import OwnThreadResolver
from orchestrator.pattern import pattern

if TYPE_CHECKING:
    from orchestrator.cloud.wire.lean import LeanAnswer

Heads: TypeAlias = tuple[tuple[bytes, bytes], ...]

#: How long the body is (RFC 9112 §6.2), unless it is framed otherwise, or is an interim answer before the real one.
_LENGTH = pattern(rb"\r\ncontent-length:[ \t]*([0-9]{1,9})[ \t]*(?=\r\n|\Z)", re.IGNORECASE)
_OTHER_FRAME = pattern(rb"\r\ntransfer-encoding:|\AHTTP/[0-9.]+ (?:1|204|304)", re.IGNORECASE)

#: A longer head is not looked at.
_MOST_HEAD = 64 << 10

#: So many of the latest request ids are kept, to find out whether one comes again.
_IDS_KEPT = 64


class AnswerRepeated(ClientError):
    """The head of the answer is that of the answer before on this connection, with its request id."""


class RequestIds:
    """Whether the other side makes a request id for each request: not when one comes on two connections."""

    __slots__ = ("_seen", "unique")

    def __init__(self) -> None:
        self._seen: deque[str] = deque(maxlen=_IDS_KEPT)
        self.unique = True

    def note(self, request_id: str, *, fresh: bool) -> None:
        """Take in the id of an answer; `fresh`: the first one on its connection, so no earlier answer sent twice."""
        if fresh and request_id in self._seen:
            self.unique = False
        self._seen.append(request_id)


class AnswerEnd:
    """Where the answer ends that is being read, as its head says: what comes behind that belongs to no question.

    The parser is given the answer apart from what follows it in the same packet. Given both at once it refuses both,
    and a whole answer, with the workflow_id in it, would be lost.
    """

    __slots__ = ("_left", "_start")

    def __init__(self) -> None:
        self._start = bytearray()
        self._left: int | None = None

    def split(self, data: bytes) -> tuple[bytes, bytes]:
        """What of the data belongs to the answer, and what does not."""
        if self._left is None and len(self._start) < _MOST_HEAD:
            self._left = self._body_left(data)
        elif self._left is not None:
            self._left -= len(data)
        if self._left is None or self._left >= 0:
            return data, b""
        cut = max(0, len(data) + self._left)
        return data[:cut], data[cut:]

    def _body_left(self, data: bytes) -> int | None:
        """How many bytes of the body are still to come after this; negative when there are too many."""
        self._start += data
        head, blank, body = bytes(self._start).partition(b"\r\n\r\n")
        length = _LENGTH.search(head) if blank and not _OTHER_FRAME.search(head) else None
        return None if length is None else int(length[1]) - len(body)


class WatchedConnection(ResponseHandler):
    """One connection, as long as it lives. Counts what is read from it, and knows the head of its last answer."""

    def __init__(self, loop: Any, ids: RequestIds) -> None:
        super().__init__(loop)
        self._ids = ids
        self._head: Heads | None = None
        self._received = 0
        self._answered_at = 0
        self._stray = 0
        self._end = AnswerEnd()

    @property
    def fresh(self) -> bool:
        """Whether it has brought no answer yet."""
        return self._head is None

    @property
    def silent(self) -> bool:
        """Whether nothing was read since the last answer, and, unless it is fresh, nothing waits to be read."""
        if self.should_close or self.transport is None or self._received != self._answered_at:
            return False
        return self.fresh or not _readable(self.transport.get_extra_info("socket").fileno())

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if self._received == self._answered_at:
            self._end = AnswerEnd()
        self._received += len(data)
        answer, stray = self._end.split(data)
        self._stray += len(stray)
        for part in (answer, stray):
            if part:
                super().data_received(part)

    def take(self, response: "ClientResponse | LeanAnswer") -> None:
        """Note an answer whose head has come.

        Raises:
            AnswerRepeated: it is not the answer to this question; the connection is closed.
        """
        request_id = response.headers.get("X-Request-Id")
        if request_id is not None:
            self._ids.note(request_id, fresh=self.fresh)
            # Equal to the byte, `Date` among it, and with an id that is made for each request: sent twice.
            if response.raw_headers == self._head and self._ids.unique:
                response.close()
                raise AnswerRepeated
        self._head = response.raw_headers

    def end(self) -> None:
        """Note that the answer has come to its end."""
        self._answered_at = self._received - self._stray


class Departure:
    """The connection that a call was given, from where on its bytes may be on the wire; None before."""

    __slots__ = ("line",)

    def __init__(self) -> None:
        self.line: WatchedConnection | None = None

    @property
    def left(self) -> bool:
        """Whether the request may have left."""
        return self.line is not None


#: Set by every call, in the task that makes it.
departure: ContextVar[Departure] = ContextVar("departure")


class OneWayConnector(TCPConnector):
    """Gives each call one connection, and no second one.

    aiohttp asks for a second one when a reused connection breaks and the method is idempotent (`_retry_connection` in
    `ClientSession._request`; never for POST). One call is one request here, counted and paced as one, so it is refused.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(resolver=OwnThreadResolver(), **options)
        self._factory = partial(
            _new_line, loop=self._loop, ids=RequestIds()
        )  # not public; `_line` refuses to go without it

    async def connect(self, *args: Any, **kwargs: Any) -> Connection:
        """A new connection, or one of the pool on which nothing came since its last answer."""
        ours = departure.get()
        if ours.left:
            raise ClientConnectionError("closed by the other side before it answered")
        connection = await super().connect(*args, **kwargs)
        while not (line := _line(connection)).silent:
            connection.close()
            if line.fresh:
                raise ClientConnectionError("the other side spoke before it was asked")
            connection = await super().connect(*args, **kwargs)
        ours.line = line
        return connection


def _new_line(loop: Any, ids: RequestIds) -> ResponseHandler:
    return WatchedConnection(loop, ids)


def _line(connection: Connection) -> WatchedConnection:
    if not isinstance(connection.protocol, WatchedConnection):
        connection.close()
        raise ClientConnectionError("not a connection that can be watched")
    return connection.protocol


def _readable(handle: int) -> bool:
    waiting = select.poll()
    waiting.register(handle, select.POLLIN)
    return bool(waiting.poll(0))
