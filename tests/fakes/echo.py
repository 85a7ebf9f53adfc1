"""A cloud that quotes in its errors all that it was asked, as a careless one does: headers, path and body."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


def _handler(status: int, *, page: bool) -> type[BaseHTTPRequestHandler]:
    class Echo(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            asked = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            said = f"{self.requestline} {self.headers} {asked}"
            body = f"<html>{said}</html>" if page else json.dumps({"error_code": "APIGW.0301", "error_msg": said})
            self.send_response(status)
            self.send_header("X-Request-Id", "r-1")
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_POST = _answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Echo


@contextmanager
def echo_server(status: int, *, page: bool = False) -> Iterator[str]:
    """The address of a cloud that answers everything with this status and a quotation, in JSON or as a page."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(status, page=page))
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
