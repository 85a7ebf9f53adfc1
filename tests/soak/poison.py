"""Answers as no cloud should give them: odd bytes, depths, numbers, dates and quotes, and answers to other questions.

What is done here damages an answer, or adds to it. It never denies what the cloud did: that no client could survive.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from orchestrator.cloud.reading.answer import Answer

#: Changes an answer; the texts are secrets that it may quote.
Poison: TypeAlias = Callable[[Random, Answer, tuple[str, ...]], Answer]

_Entry: TypeAlias = dict[str, str | None]

_WAITS = ("1e400", "1e12", "1772395200", "1772395200000", "9" * 5000, "-1", "\udcff", "NaN", "soon")
_DATES = ("Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 +2359", "9" * 5000, "\udcff", "")


def _odd_bytes(chance: Random, answer: Answer, _secrets: tuple[str, ...]) -> Answer:
    """The byte 0xFF in a header, as aiohttp hands it over."""
    return _with_header(answer, "X-Request-Id", chance.choice(("\udcff", "a\udcc3\udc28", "\udcff" * 300)))


def _odd_text(chance: Random, answer: Answer, _secrets: tuple[str, ...]) -> Answer:
    """A text with a byte that is no UTF-8, half a character, or a line break, in an answer that is good otherwise."""
    damage = chance.choice((b"caf\xe9", b"\\ud800", b"\\udc00 x", b"a\nb", b"\xed\xa0\x80"))
    return replace(answer, body=answer.body.replace(b"{", b'{"note":"' + damage + b'",', 1))


def _quote(chance: Random, answer: Answer, secrets: tuple[str, ...]) -> Answer:
    """A secret in a header, and in every message."""
    secret = chance.choice(secrets)
    body = answer.body.replace(b'"error_msg":"', b'"error_msg":"' + secret.encode() + b" ")
    return replace(_with_header(answer, "X-Request-Id", f"token={secret}"), body=body)


def _dated(chance: Random, answer: Answer, _secrets: tuple[str, ...]) -> Answer:
    """An absurd `Date`."""
    return _with_header(answer, "Date", chance.choice(_DATES))


def _nested(_chance: Random, answer: Answer, _secrets: tuple[str, ...]) -> Answer:
    return replace(answer, body=b'{"update_result":' + b"[" * 1000 + b"]" * 1000 + b"}")


def _long_number(_chance: Random, answer: Answer, _secrets: tuple[str, ...]) -> Answer:
    return replace(answer, body=b'{"update_result":[{"state":' + b"9" * 5000 + b"}]}")


def _page(_chance: Random, answer: Answer, _secrets: tuple[str, ...]) -> Answer:
    """A page of somebody in between."""
    return replace(answer, body=b"<" * 65_536)


def _wait(chance: Random, answer: Answer, _secrets: tuple[str, ...]) -> Answer:
    """Too many calls, and an absurd time to wait."""
    throttled = replace(answer, status=429, body=b'{"error_code":"APIGW.0308","error_msg":"too many"}')
    return _with_header(throttled, "Retry-After", chance.choice(_WAITS))


def _with_header(answer: Answer, name: str, value: str) -> Answer:
    rest = {key: each for key, each in answer.headers.items() if key.lower() != name.lower()}
    return replace(answer, headers={**rest, name: value})


#: What leaves an answer understood, and what does not.
HARMLESS: dict[str, Poison] = {"bytes": _odd_bytes, "text": _odd_text, "quote": _quote, "date": _dated}
HARMFUL: dict[str, Poison] = {"nested": _nested, "number": _long_number, "page": _page}
#: It denies that anything began, so it is for answers to calls that began nothing.
DENYING: dict[str, Poison] = {"wait": _wait}

POISONS = (*HARMLESS, *HARMFUL, *DENYING)
CROSSED = ("another's answer", "another's workflow_id", "another's instance_id")


@dataclass(frozen=True)
class Dose:
    """How much of it a trial gets.

    Attributes:
        share: of all answers.
        proxy_id: a target all of whose own answers cannot be understood.
        crossed: share of the answers to upgrade calls that belong to another one.
    """

    share: float = 0.0
    proxy_id: str | None = None
    crossed: float = 0.0


NO_POISON = Dose()


@dataclass
class Poisoner:
    """Poisons the answers of a trial, and counts what it did."""

    dose: Dose
    chance: Random
    secrets: tuple[str, ...]
    met: dict[str, int] = field(default_factory=dict)
    _carried: str | None = None
    _accepted: list[tuple[str, list[_Entry]]] = field(default_factory=list)

    def answer(self, answer: Answer, *, about: str | None, began: bool, carried: str | None = None) -> Answer:
        """What arrives in place of an answer.

        Args:
            about: the proxy that was asked about, where one was.
            began: the call started an upgrade.
            carried: all that came with the request, where it is quoted from that alone.
        """
        self._carried = carried
        if about is not None and about == self.dose.proxy_id:
            return self._give(answer, HARMFUL if self.chance.random() < 0.8 else HARMLESS)
        if self.dose.share and self.chance.random() < self.dose.share:
            return self._give(answer, HARMLESS | HARMFUL | ({} if began else DENYING))
        return answer

    def upgrade_answer(self, answer: Answer, instance_id: str) -> Answer:
        """What arrives in place of an answer that accepts: in a trial of crossed answers each names its instance."""
        if not self.dose.crossed or answer.status != 200 or b'"ACCEPT"' not in answer.body:
            return answer
        entries = [{**entry, "instance_id": instance_id} for entry in _entries(answer)]
        others = [theirs for asked, theirs in self._accepted if asked != instance_id]
        self._accepted.append((instance_id, entries))
        if others and self.chance.random() < self.dose.crossed:
            kind = self.chance.choice(CROSSED)
            self._count(kind)
            entries = _crossed(kind, entries, self.chance.choice(others))
        return replace(answer, body=msgspec.json.encode({"update_result": entries}))

    def _give(self, answer: Answer, kinds: dict[str, Poison]) -> Answer:
        name = self.chance.choice(list(kinds))
        self._count(name)
        told = self.secrets
        if self._carried is not None:
            told = tuple(secret for secret in self.secrets if secret in self._carried) or ("nothing",)
        return kinds[name](self.chance, answer, told)

    def _count(self, name: str) -> None:
        self.met[name] = self.met.get(name, 0) + 1


def _entries(answer: Answer) -> list[_Entry]:
    entries: list[_Entry] = msgspec.json.decode(answer.body)["update_result"]
    return entries


def _crossed(kind: str, entries: list[_Entry], theirs: list[_Entry]) -> list[_Entry]:
    if kind == "another's answer":
        return theirs
    name = kind.removeprefix("another's ")
    return [{**entry, name: theirs[0].get(name)} for entry in entries]
