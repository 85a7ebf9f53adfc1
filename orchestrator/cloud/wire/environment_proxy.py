"""Which forward proxy the environment names for an address. Pure: the environment comes in as a mapping.

aiohttp's own `trust_env` is not used: it would hop through two threads at every call, read variables that were not
given to us, and take credentials for our hosts from a `.netrc` that nobody meant for them.
"""

from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # not in typeshed

from msgspec import Struct
from yarl import URL

from orchestrator.cloud.secrets.secret import Secret
from orchestrator.cloud.wire.endpoints import is_loopback
from orchestrator.errors import ScopeUnusable

_HIGHEST_PORT = 65535


class Proxy(Struct, frozen=True):
    """A forward proxy: its address, with user and password if it has them."""

    url: URL

    def __repr__(self) -> str:
        return f"Proxy({self.url.host}:{self.url.port})"

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What must not be shown of it: the password, alone and as it is sent (RFC 7617)."""
        if self.url.password is None:
            return ()
        sent = b64encode(f"{self.url.user or ''}:{self.url.password}".encode()).decode()
        return Secret(self.url.password), Secret(sent)


def proxy_for(base: str, environ: Mapping[str, str]) -> Proxy | None:
    """`HTTPS_PROXY` or `HTTP_PROXY` in either case, unless `NO_PROXY` excludes the host; never for this machine.

    Raises:
        ScopeUnusable: the variable does not hold the address of a proxy; the message shows nothing of it.
    """
    parts = urlsplit(base)
    host = parts.hostname or ""
    name = _name(environ, f"{parts.scheme}_proxy")
    value = environ.get(name, "").strip()
    if not value or is_loopback(host):
        return None
    excluded = environ.get(_name(environ, "no_proxy"))
    if excluded and proxy_bypass_environment(parts.netloc, {"no": excluded}):
        return None
    return _parsed(name, value)


def _name(environ: Mapping[str, str], name: str) -> str:
    """Which of both spellings counts."""
    if name in environ:  # lower case wins, as with curl
        return name
    if name == "http_proxy" and "REQUEST_METHOD" in environ:
        return name  # in a CGI process HTTP_PROXY is a request header (httpoxy)
    return name.upper()


def _parsed(name: str, value: str) -> Proxy:
    """Only what has one reading: a piece of a password that was taken for a host would be printed as one."""
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        wrong = _wrong(value, parts)
        if wrong is None:
            user, password = (None if part is None else unquote(part) for part in (parts.username, parts.password))
            host = parts.hostname or ""
            return Proxy(URL.build(scheme=parts.scheme, user=user, password=password, host=host, port=parts.port))
    except ValueError:  # brackets, a port that is no number, a host that is none
        wrong = "its host or port cannot be read"
    raise ScopeUnusable(
        f"environment variable {name} is not the address of a proxy: {wrong}",
        hint="write it as http://proxy.example:3128; in user and password, percent-encode / ? # @ and : (%40 for @)",
    ) from None


def _wrong(value: str, parts: SplitResult) -> str | None:
    if not (value.isascii() and value.isprintable()) or " " in value:
        return "it holds blanks, or characters that no address has"
    if parts.scheme not in ("http", "https"):
        return "it is neither http nor https"
    if parts.path not in ("", "/") or parts.query or parts.fragment or "#" in value or "?" in value:
        return "something follows its host and port"
    if parts.netloc.count("@") > 1 or ":" in unquote(parts.username or ""):
        return "its user and password have more than one reading"
    if not parts.hostname:
        return "it has no host"
    return "its port is out of range" if parts.port == 0 or (parts.port or 1) > _HIGHEST_PORT else None
