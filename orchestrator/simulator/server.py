"""The simulated cloud on a port: aiohttp in, `SimulatedCloud.handle`, aiohttp out. No decision is made here.

It listens where it is told, on loopback by default; it is a test bed and no server for a network.
"""

import asyncio
from datetime import UTC, datetime

from aiohttp import web

from orchestrator.simulator.cloud import SimulatedCloud
from orchestrator.simulator.profiles import SettingError
from orchestrator.simulator.wire import Reply, Request

_SHUTDOWN_S = 0.1
_PIECES = 10


class Server:
    """Serves one cloud; to be started and stopped on one event loop."""

    def __init__(self, cloud: SimulatedCloud) -> None:
        self.cloud = cloud
        self._last = utc_now()
        self._runner: web.ServerRunner | None = None

    async def start(self) -> str:
        """Listen; the address, as in `http://127.0.0.1:41234`.

        Raises:
            SettingError: the port cannot be listened on.
        """
        host, port = self.cloud.config.host, self.cloud.config.port
        protocol = web.Server(self._answer, handler_cancellation=True, access_log=None)
        self._runner = runner = web.ServerRunner(protocol, shutdown_timeout=_SHUTDOWN_S)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port, backlog=1024).start()
        except OSError as error:
            await runner.cleanup()
            raise SettingError(f"port: cannot listen on {host}:{port}: {error.strerror}") from error
        return f"http://{host}:{runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, raw: web.BaseRequest) -> web.StreamResponse:
        request = await _received(raw)
        kind = "upgrade" if request.path.endswith("/upgrade-version") else "other"
        self.cloud.books.began(kind)
        try:
            self._last = max(self._last, utc_now())  # the wall clock may step back, the world must not
            return await _deliver(self.cloud.handle(request, self._last), raw)
        finally:
            self.cloud.books.ended(kind)


def utc_now() -> datetime:
    """The wall clock. It is read here alone."""
    return datetime.now(UTC)  # noqa: TID251 - the simulated cloud shares no code with the client, so not its clock either


async def _received(raw: web.BaseRequest) -> Request:
    path, _, query = raw.raw_path.partition("?")
    headers = {name.lower(): value for name, value in raw.headers.items()}
    return Request(raw.method, path, query, headers, await raw.read())


async def _deliver(reply: Reply, raw: web.BaseRequest) -> web.StreamResponse:
    delivery = reply.delivery
    if delivery.delay_s > 0:
        await asyncio.sleep(delivery.delay_s)
    if delivery.never:
        await asyncio.get_running_loop().create_future()  # until the caller goes away, or the server stops
    headers = {**reply.headers, "Content-Type": reply.content_type}
    if delivery.cut_after is not None:
        return await _cut(reply, headers, delivery.cut_after, raw)
    if delivery.trickle_s > 0:
        return await _trickle(reply, headers, delivery.trickle_s, raw)
    return web.Response(status=reply.status, body=reply.body, headers=headers)


async def _cut(reply: Reply, headers: dict[str, str], size: int, raw: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse(status=reply.status, headers=headers)
    if size > 0:
        response.content_length = len(reply.body)
        await response.prepare(raw)
        await response.write(reply.body[:size])
    if raw.transport is not None:
        raw.transport.close()
    return response


async def _trickle(reply: Reply, headers: dict[str, str], total_s: float, raw: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse(status=reply.status, headers=headers)
    response.content_length = len(reply.body)
    await response.prepare(raw)
    step = max(1, len(reply.body) // _PIECES)
    for start in range(0, len(reply.body), step):
        await asyncio.sleep(total_s / _PIECES)
        await response.write(reply.body[start : start + step])
    return response
