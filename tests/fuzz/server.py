"""The byte server: reads requests, has the cloud answer, lets faults twist the answer, and sends bytes."""

import asyncio
import random
import socket
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.utils import format_datetime

from fuzz import twists_http, twists_json, twists_wire
from fuzz.cloud import Asked, Cloud
from fuzz.said import Context, Said, Twist
from fuzz.virtual import Times

TWISTS: dict[str, Twist] = {**twists_json.TWISTS, **twists_http.TWISTS, **twists_wire.TWISTS}

#: Parts in which a slow answer comes.
_PARTS = 5


@dataclass(frozen=True)
class Fault:
    """What goes wrong with which answers.

    Attributes:
        twist: name of what is done to them.
        kind: of call; `any` for all.
        proxy: number of the proxy that the call is about; None for all, and for calls about none.
        first: how many such calls are spared before.
        times: how many are hit.
    """

    twist: str
    kind: str
    proxy: int | None
    first: int
    times: int
    seed: int


class Server:
    """Answers on one port, through as many event loops as there are sessions."""

    def __init__(self, cloud: Cloud, times: Times, faults: tuple[Fault, ...], secrets: tuple[bytes, ...]) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._socket.setblocking(False)  # noqa: FBT003  # the method's own signature
        self.cloud = cloud
        self.times = times
        self.met: Counter[str] = Counter()
        self.on_upgrade: Callable[[], None] = lambda: None
        self._faults = [(fault, Context(random.Random(fault.seed), secrets), Counter[str]()) for fault in faults]
        self._earlier: dict[str, list[Said]] = {}

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        """Free the port."""
        self._socket.close()

    def listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """Answer on this loop."""
        self._task = loop.create_task(self._accept(loop))

    async def _accept(self, loop: asyncio.AbstractEventLoop) -> None:
        serving: set[asyncio.Task[None]] = set()
        try:
            while True:
                connection, _ = await loop.sock_accept(self._socket)
                task = loop.create_task(self._serve(loop, connection))
                serving.add(task)
                task.add_done_callback(serving.discard)
        finally:
            for task in serving:
                task.cancel()

    async def _serve(self, loop: asyncio.AbstractEventLoop, connection: socket.socket) -> None:
        connection.setblocking(False)  # noqa: FBT003  # the method's own signature
        try:
            with connection, suppress(OSError):
                await self._talk(loop, connection)
        except asyncio.CancelledError:
            pass

    async def _talk(self, loop: asyncio.AbstractEventLoop, connection: socket.socket) -> None:
        heard = stale = b""
        while True:
            while not (request := _whole(heard)):
                more = await loop.sock_recv(connection, 65_536)
                if not more:
                    return
                heard += more
            heard = heard[request[0] :]
            await loop.sock_sendall(connection, stale)
            said = self._answer(request[1], request[2], request[3])
            stale = said.after if said.after_s is None else b""
            if await self._deliver(loop, connection, said):
                return

    def _answer(self, method: str, target: str, body: bytes) -> Said:
        asked = self.cloud.read(method, target, body)
        said = self._truth(asked)
        for fault, context, counts in self._faults:
            if self._hits(fault, asked, counts):
                self.met[fault.twist] += 1
                context.earlier = self._earlier
                TWISTS[fault.twist](said, context)
        self._earlier.setdefault(asked.kind, []).append(said)
        if asked.kind == "upgrade":
            self._book(said)
        return said

    def _truth(self, asked: Asked) -> Said:
        headers = [
            (b"Date", format_datetime(self.times.cloud(), usegmt=True).encode()),
            (b"Content-Type", b"application/json"),
            (b"X-Request-Id", b"%032x" % self.met["calls"]),
        ]
        self.met["calls"] += 1
        if asked.kind != "upgrade" or asked.proxy is None:
            status, value = self.cloud.answer(asked)
            return Said(asked, status, value, headers)
        asked.proxy.calls += 1
        if self.cloud.runs(asked.proxy) and asked.proxy.denied:
            busy = {"error_code": "DBS.200019", "error_msg": "Another operation is being performed."}
            return Said(asked, 409, busy, headers, refusal=True)
        asked.proxy.next_id = self.cloud.new_id()
        return Said(asked, 200, self.cloud.accepted(asked.proxy, asked.proxy.next_id), headers, effect=True)

    def _book(self, said: Said) -> None:
        """An upgrade that is to start, starts; what the program could learn of it is noted."""
        proxy = said.asked.proxy
        if proxy is None or not said.effect:
            return
        self.cloud.start(proxy)
        proxy.denied = proxy.denied or said.refusal
        if said.whole:
            proxy.handed.append(proxy.next_id)
        self.on_upgrade()

    def _hits(self, fault: Fault, asked: Asked, counts: Counter[str]) -> bool:
        about = None if asked.proxy is None else self.cloud.proxies.index(asked.proxy)
        if fault.kind not in ("any", asked.kind) or fault.proxy not in (None, about):
            return False
        counts["calls"] += 1
        return fault.first < counts["calls"] <= fault.first + fault.times

    async def _deliver(self, loop: asyncio.AbstractEventLoop, connection: socket.socket, said: Said) -> bool:
        """Send it; whether the connection is to be closed."""
        if said.manner == "never":
            await asyncio.sleep(3600)
            return True
        if said.manner == "reset":
            return True
        wire, parts = said.bytes()[: said.cut], _PARTS if said.manner == "slow" else 1
        for part in range(parts):
            await asyncio.sleep(said.delay_s / parts)
            await loop.sock_sendall(connection, wire[part * len(wire) // parts : (part + 1) * len(wire) // parts])
        if said.after and said.after_s is not None:
            await asyncio.sleep(said.after_s)
            await loop.sock_sendall(connection, said.after)
        return said.close or said.cut is not None


def _whole(heard: bytes) -> tuple[int, str, str, bytes] | None:
    """The first whole request: its length, method, target and body."""
    head, found, rest = heard.partition(b"\r\n\r\n")
    if not found:
        return None
    lines = head.split(b"\r\n")
    method, target, _ = lines[0].decode("latin-1").split(" ", 2)
    sizes = [int(line.partition(b":")[2]) for line in lines if line.lower().startswith(b"content-length:")]
    size = sizes[0] if sizes else 0
    if len(rest) < size:
        return None
    return len(head) + 4 + size, method, target, rest[:size]
