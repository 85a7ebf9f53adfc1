"""One answer on its way to the wire: what it says, how it is put and how delivered. Faults change it in place."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from fuzz.cloud import Asked, encoded

#: How an answer leaves: `never` and `reset` send nothing of it, `early` comes before the request was read to its end.
Manner: TypeAlias = Literal["whole", "twice", "never", "reset", "slow"]


@dataclass
class Said:
    """An answer.

    Attributes:
        value: of the body, as JSON; unused once `body` is set.
        whole: the answer can be understood, and says the truth: faults that damage it take this away.
        effect: whether the upgrade call that it answers starts an upgrade.
        refusal: it denies by its status that anything was started.
        cut: so many bytes of it are sent, then the connection closes.
        after: bytes that follow it, `after_s` later; None: between the next request on its connection and its answer.
        wire: the bytes themselves, in place of all that.
    """

    asked: Asked
    status: int
    value: Any
    headers: list[tuple[bytes, bytes]]
    reason: bytes = b"OK"
    body: bytes | None = None
    whole: bool = True
    effect: bool = False
    refusal: bool = False
    manner: Manner = "whole"
    delay_s: float = 0.0
    cut: int | None = None
    close: bool = False
    after: bytes = b""
    after_s: float | None = 0.0
    wire: bytes | None = None

    def content(self) -> bytes:
        """The body."""
        return encoded(self.value) if self.body is None else self.body

    def say(self, status: int, value: Any) -> None:
        """Say something else, which is not the truth."""
        self.status, self.value, self.body, self.whole = status, value, None, False

    def put(self, name: bytes, value: bytes) -> None:
        """Set a header."""
        self.drop(name)
        self.headers.append((name, value))

    def drop(self, name: bytes) -> None:
        """Take a header away."""
        self.headers = [each for each in self.headers if each[0].lower() != name.lower()]

    def bytes(self) -> bytes:
        """As it goes on the wire."""
        if self.wire is not None:
            return self.wire
        body, names = self.content(), {name.lower() for name, _ in self.headers}
        headers = list(self.headers)
        if not names & {b"content-length", b"transfer-encoding"}:
            headers.append((b"Content-Length", str(len(body)).encode()))
        head = b"HTTP/1.1 %d %s\r\n" % (self.status, self.reason)
        return head + b"".join(b"%s: %s\r\n" % each for each in headers) + b"\r\n" + body


@dataclass
class Context:
    """What a fault may use.

    Attributes:
        secrets: that the program holds, and the cloud may quote.
        earlier: the answers to calls of a kind, in order.
    """

    rng: random.Random
    secrets: tuple[bytes, ...]
    earlier: dict[str, list[Said]] = field(default_factory=dict)

    def secret(self) -> bytes:
        """One of them."""
        return self.rng.choice(self.secrets)


#: Changes an answer.
Twist: TypeAlias = Callable[[Said, Context], None]
