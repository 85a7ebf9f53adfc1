"""Faults of delivery: bytes that changed, bytes too few or too many, answers that come late, twice or never."""

from fuzz.said import Context, Said, Twist

TWISTS: dict[str, Twist] = {}


def _twist(twist: Twist) -> Twist:
    TWISTS[twist.__name__.strip("_")] = twist
    return twist


@_twist
def lost(said: Said, context: Context) -> None:
    """No answer, or the end of the connection."""
    said.manner, said.whole = context.rng.choice(("never", "reset")), False


@_twist
def cut(said: Said, context: Context) -> None:
    """It ends somewhere."""
    said.cut, said.whole = context.rng.randrange(len(said.bytes())), False


@_twist
def flipped(said: Said, context: Context) -> None:
    """Some bytes are others."""
    wire = bytearray(said.bytes())
    for _ in range(context.rng.choice((1, 1, 3, 20))):
        wire[context.rng.randrange(len(wire))] = context.rng.randrange(256)
    said.wire, said.whole, said.close = bytes(wire), False, context.rng.random() < 0.5


@_twist
def inserted(said: Said, context: Context) -> None:
    """Bytes in between."""
    wire, piece = said.bytes(), context.rng.choice((b"\x00", b"\r\n", b"\n\n", b"\xff", b"<" * 9999, context.secret()))
    at = context.rng.randrange(len(wire))
    said.wire, said.whole = wire[:at] + piece + wire[at:], False


@_twist
def no_http(said: Said, context: Context) -> None:
    """It is not HTTP."""
    secret = context.secret()
    said.wire = context.rng.choice(
        (
            b"220 mail.example ESMTP\r\n",
            b"HTTP/1.1 " + secret + b"\r\n\r\n",
            b"HTTP/1.1 200" + secret + b" OK\r\n\r\n",
            b"HTTP/9.9 200 OK\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 99999 OK\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 101 Switching\r\nUpgrade: " + secret + b"\r\n\r\n",
            b"HTTP/1.1 100 Continue\r\n\r\n" * 3,
            secret,
            b"\x16\x03\x01\x02\x00\x01",
            context.rng.randbytes(200),
        )
    )
    said.whole, said.close = False, context.rng.random() < 0.7


@_twist
def twice(said: Said, context: Context) -> None:
    """The same answer once more on its connection: soon, or just when the next request has come."""
    said.after, said.after_s = said.bytes(), context.rng.choice((0.0, 0.5, None))


@_twist
def more(said: Said, context: Context) -> None:
    """Something more after it."""
    said.after = context.rng.choice(
        (b"\r\n\r\n", b"x", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", b"\x00" * 70_000)
    )


@_twist
def late(said: Said, context: Context) -> None:
    """It takes its time, perhaps more than anybody waits."""
    said.delay_s = context.rng.choice((1.0, 10.0, 29.0, 31.0, 300.0))
    said.whole = said.whole and said.delay_s < 25


@_twist
def slow(said: Said, context: Context) -> None:
    """It trickles."""
    said.manner, said.delay_s = "slow", context.rng.choice((5.0, 20.0, 100.0))
    said.whole = said.whole and said.delay_s < 10
