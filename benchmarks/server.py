"""A cloud that costs next to nothing: fixed answers over a bare asyncio protocol, and the instants of its requests.

Prints its port; on SIGTERM prints, as JSON, how many requests it saw and the most in any one-second window.
"""

import asyncio
import json
import re
import signal
import sys
import time
import uuid
from bisect import bisect_left

VERSION = b'{"current_version":"2.23.12.000","latest_version":"2.24.03.000","can_upgrade":true}'
NO_JOBS = b'{"jobs":[],"total_count":0,"action_names":[]}'
ANSWER = b'{"update_result":[{"workflow_id":"%s","state":"ACCEPT","error_message":null}]}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Request-Id: 1\r\nContent-Length: %d\r\n\r\n%s"
LENGTH = re.compile(rb"[Cc]ontent-[Ll]ength: (\d+)")


class Cloud(asyncio.Protocol):
    """One connection."""

    arrivals: list[float] = []  # noqa: RUF012  # shared on purpose: one server, one list
    latency_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end]
            length = LENGTH.search(head)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self.buffer) < whole:
                return
            self.buffer = self.buffer[whole:]
            self.answer(head)

    def answer(self, head: bytes) -> None:
        self.arrivals.append(time.monotonic())
        if head.startswith(b"POST"):
            body = ANSWER % str(uuid.uuid4()).encode()
        else:
            body = VERSION if b"proxy-version" in head else NO_JOBS
        reply = HEAD % (len(body), body)
        if self.latency_s:
            asyncio.get_running_loop().call_later(self.latency_s, self.transport.write, reply)
        else:
            self.transport.write(reply)


def most_in_a_second(arrivals: list[float]) -> int:
    """The most requests in any window of one second."""
    return max((bisect_left(arrivals, at + 1.0) - index for index, at in enumerate(arrivals)), default=0)


async def main() -> None:
    Cloud.latency_s = float(sys.argv[1]) if len(sys.argv) > 1 else 0.0
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    server = await loop.create_server(Cloud, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await stopped.wait()
    arrivals = Cloud.arrivals
    span = arrivals[-1] - arrivals[0] if len(arrivals) > 1 else 0.0
    print(json.dumps({"calls": len(arrivals), "seconds": span, "worst_second": most_in_a_second(arrivals)}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
