"""What crosses the wire: a request, a reply, how the reply is delivered, and the shapes of error bodies.

No sockets here. Body shapes: TaurusDB answers `{"error_code", "error_msg"}`, the gateway adds `request_id`, IAM v3
nests `{"error": {"code", "message", "title"}}` (help pages ErrorCode and api-sign-errorcode; IAM token page).
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

JSON = "application/json"
HTML = "text/html"


class Request(msgspec.Struct, frozen=True):
    """One request as it arrived: path and query still percent-encoded, header names in lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = {}
    body: bytes = b""

    def pairs(self) -> list[tuple[str, str]]:
        """The query as decoded pairs, in the order of the wire."""
        return parse_qsl(self.query, keep_blank_values=True) if self.query else []


class Delivery(msgspec.Struct, frozen=True):
    """How a reply reaches the caller. Durations are seconds of real (or virtual) time."""

    delay_s: float = 0.0
    #: None: whole; 0: the connection closes before the status line; n: it closes after n bytes of the body.
    cut_after: int | None = None
    #: Nothing is ever sent; the connection stays open.
    never: bool = False
    #: The body trickles over this time.
    trickle_s: float = 0.0


PLAIN = Delivery()


class Reply(msgspec.Struct, frozen=True):
    """What the cloud answers."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] = {}
    delivery: Delivery = PLAIN

    def json(self) -> Any:
        """The body, decoded."""
        return msgspec.json.decode(self.body)


class Refusal(Exception):  # an answer of the cloud, not an error of this program
    """An error answer of the service, raised where it is noticed and turned into a reply at one place."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message

    def reply(self) -> Reply:
        """The refusal in TaurusDB's shape."""
        return answer({"error_code": self.code, "error_msg": self.message}, status=self.status)


def answer(payload: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A JSON reply."""
    return Reply(status=status, body=msgspec.json.encode(payload), headers=headers or {})


def gateway_error(status: int, code: str, message: str, request_id: str) -> Reply:
    """An error of the API gateway, which names the request in its body."""
    return answer({"error_msg": message, "error_code": code, "request_id": request_id}, status=status)


def iam_error(status: int, title: str, message: str) -> Reply:
    """An error in the older of IAM's two shapes."""
    return answer({"error": {"code": status, "message": message, "title": title}}, status=status)
