"""Faults of how an answer is put: status lines, headers, encodings, and refusals that come with any of them."""

import gzip
import zlib

from fuzz.said import Context, Said, Twist

TWISTS: dict[str, Twist] = {}


def _twist(twist: Twist) -> Twist:
    TWISTS[twist.__name__.strip("_")] = twist
    return twist


_WEIRD = (
    *(b"\xff", b"\xc3\x28", b"\x1b[31m", b"\x80" * 300, b"a" * 9000, "日本".encode(), b"%00", b"\\ud800", b""),
    *(b"{{{", b"' or 1=1", b"\xed\xa0\x80", b"x\tx", "\u202e".encode(), b"\xf0\x9f\x92\xa9"),
)

_WAITS = (
    *(b"0", b"-1", b"1", b"30", b"3600", b"7200", b"1e12", b"1e400", b"-1e400", b"NaN", b"inf", b"9" * 5000, b"0x10"),
    *(b"1795723000", b"1795723000000", b"1000000000", b"Fri, 31 Dec 9999 23:59:59 GMT", b"\xff", b"1_000", b""),
    *(b"Mon, 01 Jan 0001 00:00:00 +2359", b"Sun, 01 Mar 2026 20:00:30 GMT", b"1e3", b"soon", "٣".encode()),
)

_DATES = (
    *(b"Fri, 31 Dec 9999 23:59:59 GMT", b"Mon, 01 Jan 0001 00:00:00 GMT", b"Thu, 01 Jan 1970 00:00:00 GMT", b"\xff"),
    *(b"Mon, 01 Jan 0001 00:00:00 +2359", b"Fri, 31 Dec 9999 23:59:59 -2359", b"9" * 5000, b"", b"now"),
    *(b"Sun, 01 Mar 2026 20:00:00 +9999999999", b"Sun, 99 Mar 2026 99:99:99 GMT", b"Sun, 01 Mar 99999999 20:00:00 GMT"),
)

#: Status, code and words.
REFUSALS = (
    *((400, "DBS.280001", "Parameter error"), (403, "DBS.212033", "The DB instance is being operated on.")),
    *((409, "DBS.200019", "Another operation is being performed"), (404, "DBS.200408", "no such instance")),
    *((400, "DBS.05000008", "already the latest"), (400, "DBS.999999", "?"), (418, None, None), (408, None, "late")),
    *((500, "DBS.05000000", "internal"), (502, None, None), (503, "APIGW.0601", "down"), (504, None, None)),
    *((302, None, None), (204, None, None), (206, None, None), (999, None, None), (599, "DBS.280001", "x")),
)
_THROTTLES = ((429, "APIGW.0308"), (429, None), (503, "APIG.0308"), (200, "APIGW.0308"), (403, "IAM.0012"))
_CREDENTIALS = ((401, "APIGW.0301"), (401, None), (500, "APIGW.0307"), (200, "DBS.280056"), (403, "APIGW.0301"))


@_twist
def request_id(said: Said, context: Context) -> None:
    """Anything in `X-Request-Id`. The rest of the answer is as it was."""
    said.put(b"X-Request-Id", context.rng.choice((*_WEIRD, context.secret())))


@_twist
def refused(said: Said, context: Context) -> None:
    """A refusal of any status and code; one that does not deny it may have taken effect."""
    status, code, words = context.rng.choice(REFUSALS)
    quoted = words if context.rng.random() < 0.7 else f"{words} {context.secret().decode()}"
    said.say(status, {"error_code": code, "error_msg": quoted} if code or words else {})
    denies = 300 <= status < 500 and status != 408
    said.refusal = denies
    said.effect = said.effect and not denies
    if status in (204, 302):
        said.body = b""


@_twist
def throttled(said: Said, context: Context) -> None:
    """Too many calls."""
    status, code = context.rng.choice(_THROTTLES)
    said.say(status, {"error_code": code, "error_msg": context.rng.choice(("limit:5,time:1 minute", "slow down"))})
    said.refusal, said.effect = True, False


@_twist
def paused(said: Said, context: Context) -> None:
    """Too many calls, and any instant to come back at."""
    throttled(said, context)
    said.put(b"Retry-After", context.rng.choice(_WAITS))


@_twist
def credentials(said: Said, context: Context) -> None:
    """The token is refused; sometimes a cloud says so that did what it was asked."""
    status, code = context.rng.choice(_CREDENTIALS)
    said.say(status, {"error_code": code, "error_msg": f"bad token {context.secret().decode()}"})
    said.refusal, said.effect = True, said.effect and context.rng.random() < 0.5


@_twist
def date(said: Said, context: Context) -> None:
    """A `Date` that is none, or none at all."""
    said.drop(b"Date")
    if context.rng.random() < 0.9:
        said.put(b"Date", context.rng.choice(_DATES))


@_twist
def headers(said: Said, context: Context) -> None:
    """Headers of any form and length."""
    secret = context.secret()
    name, value = context.rng.choice(
        (
            (b"X-Auth-Token", secret + b"A" * 70_000),
            (b"Content-Length", b"-1"),
            (b"Content-Length", b"9" * 30),
            (b"Content-Length", str(len(said.content()) + 3).encode()),
            (b"Content-Length", str(max(0, len(said.content()) - 3)).encode()),
            (b"Content-Type", b"text/html; charset=\xff"),
            (b"Set-Cookie", secret + b"; Domain=."),
            (b"Location", b"http://127.0.0.1:1/" + secret),
            (b"no colon " + secret, b""),
            (b"Connection", b"close, upgrade"),
            (b"Upgrade", b"h2c"),
            (b"X\xff", b"\xff"),
            (b"Content-Length: 1\r\nContent-Length", b"2"),
            (b"X-Fold", b"a\r\n b\r\n\tc"),
            *((b"X-%d" % number, b"y" * 500) for number in range(3)),
        )
    )
    said.put(name, value)
    said.headers += [(b"X-Many", b"z")] * context.rng.choice((0, 0, 500, 20_000))
    said.whole = False


@_twist
def encoding(said: Said, context: Context) -> None:
    """Packed bodies: right, broken, endless, unknown."""
    content, rng = said.content(), context.rng
    name, body = rng.choice(
        (
            (b"gzip", gzip.compress(content)),
            (b"gzip", gzip.compress(content)[:-6]),
            (b"gzip", content),
            (b"gzip", gzip.compress(b" " * 30_000_000, 1)),
            (b"deflate", zlib.compress(content)),
            (b"deflate", b"\x00\xff" * 9),
            (b"br", content),
            (b"zstd", content),
            (b"gzip, gzip", gzip.compress(gzip.compress(content))),
            (b"\xff", content),
        )
    )
    said.put(b"Content-Encoding", name)
    said.body, said.whole = body, False


@_twist
def chunks(said: Said, context: Context) -> None:
    """Chunked, in good order or not."""
    content = said.content()
    size = context.rng.choice((b"%x", b"-%x", b"%x;a=b", b"0x%x", b"%xffffffffffffffff", b"%x \r\n", b"z%x"))
    said.drop(b"Content-Length")
    said.put(b"Transfer-Encoding", context.rng.choice((b"chunked", b"chunked", b"chunked, chunked", b"identity")))
    said.body = size % len(content) + b"\r\n" + content + b"\r\n" + context.rng.choice((b"0\r\n\r\n", b"0\r\n", b""))
    said.whole, said.close = False, True


@_twist
def page(said: Said, context: Context) -> None:
    """A page of somebody in between."""
    secret = context.secret()
    said.body, said.whole = (
        context.rng.choice(
            (
                b"<html>" + b"<" * 65_536,
                b"<script" * 9000,
                b"<style " + b"<script>" * 8000,
                b"<html><title>Log in " + secret + b"</title>",
                b"x" * 150 + secret,
                b"\xff\xfe" * 1000,
                b"",
                b" " * 1_100_000,
            )
        ),
        False,
    )
    said.status = context.rng.choice((200, 200, 403, 500, 502))
    denies = said.status == 403
    said.refusal, said.effect = denies, said.effect and not denies
