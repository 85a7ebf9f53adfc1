"""A way to a server of PostgreSQL that takes its time: what either side says arrives so much later, in order.

It also counts round trips: how often the client says something after it has heard an answer to what it said before.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Event, Thread

from fakes.postgres_server import Server

_SOCKET = ".s.PGSQL.5432"
_CHUNK = 1 << 16


class FarDatabase:
    """The way, on an event loop of its own.

    Args:
        folder: of the socket by which it is gone.
        server: where it leads to.
        one_way_s: how long anything takes, there or back.
    """

    def __init__(self, folder: Path, server: Server, one_way_s: float) -> None:
        self.round_trips = 0
        self._folder, self._server, self._one_way_s = folder, server, one_way_s
        self._open = Event()
        self._shut: Callable[[], object] = _nothing
        self._connections: list[asyncio.Task[None]] = []

    def address(self, near: str) -> str:
        """That of a database by this way, from the one that leads there straight."""
        return near.replace(str(self._server.folder), str(self._folder))

    @contextmanager
    def opened(self) -> Iterator["FarDatabase"]:
        """For the length of the block it can be gone."""
        thread = Thread(target=lambda: asyncio.run(self._serve()), name="the way to the database")
        thread.start()
        self._open.wait()
        try:
            yield self
        finally:
            self._shut()
            thread.join()

    async def _serve(self) -> None:
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        self._shut = partial(loop.call_soon_threadsafe, done.set)
        async with await asyncio.start_unix_server(self._connected, self._folder / _SOCKET):
            self._open.set()
            await done.wait()
        for each in self._connections:
            each.cancel()
        await asyncio.gather(*self._connections)

    def _connected(self, asks: asyncio.StreamReader, told: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._connection(asks, told))
        self._connections.append(task)

    async def _connection(self, asks: asyncio.StreamReader, told: asyncio.StreamWriter) -> None:
        async with _closing(told):
            try:
                answers, there = await asyncio.open_unix_connection(self._server.folder / _SOCKET)
            except OSError:  # it is away
                return
            turn = _Turn(self)
            async with _closing(there), asyncio.TaskGroup() as group:
                group.create_task(self._carry(asks, there, turn.asked))
                group.create_task(self._carry(answers, told, turn.answered))

    async def _carry(self, source: asyncio.StreamReader, to: asyncio.StreamWriter, saw: Callable[[], None]) -> None:
        """Hand on what comes, each part so much later, however much is under way."""
        async with asyncio.TaskGroup() as group:
            under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
            group.create_task(self._arrive(under_way, to))
            part = b"?"
            while part:
                part = b""  # also of one that is gone
                with suppress(OSError):
                    part = await source.read(_CHUNK)
                saw()
                under_way.put_nowait((_now() + self._one_way_s, part))

    async def _arrive(self, under_way: "asyncio.Queue[tuple[float, bytes]]", to: asyncio.StreamWriter) -> None:
        part = b"?"
        with suppress(OSError):  # who it is for is gone
            while part:
                at_s, part = await under_way.get()
                await asyncio.sleep(at_s - _now())
                if part:
                    to.write(part)
                    await to.drain()
        to.close()


@asynccontextmanager
async def _closing(side: asyncio.StreamWriter) -> AsyncIterator[None]:
    """Closed after the block, also when the way is shut."""
    with suppress(asyncio.CancelledError):
        try:
            yield
        finally:
            side.close()
            with suppress(OSError):
                await side.wait_closed()


def _now() -> float:
    return asyncio.get_running_loop().time()


def _nothing() -> None:
    pass


class _Turn:
    """Whose turn it is on one connection."""

    def __init__(self, way: FarDatabase) -> None:
        self._way = way
        self._heard = True

    def asked(self) -> None:
        self._way.round_trips += self._heard
        self._heard = False

    def answered(self) -> None:
        self._heard = True


@contextmanager
def far_from(server: Server, *, one_way_s: float) -> Iterator[FarDatabase]:
    """A way to a server that takes so long in each direction."""
    with (
        tempfile.TemporaryDirectory(prefix="far") as folder,
        FarDatabase(Path(folder), server, one_way_s).opened() as far,
    ):
        yield far
