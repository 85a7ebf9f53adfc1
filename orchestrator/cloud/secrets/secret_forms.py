"""The forms in which a secret may be quoted, beside escapes: as it is, hexadecimal digits, Base64; in any case."""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator

#: A longer secret is a token, which nobody sends in any code but its own.
_LONGEST_CODED = 256

#: Only letters of ASCII, so that a text keeps its length.
_FOLD = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def folded(text: str) -> str:
    """The text in small letters, each where it was."""
    return text.lower() if text.isascii() else text.translate(_FOLD)


def forms(secret: str) -> Iterator[str]:
    """Every form, folded."""
    yield folded(secret)
    if " " in secret:
        yield folded(secret.replace(" ", "+"))  # of a form in a URL
    if len(secret) <= _LONGEST_CODED:
        data = secret.encode("utf-8", "surrogatepass")
        yield data.hex()
        yield data.hex(":")
        yield data.hex(" ")
        yield from map(folded, _in_base64(data))


def _in_base64(data: bytes) -> Iterator[str]:
    """As it stands in the Base64 of something longer: at one of three places, its ends mixed with what is beside."""
    for before in range(3):
        for encode in (b64encode, urlsafe_b64encode):
            inner = encode(bytes(before) + data).decode()[(before * 8 + 5) // 6 :].rstrip("=")
            yield inner[: -1 if (before + len(data)) % 3 else None]
