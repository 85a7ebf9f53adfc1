"""Servers that are no cloud: each says the same to everybody, and counts who asked."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import trustme

#: What the usual sinners say.
HTML = b"<html><head><title>Welcome to the hotel wireless</title></head><body>Please log in.</body></html>"


@dataclass
class BadServer:
    """Where it listens, and the first line of every request that it got."""

    url: str
    requests: list[str] = field(default_factory=list)


def answer(status: str, body: bytes, *headers: str) -> bytes:
    """A whole answer, after which the connection is closed."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@contextmanager
def bad_server(said: bytes | None, *, context: ssl.SSLContext | None = None) -> Iterator[BadServer]:
    """A server that answers every request with these bytes, or never when there are none."""
    listening = socket.create_server(("127.0.0.1", 0))
    scheme = "http" if context is None else "https"
    server = BadServer(f"{scheme}://127.0.0.1:{listening.getsockname()[1]}")
    silent: list[socket.socket] = []
    thread = Thread(target=_serve, args=(listening, server, said, context, silent), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)
        for connection in silent:
            connection.close()


def _serve(
    listening: socket.socket,
    server: BadServer,
    said: bytes | None,
    context: ssl.SSLContext | None,
    silent: list[socket.socket],
) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        if said is None:
            silent.append(connection)
            continue
        try:
            _answer(connection, server, said, context)
        except OSError:  # the caller went away, or did not like our certificate
            connection.close()


def _answer(connection: socket.socket, server: BadServer, said: bytes, context: ssl.SSLContext | None) -> None:
    connection.settimeout(60)
    with context.wrap_socket(connection, server_side=True) if context else connection as stream:
        server.requests.append(stream.recv(65536).partition(b"\r\n")[0].decode())
        stream.sendall(said)


def certificate(folder: Path, host: str) -> tuple[ssl.SSLContext, Path]:
    """The context of a server for this host, and the file of the authority that nobody else knows."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    file = folder / "authority.pem"
    authority.cert_pem.write_to_path(file)
    return context, file
