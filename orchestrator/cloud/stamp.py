"""Put credentials on a request: a token header, or a signature. Nothing here waits or fails."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, assert_never

from multidict import CIMultiDict

from orchestrator import __version__
from orchestrator.cloud.credentials.credential import AccessKey, Credential, Token
from orchestrator.cloud.wire.signer import authorization, sdk_date
from orchestrator.cloud.wire.transport import Headers

Query = Sequence[tuple[str, str]]


class Stamp(Protocol):
    """The headers of every request that goes one way with one credential."""

    def headers(self, method: str, path: str, query: Query, body: bytes, now: datetime) -> Headers:
        """All headers of one request, not to be changed."""


def plain_headers(language: str) -> Headers:
    """What every request carries, so that aiohttp adds nothing of its own."""
    return CIMultiDict(
        {
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": f"orchestrator/{__version__}",
            "Content-Type": "application/json",
            "X-Language": language,
        }
    )


def stamp_for(credential: Credential, plain: Headers, host: str, project_id: str | None) -> Stamp:
    """What stamps requests to one host; made once per credential, so that a call adds little."""
    headers = plain.copy()
    headers["Host"] = host
    match credential:
        case Token():
            headers["X-Auth-Token"] = credential.token.reveal()
            return _TokenStamp(headers)
        case AccessKey():
            if project_id is not None:
                headers["X-Project-Id"] = project_id
            if credential.security_token is not None:
                headers["X-Security-Token"] = credential.security_token.reveal()
            return _KeyStamp(headers, credential)
        case never:
            assert_never(never)


class _TokenStamp:
    __slots__ = ("_headers",)

    def __init__(self, headers: Headers) -> None:
        self._headers = headers

    def headers(self, method: str, path: str, query: Query, body: bytes, now: datetime) -> Headers:  # noqa: ARG002
        """The same for every request: a token signs nothing."""
        return self._headers


class _KeyStamp:
    """Signs all that decides what a request means.

    `User-Agent`, `Accept` and `Accept-Encoding` are left out: a proxy on the way may change them, and only `Host` and
    `X-Sdk-Date` must be signed.
    """

    __slots__ = ("_access_key", "_headers", "_secret_key", "_signed")

    _UNSIGNED = frozenset({"user-agent", "accept", "accept-encoding"})

    def __init__(self, headers: Headers, key: AccessKey) -> None:
        self._headers = headers
        self._signed = [(name.lower(), value) for name, value in headers.items() if name.lower() not in self._UNSIGNED]
        self._access_key = key.access_key
        self._secret_key = key.secret_key

    def headers(self, method: str, path: str, query: Query, body: bytes, now: datetime) -> Headers:
        """Signed for every request, also for one that is sent again."""
        date = sdk_date(now)
        headers = self._headers.copy()
        headers["X-Sdk-Date"] = date
        headers["Authorization"] = authorization(
            method,
            path,
            query,
            [*self._signed, ("x-sdk-date", date)],
            body,
            access_key=self._access_key.reveal(),
            secret_key=self._secret_key.reveal(),
            date=date,
        )
        return headers
