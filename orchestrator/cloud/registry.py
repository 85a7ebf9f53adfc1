"""Every secret that the process knows, and the one place where text is searched for them.

What the cloud says may quote what we sent: whole, cut off, escaped, encoded, in any field. So the code that gets
a secret registers it here, and everything that comes from the cloud is masked here before anything is made of it.
"""

import json
import re
from base64 import b64encode
from collections import defaultdict, deque
from collections.abc import Hashable, Iterable, Iterator
from typing import TypeVar
from urllib.parse import quote, quote_plus

from msgspec.structs import replace
from multidict import CIMultiDict

from orchestrator.cloud.answer import Answer
from orchestrator.cloud.json_body import as_text
from orchestrator.cloud.secret import HIDDEN, Secret
from orchestrator.model.strings import with_strings

T = TypeVar("T")

#: So much of a secret in a row is hidden, however the rest of it was cut off.
SHORTEST_RUN = 8

#: A text is looked at in pieces of this size, one at every `_STRIDE`: a run of `SHORTEST_RUN` holds one of them whole.
_PIECE = 6
_STRIDE = SHORTEST_RUN - _PIECE + 1

#: A shorter text keeps nothing secret, and would hide letters wherever they stand.
_SHORTEST = 4

#: A secret that is shorter than this is hidden where it stands as a word of its own.
_SHORTEST_INSIDE = 6

#: A longer secret is a token, which nobody sends in Base64.
_LONGEST_IN_BASE64 = 256

#: How many of its latest credentials are known of each owner: answers that quote an old one come late.
_GENERATIONS = 3

#: In `Authorization`; who knows it can send that one request again for a quarter of an hour.
_SIGNATURE = re.compile(r"(Signature(?:=|%3D|\\u003d))[0-9A-Fa-f]+")

#: The form of the API's ids: a UUID with dashes or without, perhaps with the suffix of its kind. API §1.
_ID = re.compile(r"[0-9a-fA-F]{8}(-?)[0-9a-fA-F]{4}\1[0-9a-fA-F]{4}\1[0-9a-fA-F]{4}\1[0-9a-fA-F]{12}(?:[a-z]{2}\d\d)?")


class Secrets:
    """What must not be shown. Knows nothing at first, and then costs nothing."""

    __slots__ = ("_exact", "_owned", "_pieces", "_whole")

    def __init__(self) -> None:
        self._owned: defaultdict[Hashable, deque[tuple[Secret, ...]]] = defaultdict(lambda: deque(maxlen=_GENERATIONS))
        self._exact: set[str] = set()
        self._pieces: set[str] = set()
        self._whole: re.Pattern[str] | None = None

    def learn(self, owner: Hashable, *secrets: Secret) -> None:
        """Hide these from now on, and the owner's last ones as well."""
        known = self._owned[owner]
        if not secrets or secrets in known:
            return
        forgets = len(known) == _GENERATIONS
        known.append(secrets)
        if forgets:
            self._exact.clear()
            self._pieces.clear()
        everything = [each for owned in self._owned.values() for generation in owned for each in generation]
        for secret in everything if forgets else secrets:
            self._exact.add(secret.reveal())
            self._pieces.update(_pieces(secret.reveal()))
        self._whole = _words(self._exact)

    def hide(self, text: str) -> str:
        """The text without any secret in it; the same object when it held none."""
        if self._whole is not None:
            text = self._whole.sub(HIDDEN, text)
        if self._pieces and not self._pieces.isdisjoint(
            [text[at : at + _PIECE] for at in range(0, len(text) - _PIECE + 1, _STRIDE)]
        ):
            text = _without(text, self._pieces)
        return _SIGNATURE.sub(rf"\1{HIDDEN}", text) if "Signature" in text else text

    def searched(self, answer: Answer) -> Answer:
        """An answer without any secret, before something of it is cut: the start of a secret is not found later."""
        body = self.hide(as_text(answer.body)).encode("utf-8", "replace")
        return replace(self.searched_headers(answer), body=body)

    def searched_headers(self, answer: Answer) -> Answer:
        """The same for an answer whose body is read whole, and searched as what was read from it."""
        found = [(name, self.hide(value)) for name, value in answer.headers.items()]
        return replace(answer, headers=CIMultiDict(found))

    def mask(self, value: T) -> T:
        """A value, such as a reply or a record, without any secret in any string of it."""
        return with_strings(value, self._hide_but_ids) if self._exact else value

    def _hide_but_ids(self, text: str) -> str:
        """An id that is a secret's neighbour by chance stays what it is: it is the only way to what we started."""
        if _ID.fullmatch(text) and text not in self._exact:
            return text
        return self.hide(text)


def _forms(value: str) -> Iterator[str]:
    """A secret in each form in which it may be quoted."""
    yield value
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1].replace("/", "\\/")
    yield quote(value)
    yield quote(value, safe="")
    yield quote(value, safe="").lower()
    yield quote_plus(value)


def _in_base64(value: str) -> Iterator[str]:
    """As it stands in the Base64 of something longer: at one of three places, its ends mixed with what is beside."""
    data = value.encode("utf-8", "surrogatepass")
    for before in range(3):
        encoded = b64encode(bytes(before) + data).decode()
        inner = encoded[(before * 8 + 5) // 6 :].rstrip("=")
        yield inner[: -1 if (before + len(data)) % 3 else None]


def _pieces(value: str) -> Iterator[str]:
    if len(value) < SHORTEST_RUN:
        return
    forms = {*_forms(value), *(_in_base64(value) if len(value) <= _LONGEST_IN_BASE64 else ())}
    for form in forms:
        yield from (form[at : at + _PIECE] for at in range(len(form) - _PIECE + 1))


def _words(secrets: Iterable[str]) -> re.Pattern[str] | None:
    """What finds the secrets that are too short to be found by their pieces."""
    short = sorted({(len(each), form) for each in secrets if _SHORTEST <= len(each) < SHORTEST_RUN
                    for form in _forms(each)})  # fmt: skip
    found = [
        re.escape(form) if size >= _SHORTEST_INSIDE else rf"(?<![A-Za-z0-9]){re.escape(form)}(?![A-Za-z0-9])"
        for size, form in reversed(short)
    ]
    return re.compile("|".join(found)) if found else None


def _without(text: str, pieces: set[str]) -> str:
    """The text with every run of `SHORTEST_RUN` hidden that stands in a secret."""
    kept: list[str] = []
    done = at = 0
    while at <= len(text) - _PIECE:
        if text[at : at + _PIECE] not in pieces:
            at += _STRIDE
            continue
        start, end = _run(text, at, pieces)
        if end - start >= SHORTEST_RUN:
            kept += [text[done:start], HIDDEN] if start > done or not kept else []
            done = end
        at = end - _PIECE + 2  # the first piece that is not known to be none
    return "".join([*kept, text[done:]])


def _run(text: str, at: int, pieces: set[str]) -> tuple[int, int]:
    """From where to where every piece around `at` is one of a secret."""
    start, end = at, at + _PIECE
    while start > 0 and text[start - 1 : start - 1 + _PIECE] in pieces:
        start -= 1
    while end < len(text) and text[end + 1 - _PIECE : end + 1] in pieces:
        end += 1
    return start, end
