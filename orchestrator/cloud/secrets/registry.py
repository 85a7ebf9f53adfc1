"""Every secret that the process knows, and the one place where text is searched for them.

What the cloud says may quote what we sent: whole, cut off, escaped, in another code or case, in any field. So the code
that gets a secret registers it here, and everything that comes from the cloud is masked here before anything is made of
it.
"""

import re
from collections import defaultdict, deque
from collections.abc import Hashable, Iterable, Iterator
from typing import TypeAlias, TypeVar

from msgspec.structs import replace
from multidict import CIMultiDict

from orchestrator.cloud.reading.answer import KEPT_HEADERS, Answer
from orchestrator.cloud.reading.json_body import as_text
from orchestrator.cloud.secrets.escaped import readings
from orchestrator.cloud.secrets.secret import HIDDEN, Secret
from orchestrator.cloud.secrets.secret_forms import folded, forms
from orchestrator.model.written.strings import with_strings

T = TypeVar("T")
_Span: TypeAlias = tuple[int, int]

#: So much of a secret in a row is hidden, however the rest of it was cut off.
SHORTEST_RUN = 8

#: A text is looked at in pieces of this size, one at every `_STRIDE`: a run of `SHORTEST_RUN` holds one of them whole.
_PIECE = 6
_STRIDE = SHORTEST_RUN - _PIECE + 1

#: A shorter text keeps nothing secret, and would hide letters wherever they stand.
_SHORTEST = 4

#: A secret that is shorter than this is hidden where it stands as a word of its own.
_SHORTEST_INSIDE = 6

#: So often a text may have been escaped: JSON quotes a URL.
_LEVELS = 2

#: How many of its latest credentials are known of each owner: answers that quote an old one come late.
_GENERATIONS = 3

#: Texts in which nothing was found come again and again: versions, verdicts, headers. So many of them are not searched
#: twice, and none that is longer.
_MOST_KEPT, _LONGEST_KEPT = 1024, 64

#: In `Authorization`; who knows it can send that one request again for a quarter of an hour.
_SIGNATURE = re.compile(r"(Signature(?:=|%3D|\\u003d))[0-9A-Fa-f]+")

#: The form of the API's ids: a UUID with dashes or without, perhaps with the suffix of its kind. API §1.
_ID = re.compile(r"[0-9a-fA-F]{8}(-?)[0-9a-fA-F]{4}\1[0-9a-fA-F]{4}\1[0-9a-fA-F]{4}\1[0-9a-fA-F]{12}(?:[a-z]{2}\d\d)?")


class Secrets:
    """What must not be shown. Knows nothing at first, and then costs nothing."""

    __slots__ = ("_clean", "_exact", "_owned", "_pieces", "_words")

    def __init__(self) -> None:
        self._owned: defaultdict[Hashable, deque[tuple[Secret, ...]]] = defaultdict(lambda: deque(maxlen=_GENERATIONS))
        self._exact: set[str] = set()
        self._pieces: set[str] = set()
        self._words: re.Pattern[str] | None = None
        self._clean: set[str] = set()

    def learn(self, owner: Hashable, *secrets: Secret) -> None:
        """Hide these from now on, and the owner's last ones as well."""
        known = self._owned[owner]
        if not secrets or secrets in known:
            return
        self._clean.clear()
        forgets = len(known) == _GENERATIONS
        known.append(secrets)
        if forgets:
            self._exact.clear()
            self._pieces.clear()
        everything = [each for owned in self._owned.values() for generation in owned for each in generation]
        for secret in everything if forgets else secrets:
            self._exact.add(secret.reveal())
            self._pieces.update(_pieces(secret.reveal()))
        self._words = _words(self._exact)

    def hide(self, text: str) -> str:
        """The text without any secret in it; the same object when it held none."""
        if text in self._clean:
            return text
        without = _without(text, found) if self._exact and (found := list(self._found(text, _LEVELS))) else text
        hidden = _SIGNATURE.sub(rf"\1{HIDDEN}", without) if "Signature" in without else without
        if hidden is text and len(text) <= _LONGEST_KEPT:
            if len(self._clean) >= _MOST_KEPT:
                self._clean.clear()
            self._clean.add(text)
        return hidden

    def _found(self, text: str, levels: int) -> Iterator[_Span]:
        """From where to where secrets stand, as it is written and with its escapes taken off."""
        low = folded(text)
        if self._words is not None:
            yield from (found.span() for found in self._words.finditer(low))
        if not self._pieces.isdisjoint([low[at : at + _PIECE] for at in range(0, len(low) - _PIECE + 1, _STRIDE)]):
            yield from _runs(low, self._pieces)
        for plain in readings(text) if levels else ():
            yield from (plain.written(*span) for span in self._found(plain.text, levels - 1))

    def searched(self, answer: Answer) -> Answer:
        """An answer without any secret, before something of it is cut: the start of a secret is not found later."""
        body = self.hide(as_text(answer.body)).encode("utf-8", "replace")
        return replace(self.searched_headers(answer), body=body)

    def searched_headers(self, answer: Answer) -> Answer:
        """The same for the headers alone."""
        found = [(name, self.hide(value)) for name, value in answer.headers.items()]
        return replace(answer, headers=CIMultiDict(found))

    def searched_facts(self, answer: Answer) -> Answer:
        """The same for an answer whose body is read whole, and searched as what was read from it.

        Of its headers only those are left of which anything is kept.
        """
        found = ((name, answer.headers.get(name)) for name in KEPT_HEADERS)
        return replace(answer, headers={name: self.hide(value) for name, value in found if value is not None})

    def mask(self, value: T) -> T:
        """A value, such as a reply or a record, without any secret in any string of it."""
        return with_strings(value, self._hide_but_ids) if self._exact else value

    def _hide_but_ids(self, text: str) -> str:
        """An id that is a secret's neighbour by chance stays what it is: it is the only way to what we started."""
        if _ID.fullmatch(text) and text not in self._exact:
            return text
        return self.hide(text)


def _pieces(secret: str) -> Iterator[str]:
    for form in forms(secret) if len(secret) >= _SHORTEST else ():
        if len(form) >= SHORTEST_RUN:
            yield from (form[at : at + _PIECE] for at in range(len(form) - _PIECE + 1))


def _words(secrets: Iterable[str]) -> re.Pattern[str] | None:
    """What finds the secrets that are too short to be found by their pieces."""
    short = sorted({(len(each), folded(each)) for each in secrets if _SHORTEST <= len(each) < SHORTEST_RUN})
    found = [
        re.escape(form) if size >= _SHORTEST_INSIDE else rf"(?<![A-Za-z0-9]){re.escape(form)}(?![A-Za-z0-9])"
        for size, form in reversed(short)
    ]
    return re.compile("|".join(found)) if found else None


def _without(text: str, spans: Iterable[_Span]) -> str:
    """The text with `HIDDEN` in these places; once where they touch."""
    kept: list[str] = []
    done = 0
    for start, end in sorted(spans):
        if start > done or not kept:
            kept += text[done:start], HIDDEN
        done = max(done, end)
    return "".join([*kept, text[done:]])


def _runs(text: str, pieces: set[str]) -> Iterator[_Span]:
    """Every run of `SHORTEST_RUN` or more that stands in a secret."""
    at = 0
    while at <= len(text) - _PIECE:
        if text[at : at + _PIECE] not in pieces:
            at += _STRIDE
            continue
        start, end = _run(text, at, pieces)
        if end - start >= SHORTEST_RUN:
            yield start, end
        at = end - _PIECE + 2  # the first piece that is not known to be none


def _run(text: str, at: int, pieces: set[str]) -> _Span:
    """From where to where every piece around `at` is one of a secret."""
    start, end = at, at + _PIECE
    while start > 0 and text[start - 1 : start - 1 + _PIECE] in pieces:
        start -= 1
    while end < len(text) and text[end + 1 - _PIECE : end + 1] in pieces:
        end += 1
    return start, end
