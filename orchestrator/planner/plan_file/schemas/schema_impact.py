"""Declaration of how the impact of upgrades is read: whether at all, and where the metrics are."""

from orchestrator.model.plan.metric import CloudEye
from orchestrator.pattern import pattern
from orchestrator.planner.plan_file.names import ENDPOINT, is_plain_http, word
from orchestrator.planner.reading.mapping import Field, Found, Record
from orchestrator.planner.reading.shapes import Leaf

IMPACT = word("off", "cloud_eye")

_REGION = "{region}"
_HOST = pattern(r"(https?)://([A-Za-z0-9.-]|\{region\}){1,200}(:[0-9]{1,5})?/?")


def _endpoint(text: str) -> str:
    if _HOST.fullmatch(text) is None:
        raise ValueError
    ENDPOINT.parse(text.replace(_REGION, "region"))
    return text.rstrip("/")


#: Secretive as every address.
_EYE_ENDPOINT = Leaf(
    expected="an address such as https://ces.{region}.myhuaweicloud.com, without user, path or query",
    parse=_endpoint,
    schema={"type": "string", "pattern": f"^{_HOST.pattern}$"},
    secretive=True,
)

_NAMESPACE = pattern(r"[A-Za-z][A-Za-z0-9_]{0,31}\.[A-Za-z][A-Za-z0-9_]{0,31}")


def _namespace(text: str) -> str:
    if _NAMESPACE.fullmatch(text) is None:
        raise ValueError
    return text


def _check_eye(found: Found) -> None:
    endpoint = found.values.get("endpoint")
    if endpoint and is_plain_http(endpoint):
        found.add("endpoint", "plain http would send credentials unencrypted; write https")


CLOUD_EYE = Record(
    build=CloudEye,
    check=_check_eye,
    fields=(
        Field(
            key="endpoint",
            shape=_EYE_ENDPOINT,
            doc="Where Cloud Eye answers; {region} is that of a scope. By the region when absent.",
            example="https://ces.{region}.myhuaweicloud.com",
        ),
        Field(
            key="namespace",
            shape=Leaf(
                expected="a namespace of Cloud Eye such as SYS.DBPROXY",
                parse=_namespace,
                schema={"type": "string", "pattern": f"^{_NAMESPACE.pattern}$"},
            ),
            doc="Under which it keeps metrics of proxies; older pages say SYS.GAUSSDB.",
            default="SYS.DBPROXY",
        ),
    ),
)
