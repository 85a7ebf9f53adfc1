"""What went wrong on the way, in words that a person can act on: aiohttp's exceptions by the name of their class. Pure.

Whether the request had left is not decided here: `transport` knows that from the connection itself. A test compares the
table with the exceptions that the installed aiohttp has, so that no new one goes without words.
"""

import errno
import ssl
from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct


class Place(Struct, frozen=True):
    """Where the call was going: what its messages name."""

    address: str
    host: str
    via: str | None
    connect_timeout_s: float
    timeout_s: float


#: By the names of the exceptions of aiohttp's parser, which stand behind the one that is raised.
_MALFORMED = {
    "BadStatusLine": "no status line",
    "LineTooLong": "a line or header is too long",
    "BadHttpMessage": "a header is malformed",
    "InvalidHeader": "a header is malformed",
}

#: This process, or this machine, may open no more files.
_NO_MORE_FILES = frozenset({errno.EMFILE, errno.ENFILE})

Words: TypeAlias = Callable[[Exception, Place], str]


def _certificate(error: Exception, place: Place) -> str:
    cause = getattr(error, "certificate_error", error)
    why = getattr(cause, "verify_message", "") or str(cause)
    return f"certificate verify failed for {place.address}: {why}; if its authority is your own, set http.ca_file"


def _tls(error: Exception, place: Place) -> str:
    reason = getattr(getattr(error, "os_error", error), "reason", None) or _system(error)
    return f"TLS with {place.address} failed: {reason}; does it speak https?"


def _name(error: Exception, place: Place) -> str:
    whose = place.host if place.via is None else f"of the proxy {place.via}"
    return f"the name {whose} cannot be resolved: {_system(error)}"


def _connect(error: Exception, place: Place) -> str:
    number = getattr(getattr(error, "os_error", error), "errno", None)
    if number == errno.ECONNREFUSED:
        return f"connection refused by {place.address}"
    return f"cannot connect to {place.address}: {_system(error)}"


def _proxy(error: Exception, place: Place) -> str:
    return f"cannot connect to the proxy {place.via}: {_system(error)}"


def _proxy_said_no(error: Exception, place: Place) -> str:
    said = f"HTTP {getattr(error, 'status', '?')} {getattr(error, 'message', '')}".rstrip()
    return f"the proxy {place.via} did not open a tunnel to {place.address}: {said}"


def _connect_timeout(_: Exception, place: Place) -> str:
    return f"no connection to {place.address} within {place.connect_timeout_s:g} s"


def _timeout(_: Exception, place: Place) -> str:
    return f"no whole answer from {place.address} within {place.timeout_s:g} s"


def _disconnected(_: Exception, place: Place) -> str:
    return f"{place.address} closed the connection before it answered"


def _lost(error: Exception, place: Place) -> str:
    return f"the connection to {place.address} was lost: {_system(error)}"


def _cut(_: Exception, place: Place) -> str:
    return f"the answer of {place.address} was cut off or is unreadable"


def _not_http(error: Exception, place: Place) -> str:
    """Nothing of the answer is quoted: a secret that is on its way to us is not known as one yet."""
    cause = getattr(error.__cause__, "__cause__", None) or error.__cause__
    why = _MALFORMED.get(type(cause).__name__, "its answer is malformed")
    return f"{place.address} did not answer with HTTP: {why}"


def _too_large(_: Exception, place: Place) -> str:
    return f"the answer of {place.address} is larger than 1 MiB"


def _repeated(_: Exception, place: Place) -> str:
    return f"{place.address} sent the answer to an earlier request once more"


def _other(error: Exception, place: Place) -> str:
    return f"the call to {place.address} failed: {type(error).__name__}"


#: Class name -> words. A class that is not here has those of its nearest base.
WORDS: dict[str, Words] = {
    "ClientConnectorCertificateError": _certificate,
    "SSLCertVerificationError": _certificate,
    "ServerFingerprintMismatch": _certificate,
    "ClientConnectorSSLError": _tls,
    "ClientSSLError": _tls,
    "SSLError": _tls,
    "ClientConnectorDNSError": _name,
    "ClientProxyConnectionError": _proxy,
    "ClientHttpProxyError": _proxy_said_no,
    "ClientConnectorError": _connect,
    "UnixClientConnectorError": _connect,
    "ConnectionTimeoutError": _connect_timeout,
    "ServerTimeoutError": _timeout,
    "SocketTimeoutError": _timeout,
    "TimeoutError": _timeout,
    "ServerDisconnectedError": _disconnected,
    "ServerConnectionError": _disconnected,
    "ClientConnectionResetError": _lost,
    "ClientOSError": _lost,
    "ClientConnectionError": _lost,
    "UploadAbortedError": _lost,
    "OSError": _lost,
    "ClientPayloadError": _cut,
    "ContentTypeError": _cut,
    "ClientResponseError": _not_http,
    "InvalidURL": _other,
    "InvalidUrlClientError": _other,
    "NonHttpUrlClientError": _other,
    # Never raised by what the client does: redirects are not followed, and there are no web sockets.
    "TooManyRedirects": _other,
    "RedirectClientError": _other,
    "InvalidUrlRedirectClientError": _other,
    "NonHttpUrlRedirectClientError": _other,
    "WSServerHandshakeError": _other,
    "WSMessageTypeError": _other,
    "ClientError": _other,
    "AnswerTooLarge": _too_large,
    "AnswerRepeated": _repeated,
    "Exception": _other,
}


def words_for(error: Exception, place: Place, *, left: bool) -> str:
    """The reason to report. A time-out before the request left is one of connecting, whatever its class."""
    if not left and isinstance(error, TimeoutError):
        return _connect_timeout(error, place)
    name = next(base.__name__ for base in type(error).__mro__ if base.__name__ in WORDS)
    return WORDS[name](error, place)


def _system(error: Exception) -> str:
    """The operating system's words, without the class names and addresses that aiohttp adds."""
    cause = getattr(error, "os_error", error)
    if isinstance(cause, ssl.SSLError):
        return cause.reason or str(cause)
    if isinstance(cause, OSError) and cause.errno in _NO_MORE_FILES:
        return "no more open files here, of which a connection is one; raise the limit (ulimit -n)"
    if isinstance(cause, OSError) and (cause.strerror or str(cause)):
        return cause.strerror or str(cause)
    return str(error) or type(error).__name__
