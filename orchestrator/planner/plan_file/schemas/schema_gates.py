"""Declaration of gates: what is asked before upgrades start, and what the answer means."""

from typing import Any
from urllib.parse import urlsplit

from orchestrator.model.plan.health_gate import EyeQuestion, HealthGate, HttpQuestion, MetricBound, PromqlQuestion
from orchestrator.pattern import pattern
from orchestrator.planner.plan_file.names import NAME, TEXT, VARIABLE, is_plain_http, word
from orchestrator.planner.plan_file.numbers import duration, integer
from orchestrator.planner.plan_file.schemas.schema_targets import SELECTOR
from orchestrator.planner.reading.mapping import Field, Found, Record
from orchestrator.planner.reading.shapes import Leaf, ListOf

#: A gate asks one of these.
_KINDS = ("http", "command", "promql", "cloud_eye")

_URL = pattern(r"https?://[^\s/?#@]+(/[^\s#@]*)?(\?[^\s#@]*)?")


def _url(text: str) -> str:
    if _URL.fullmatch(text) is None or urlsplit(text).hostname is None:
        raise ValueError
    return text


#: Secretive, for a URL may hold a password; one with `@` is refused for the same reason.
_GATE_URL = Leaf(
    expected="an address such as https://health.example.com/ready, without user, password or fragment",
    parse=_url,
    schema={"type": "string", "pattern": f"^{_URL.pattern}$"},
    secretive=True,
)


_DECIMAL = pattern(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,2})?")


def _number(text: str) -> float:
    if _DECIMAL.fullmatch(text) is None:
        raise ValueError
    return float(text)


_NUMBER = Leaf(
    expected="a number such as 0.01",
    parse=_number,
    schema={"anyOf": [{"type": "number"}, {"type": "string", "pattern": f"^({_DECIMAL.pattern})$"}]},
)


def _check_token(found: Found) -> None:
    url = found.values.get("url")
    if url and "token_env" in found.values and is_plain_http(_origin(url)):
        found.add("url", "plain http would send the token of token_env unencrypted; write https")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


_HTTP = Record(
    build=HttpQuestion,
    check=_check_token,
    fields=(
        Field(
            key="url", shape=_GATE_URL, doc="What to GET.", required=True, example="https://health.example.com/ready"
        ),
        Field(
            key="expect",
            shape=ListOf(item=integer(100, 599), least=1, unique=True),
            doc="Statuses that pass.",
            default=[200],
        ),
        Field(key="token_env", shape=VARIABLE, doc="Variable with a bearer token for it."),
    ),
)


def _check_bounds(found: Found) -> None:
    _check_token(found)
    least, most = found.values.get("min"), found.values.get("max")
    if not {"min", "max"} & found.places.keys():
        found.add("max", "a query needs a bound: max, min or both")
    elif least is not None and most is not None and most < least:
        found.add("max", f"is below min ({least:g})")


_PROMQL = Record(
    build=PromqlQuestion,
    check=_check_bounds,
    extra={"anyOf": [{"required": ["max"]}, {"required": ["min"]}]},
    fields=(
        Field(
            key="url",
            shape=_GATE_URL,
            doc="Prometheus server, without /api/v1/query.",
            required=True,
            example="https://prometheus.example.com",
        ),
        Field(
            key="query", shape=TEXT, doc="An instant query; no sample is no data.", required=True, example="error_rate"
        ),
        Field(key="max", shape=_NUMBER, doc="No sample may be above it.", example=0.01),
        Field(key="min", shape=_NUMBER, doc="No sample may be below it."),
        Field(key="token_env", shape=VARIABLE, doc="Variable with a bearer token for it."),
    ),
)


_BOUND_TEXT = pattern(rf"({_DECIMAL.pattern})(%?)")


def _bound(text: str) -> MetricBound:
    found = _BOUND_TEXT.fullmatch(text)
    if found is None:
        raise ValueError
    return MetricBound(float(found[1]), percent=bool(found[found.re.groups]))


_BOUND = Leaf(
    expected="a number such as 50, or with compare a share such as 10%",
    parse=_bound,
    schema={"anyOf": [{"type": "number"}, {"type": "string", "pattern": f"^({_BOUND_TEXT.pattern})$"}]},
)


def _metric(text: str) -> str:
    if _METRIC.fullmatch(text) is None:
        raise ValueError
    return text


_METRIC = pattern(r"[a-z][a-z0-9_]{0,95}")
_METRIC_NAME = Leaf(
    expected="the name of a metric such as rds_proxy_average_response_time",
    parse=_metric,
    schema={"type": "string", "pattern": f"^{_METRIC.pattern}$"},
)


def _check_eye(found: Found) -> None:
    bounds = {key: bound for key in ("min", "max") if (bound := found.values.get(key)) is not None}
    if "compare" in found.places:
        return
    if not {"min", "max"} & found.places.keys():
        found.add("metric", "needs a bound: max, min or both, or compare: control")
    for key, bound in bounds.items():
        if bound.percent:
            found.add(key, f"{bound} of what? A share needs compare: control")
    if len(bounds) > 1 and bounds["max"].value < bounds["min"].value:
        found.add("max", f"is below min ({bounds['min']})")


_EYE = Record(
    build=EyeQuestion,
    check=_check_eye,
    extra={"anyOf": [{"required": [key]} for key in ("max", "min", "compare")]},
    fields=(
        Field(
            key="metric",
            shape=_METRIC_NAME,
            doc="Metric of the proxies that were upgraded in this run.",
            required=True,
            example="rds_proxy_average_response_time",
        ),
        Field(
            key="max",
            shape=_BOUND,
            doc="What it must not exceed; with compare, how much more it may have grown than elsewhere (then 10%).",
            example=50,
        ),
        Field(key="min", shape=_BOUND, doc="What it must not fall below; with compare, likewise."),
        Field(
            key="over", attr="over_s", shape=duration("1m", "1h"), doc="Of the last minutes the median.", default="5m"
        ),
        Field(
            key="compare",
            shape=word("control"),
            doc="control: with proxies that were not upgraded yet, in the same minutes.",
        ),
    ),
)


def _check_gate(found: Found) -> None:
    kinds = [kind for kind in _KINDS if kind in found.places]
    if len(kinds) != 1:
        got = "none of them" if not kinds else " and ".join(kinds)
        found.problems.add(found.node, found.at, f"asks exactly one of {', '.join(_KINDS)}; here is {got}")


def _one_kind() -> dict[str, Any]:
    return {"oneOf": [{"required": [kind]} for kind in _KINDS]}


GATE = Record(
    build=HealthGate,
    check=_check_gate,
    extra=_one_kind(),
    fields=(
        Field(key="name", shape=NAME, doc="Name of the gate.", required=True, example="orders-slo"),
        Field(
            key="at",
            shape=ListOf(item=word("start", "wave"), least=1, unique=True),
            doc="start: before any target of select starts; wave: before each wave but the first opens.",
            default=["start"],
        ),
        Field(key="http", shape=_HTTP, doc="Ask a URL."),
        Field(
            key="command",
            shape=ListOf(item=TEXT, least=1),
            doc="Run a program, without a shell: 0 passes, 1 fails, anything else is an error.",
            example=["check-orders", "--quick"],
        ),
        Field(key="promql", shape=_PROMQL, doc="Ask Prometheus."),
        Field(key="cloud_eye", shape=_EYE, doc="Look at a metric of Cloud Eye."),
        Field(key="select", shape=SELECTOR, doc="Which targets it concerns; all when absent."),
        Field(
            key="every",
            attr="every_s",
            shape=duration("100ms", "1h"),
            doc="How often it is asked while something could start.",
            default="30s",
        ),
        Field(key="timeout", attr="timeout_s", shape=duration("100ms", "10m"), doc="For one answer.", default="10s"),
        Field(key="passes", shape=integer(1, 100), doc="Answers in a row that open it when it is closed.", default=2),
        Field(
            key="on_error",
            shape=word("closed", "open"),
            doc="What it is without an answer: no connection, an error, a time-out, no data.",
            default="closed",
        ),
        Field(
            key="hold_after",
            attr="hold_after_s",
            shape=duration("1s", "7d"),
            doc="Closed for so long in a session, it holds the fleet; never when absent.",
            example="30m",
        ),
    ),
)
GATES = ListOf(item=GATE)
