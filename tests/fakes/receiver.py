"""A receiver of notifications on loopback, which answers as it is told to; and receivers that are no network at all."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from orchestrator.app.notify.notice import Notice
from orchestrator.app.notify.receivers import Receiver
from orchestrator.app.notify.untold import Untold

Manner = Literal["takes", "refuses", "closes", "hangs", "redirects"]


@dataclass
class Desk:
    """What came to a server, and how it answers.

    Attributes:
        got: of each request method, path, headers in small letters, body.
        go_on: set, requests that hang are let go.
    """

    url: str = ""
    manner: Manner = "takes"
    got: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)

    @property
    def paths(self) -> list[str]:
        return [path for _, path, _, _ in self.got]


@contextmanager
def receiver_server(manner: Manner = "takes") -> Iterator[Desk]:
    """Serve until the end of the block."""
    desk = Desk(manner=manner)

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            desk.got.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            if desk.manner == "hangs":
                desk.go_on.wait()
            if desk.manner in ("hangs", "closes"):
                self.close_connection = True
                return
            self.send_response({"takes": 204, "refuses": 500, "redirects": 302}[desk.manner])
            if desk.manner == "redirects":
                self.send_header("Location", f"{desk.url}/elsewhere")
            self.end_headers()

        do_GET = do_POST = _answer  # noqa: N815  # the server's own names

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    desk.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield desk
    finally:
        desk.go_on.set()
        server.shutdown()
        server.server_close()


@dataclass
class Ear:
    """Somebody who is told, in this process.

    Attributes:
        failures: so many times it is not told.
    """

    name: str = "ear"
    kinds: tuple[str, ...] = ("held", "approval", "person", "window_closes", "ended", "first_reject")
    failures: int = 0
    heard: list[Notice] = field(default_factory=list)

    def tell(self, notice: Notice) -> None:
        if self.failures > 0:
            self.failures -= 1
            raise Untold("answered 500")
        self.heard.append(notice)

    @property
    def receiver(self) -> Receiver:
        return Receiver(self.name, frozenset(self.kinds), self.tell)

    @property
    def told(self) -> list[str]:
        return [notice.kind for notice in self.heard]
