"""SDK-HMAC-SHA256 as a server checks it, from the signing guide and huaweicloudsdkcore `signer/signer.py`.

It is written from those sources alone and shares nothing with any client's signer.
"""

import hmac
import re
from hashlib import sha256
from urllib.parse import quote, unquote

import msgspec

from orchestrator.simulator.wire import Request

ALGORITHM = "SDK-HMAC-SHA256"
_FORM = re.compile(r"SDK-HMAC-SHA256 Access=([^,\s]+), ?SignedHeaders=([^,\s]+), ?Signature=([0-9a-f]{64})")
_REQUIRED = frozenset({"host", "x-sdk-date"})
UNSIGNED = "UNSIGNED-PAYLOAD"


class Signature(msgspec.Struct, frozen=True):
    """What an Authorization header says."""

    access_key: str
    signed_headers: tuple[str, ...]
    signature: str


def parse(authorization: str) -> Signature | None:
    """The header's parts; None when it is not of this form or does not cover Host and X-Sdk-Date."""
    match = _FORM.fullmatch(authorization)
    if match is None:
        return None
    names = tuple(match[2].split(";"))
    if list(names) != sorted(names) or not _REQUIRED.issubset(names):
        return None
    return Signature(access_key=match[1], signed_headers=names, signature=match[3])


def canonical_request(request: Request, signed_headers: tuple[str, ...]) -> str:
    """What is hashed: method, path, query, headers, their names, and the hash of the body, a line each."""
    headers = "".join(f"{name}:{request.headers.get(name, '').strip()}\n" for name in signed_headers)
    stated = request.headers.get("x-sdk-content-sha256")
    payload = UNSIGNED if stated == UNSIGNED else sha256(request.body).hexdigest()
    parts = (
        request.method,
        _canonical_path(request.path),
        _canonical_query(request),
        headers,
        ";".join(signed_headers),
        payload,
    )
    return "\n".join(parts)


def expected(request: Request, signed_headers: tuple[str, ...], secret_key: str) -> str:
    """The signature that the holder of the secret key makes for this request."""
    hashed = sha256(canonical_request(request, signed_headers).encode()).hexdigest()
    text = f"{ALGORITHM}\n{request.headers.get('x-sdk-date', '')}\n{hashed}"
    return hmac.new(secret_key.encode(), text.encode(), sha256).hexdigest()


def matches(request: Request, signature: Signature, secret_key: str) -> bool:
    """Whether the signature is right."""
    return hmac.compare_digest(expected(request, signature.signed_headers, secret_key), signature.signature)


def _encode(text: str) -> str:
    return quote(text, safe="-_.~")


def _canonical_path(path: str) -> str:
    encoded = "/".join(_encode(unquote(segment)) for segment in path.split("/"))
    return encoded if encoded.endswith("/") else encoded + "/"


def _canonical_query(request: Request) -> str:
    return "&".join(f"{_encode(name)}={_encode(value)}" for name, value in sorted(request.pairs()))
