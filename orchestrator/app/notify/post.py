"""HTTP for notifications: one request, no redirects, and nothing of the address in any error."""

import ssl
from collections.abc import Mapping
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from orchestrator.app.notify.untold import Untold
from orchestrator.cloud.wire.endpoints import is_loopback
from orchestrator.host import path_of
from orchestrator.model.plan.plan import Http


class _NoRedirect(HTTPRedirectHandler):
    """The address is a secret: it and what is sent there go nowhere else."""

    def redirect_request(self, *_: object, **__: object) -> None:
        """None: the redirect counts as the answer."""


def check_address(address: str, http: Http) -> None:
    """See that something may be sent to an address.

    Raises:
        Untold: it is none, or plain http to another machine.
    """
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        host, parts = None, urlsplit("")
    if not host or parts.scheme not in ("http", "https"):
        raise Untold("its variable holds no address such as https://host/path")
    if parts.scheme == "http" and not (http.allow_http or is_loopback(host)):
        raise Untold("plain http would show the address to everyone on the way; use https, or http.allow_http")


def request(address: str, http: Http, timeout_s: float, body: bytes | None, headers: Mapping[str, str]) -> None:
    """Post a body, or get without one, and see that it was taken.

    Raises:
        Untold: it was not; an answer that is not 2xx is no.
    """
    check_address(address, http)
    made = Request(address, data=body, headers=dict(headers))  # noqa: S310  # looked at above
    opener = build_opener(_NoRedirect, HTTPSHandler(context=_trust(http)))
    try:
        with opener.open(made, timeout=timeout_s):
            pass
    except HTTPError as error:
        error.close()
        raise Untold(f"answered {error.code}") from None
    except (OSError, HTTPException, ValueError) as error:
        raise Untold(_why(error)) from None


def _trust(http: Http) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if http.ca_file is not None:
        try:
            context.load_verify_locations(path_of(http.ca_file))
        except OSError:
            raise Untold("http.ca_file cannot be read") from None
    return context


def _why(error: BaseException) -> str:
    """What happened, without any text that may quote the address."""
    if isinstance(error, URLError) and isinstance(error.reason, BaseException):
        error = error.reason
    if isinstance(error, TimeoutError):
        return "did not answer in time"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or type(error).__name__}"
    return (isinstance(error, OSError) and error.strerror) or f"ended without an answer ({type(error).__name__})"
