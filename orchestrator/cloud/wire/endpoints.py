"""Where a scope's services answer: the addresses of one scope. Never a request."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import NoReturn
from urllib.parse import urlsplit

from msgspec import Struct

from orchestrator.errors import PlanError
from orchestrator.model.plan.metric import CloudEye
from orchestrator.model.plan.plan import Scope
from orchestrator.model.plan.region import REGION_HINT, SERVICES, service_host, unknown_region

#: `{region}` stands for the region of a scope.
EYE_ENDPOINT = "https://ces.{region}.myhuaweicloud.com"

GLOBAL_IAM = "iam.myhuaweicloud.com"

#: Regions whose IAM answers at the global host; every other known region has `iam.<region>.myhuaweicloud.com`.
_AT_GLOBAL_IAM = frozenset({"cn-north-11", "cn-south-4", "cn-southwest-3", "ru-northwest-2"})

#: The European site has an IAM of its own; its TaurusDB host is not published.
_EUROPEAN_IAM = {"eu-west-101": "iam.myhuaweicloud.eu"}


class Endpoints(Struct, frozen=True):
    """Base addresses of one scope, `scheme://host[:port]`, without a slash at the end; `vpc` None when unknown."""

    service: str
    iam: str
    vpc: str | None = None


def endpoints_of(scope: Scope, environ: Mapping[str, str], *, allow_http: bool = False) -> Endpoints:
    """The addresses of a scope: the plan's own keys, else the SDK's environment variables, else the region table.

    Raises:
        PlanError: the region is unknown, an address is malformed, or it is plain http to another machine.
    """
    service = scope.endpoint or service_host(scope.region, environ) or _unknown(scope)
    iam = scope.iam_endpoint or environ.get("HUAWEICLOUD_SDK_IAM_ENDPOINT") or iam_host(scope.region)
    vpc = scope.vpc_endpoint or vpc_host(scope)
    return Endpoints(
        base_address(service, where=f"scope {scope.name}: endpoint", allow_http=allow_http),
        base_address(iam, where=f"scope {scope.name}: iam_endpoint", allow_http=allow_http),
        vpc and base_address(vpc, where=f"scope {scope.name}: vpc_endpoint", allow_http=allow_http),
    )


def eye_address(scope: Scope, eye: CloudEye, *, allow_http: bool = False) -> str:
    """The base address of Cloud Eye for a scope: the plan's own, else by the region ("Endpoints" of api-ces).

    Raises:
        PlanError: the scope has no region and the plan no address, it is malformed, or plain http to another machine.
    """
    written = eye.endpoint or EYE_ENDPOINT
    if "{region}" in written and scope.region is None:
        raise PlanError(
            f"scope {scope.name}: the address of Cloud Eye comes from the region, and there is none",
            hint="write cloud_eye.endpoint, or the region",
        )
    address = written.replace("{region}", scope.region or "")
    return base_address(address, where="cloud_eye.endpoint", allow_http=allow_http)


def vpc_host(scope: Scope) -> str | None:
    """Host of the VPC service of a region; None where the plan names a TaurusDB host of its own, or no known region."""
    known = scope.endpoint is None and scope.region in SERVICES
    return f"vpc.{scope.region}.myhuaweicloud.com" if known else None


def iam_host(region: str | None) -> str:
    """Host of the IAM service that knows this region's projects."""
    if region in SERVICES and region not in _AT_GLOBAL_IAM:
        return f"iam.{region}.myhuaweicloud.com"
    return _EUROPEAN_IAM.get(region or "", GLOBAL_IAM)


def base_address(text: str, *, where: str, allow_http: bool) -> str:
    """`text` as `scheme://host[:port]`; https when it names no scheme.

    Raises:
        PlanError: it is no such address, or plain http to another machine than this one.
    """
    address = text.strip()
    if "://" not in address:
        address = f"https://{address}"
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if not host or parts.scheme not in ("http", "https") or parts.username or parts.path.strip("/") or parts.query:
        raise PlanError(f"{where}: expected an address such as https://host, got {_shown(text)}")
    if parts.scheme == "http" and not (allow_http or is_loopback(host)):
        raise PlanError(
            f"{where}: plain http to {host} would show credentials to everyone on the way",
            hint="use https, or set http.allow_http: true if you mean it",
        )
    shown_host = f"[{host}]" if ":" in host else host
    default = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{shown_host}" + (f":{port}" if port not in (None, default) else "")


def is_loopback(host: str) -> bool:
    """Whether `host` means this machine, by name or address; no look-up is made."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _unknown(scope: Scope) -> NoReturn:
    raise PlanError(f"scope {scope.name}: {unknown_region(scope.region)}", hint=REGION_HINT)


def _shown(text: str) -> str:
    """An address as it may be printed: what stands before an `@` could be a password."""
    return repr(text.rsplit("@", 1)[-1])
