"""Texts that must never be shown: not in a log, a message, a traceback or a report."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NoReturn
from urllib.parse import quote

HIDDEN = "***"

#: A shorter secret would hide ordinary words wherever they stand.
_SHORTEST_HIDDEN = 6

#: So much of a secret in a row is hidden, however the rest of it was cut off.
_PIECE = 8


#: In `Authorization`; who knows it can send that one request again for a quarter of an hour.
_SIGNATURE = re.compile(r"(Signature=)[0-9A-Fa-f]+")


class Secret:
    """Holds a secret; only `reveal` gives it back. Equal to another that holds the same."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself, to be put on the wire and nowhere else."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({HIDDEN})"

    def __str__(self) -> str:
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere")


def hide(text: str, secrets: Iterable[Secret]) -> str:
    """`text` with every secret in it hidden: what the cloud says may quote what we sent, whole, cut off or escaped."""
    for secret in secrets:
        text = _without(text, secret.reveal())
    return _SIGNATURE.sub(rf"\1{HIDDEN}", text)


def _without(text: str, value: str) -> str:
    size = min(len(value), _PIECE)
    if size < _SHORTEST_HIDDEN:
        return text
    pieces, kept, end = _pieces(value, size), [], 0
    for at in range(len(text) - size + 1):
        if text[at : at + size] in pieces:
            kept += [] if at < end else [text[end:at], HIDDEN]
            end = at + size
    return "".join([*kept, text[end:]])


@lru_cache(maxsize=16)  # a token has some thousand pieces, and a cloud that refuses much quotes the same one
def _pieces(value: str, size: int) -> frozenset[str]:
    """Everything of this size that stands in a secret, in each form in which it may be quoted."""
    written = (value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], quote(value))
    return frozenset(each[at : at + size] for each in written for at in range(len(each) - size + 1))


class HiddenEnvironment(Mapping[str, str]):
    """A live view of the environment that shows none of its values: what holds it may be printed."""

    __slots__ = ("_environ",)

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def __getitem__(self, name: str) -> str:
        return self._environ[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)

    def __repr__(self) -> str:
        return f"HiddenEnvironment({HIDDEN})"
