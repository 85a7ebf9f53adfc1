"""Look a host name up in a thread of its own, so that a name server that hangs keeps no other lookup waiting.

The common threads of an event loop are few: six on two cores, four with uvloop. A few names that nobody answers for
would take them all, and with them the lookups for the cloud, for as long as the system waits for its name servers.
"""

import socket
from collections.abc import Sequence
from functools import partial

from aiohttp.abc import AbstractResolver, ResolveResult
from anyio import CapacityLimiter, to_thread


class OwnThreadResolver(AbstractResolver):
    """As aiohttp's own, but for the threads. The connector asks for each host one at a time, which bounds them."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a host, in the order of the system.

        Raises:
            OSError: it cannot be resolved.
        """
        look_up = partial(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        found = await to_thread.run_sync(look_up, abandon_on_cancel=True, limiter=CapacityLimiter(1))
        return [_result(host, of, proto, address) for of, _, proto, _, address in found]

    async def close(self) -> None:
        """Nothing is kept."""


def _result(host: str, family: socket.AddressFamily, proto: int, address: Sequence[object]) -> ResolveResult:
    zone = f"%{address[3]}" if family == socket.AF_INET6 and address[3] else ""  # of a link-local address
    return ResolveResult(
        hostname=host,
        host=f"{address[0]}{zone}",
        port=int(str(address[1])),
        family=family,
        proto=proto,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )
