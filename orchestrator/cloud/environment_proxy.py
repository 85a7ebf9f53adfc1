"""Which forward proxy the environment names for an address. Pure: the environment comes in as a mapping.

aiohttp's own `trust_env` is not used: it would hop through two threads at every call, read variables that were not
given to us, and take credentials for our hosts from a `.netrc` that nobody meant for them.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # not in typeshed

from orchestrator.cloud.endpoints import is_loopback


def proxy_for(base: str, environ: Mapping[str, str]) -> str | None:
    """`HTTPS_PROXY` or `HTTP_PROXY` in either case, unless `NO_PROXY` excludes the host; never for this machine."""
    parts = urlsplit(base)
    host = parts.hostname or ""
    proxy = _variable(environ, f"{parts.scheme}_proxy")
    if not proxy or is_loopback(host):
        return None
    excluded = _variable(environ, "no_proxy")
    if excluded and proxy_bypass_environment(parts.netloc, {"no": excluded}):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _variable(environ: Mapping[str, str], name: str) -> str | None:
    if name in environ:  # lower case wins, as with curl
        return environ[name]
    if name == "http_proxy" and "REQUEST_METHOD" in environ:
        return None  # in a CGI process HTTP_PROXY is a request header (httpoxy)
    return environ.get(name.upper())
