"""Gates that are a URL, or a query to a Prometheus server."""

import math
import re
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

import msgspec
from msgspec import Struct, structs
from multidict import CIMultiDict

from orchestrator import __version__
from orchestrator.cloud.credentials.credential import checked
from orchestrator.cloud.reading.answer import Answer
from orchestrator.cloud.reading.json_body import as_text
from orchestrator.cloud.secrets.registry import Secrets
from orchestrator.cloud.secrets.secret import Secret
from orchestrator.cloud.wire.transport import Headers, Transport
from orchestrator.model.plan.health_gate import GateFinding, HttpQuestion, PromqlQuestion
from orchestrator.model.reply.foreign import Unreadable, read_json
from orchestrator.spoken import counted

#: Whose instant query is asked: https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries
_QUERY_PATH = "/api/v1/query"

#: What lies behind this is beyond all that is kept of an answer.
_MOST_BODY = 1 << 14


async def ask_http(
    transport: Transport, question: HttpQuestion, environ: Mapping[str, str], secrets: Secrets, timeout_s: float
) -> GateFinding:
    """GET the URL; the status is the answer."""
    answer = await _get(transport, question.url, question.token_env, environ, secrets, timeout_s)
    if isinstance(answer, GateFinding):
        return answer
    evidence = f"HTTP {answer.status} {_text(answer)}"
    good = answer.status in question.expect
    return GateFinding(answer="passes" if good else "fails", status=answer.status, evidence=evidence)


async def ask_promql(
    transport: Transport, question: PromqlQuestion, environ: Mapping[str, str], secrets: Secrets, timeout_s: float
) -> GateFinding:
    """Ask the query; each sample must keep the bounds."""
    url = f"{question.url.rstrip('/')}{_QUERY_PATH}?{urlencode({'query': question.query})}"
    answer = await _get(transport, url, question.token_env, environ, secrets, timeout_s)
    if isinstance(answer, GateFinding):
        return answer
    if not answer.ok:
        evidence = f"HTTP {answer.status} {_text(answer)}"
        return GateFinding(answer="error", status=answer.status, evidence=evidence)
    try:
        result = _result(answer.body)
        values = _samples(result.data)
    except Unreadable as error:
        return GateFinding(answer="error", status=answer.status, evidence=f"the answer is no result: {error}")
    return _believed(_judge(question, values, answer.status), result)


async def _get(
    transport: Transport,
    url: str,
    token_env: str | None,
    environ: Mapping[str, str],
    secrets: Secrets,
    timeout_s: float,
) -> Answer | GateFinding:
    parts = urlsplit(url)
    route = transport.route(f"{parts.scheme}://{parts.netloc}", timeout_s)
    headers = _headers(route.host)
    if token_env is not None:
        where = f"environment variable {token_env}"
        token = checked(environ[token_env], where) if token_env in environ else None
        if not isinstance(token, Secret):
            return GateFinding(answer="error", evidence=f"{where} is not set" if token is None else token.reason)
        secrets.learn(token_env, token)
        headers["Authorization"] = f"Bearer {token.reveal()}"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    answer = await transport.send(route, "GET", target, headers)
    return answer if isinstance(answer, Answer) else GateFinding(answer="error", evidence=answer.reason)


def _headers(host: str) -> Headers:
    return CIMultiDict(
        {
            "Accept": "application/json, text/plain, */*",
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": f"orchestrator/{__version__}",
            "Host": host,
        }
    )


def _text(answer: Answer) -> str:
    return as_text(answer.body[:_MOST_BODY])


# --- Prometheus -------------------------------------------------------------------------------------------------------


class _Sample(Struct):
    value: tuple[float, str]


class _Data(Struct, rename="camel"):
    result_type: str
    result: msgspec.Raw


class _Result(Struct):
    """What Prometheus answers; `warnings` and, of VictoriaMetrics, `isPartial` say that samples may be missing."""

    status: str
    data: _Data | None = None
    error: str = ""
    warnings: list[str] | None = None
    is_partial: bool = msgspec.field(name="isPartial", default=False)


#: As Go writes numbers; Python reads more than these, such as `1_0`.
_NUMBER = re.compile(r"[+-]?(?:Inf|NaN|[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?)")

_RESULT = msgspec.json.Decoder(_Result)
_VECTOR = msgspec.json.Decoder(list[_Sample])
_SCALAR = msgspec.json.Decoder(tuple[float, str])


def _result(body: bytes) -> _Result:
    result = read_json(body, _RESULT.decode)
    if result.status != "success":
        raise Unreadable(f"{result.status[:40]}: {result.error[:200]}")
    return result


def _samples(data: _Data | None) -> list[float]:
    """The values of a vector or a scalar, each a number."""
    if data is None:
        raise Unreadable("it has no data")
    match data.result_type:
        case "vector":
            texts = [sample.value[1] for sample in read_json(bytes(data.result), _VECTOR.decode)]
        case "scalar":
            texts = [read_json(bytes(data.result), _SCALAR.decode)[1]]
        case other:
            raise Unreadable(f"a {other[:40]}, where a vector or a scalar is needed")
    return list(map(_value, texts))


def _value(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise Unreadable("a sample that is no number")
    value = float(text)
    if math.isnan(value):
        raise Unreadable("a sample is NaN, which keeps no bound")
    return value


def _judge(question: PromqlQuestion, values: list[float], status: int) -> GateFinding:
    if not values:
        return GateFinding(answer="error", status=status, evidence="no data")
    high, low = max(values), min(values)
    number = f"{counted(len(values), 'sample')}, {low:g} to {high:g}"
    if question.max is not None and high > question.max:
        return GateFinding(answer="fails", status=status, value=high, evidence=f"{number}; max {question.max:g}")
    if question.min is not None and low < question.min:
        return GateFinding(answer="fails", status=status, value=low, evidence=f"{number}; min {question.min:g}")
    return GateFinding(answer="passes", status=status, value=high if question.max is not None else low, evidence=number)


def _believed(finding: GateFinding, result: _Result) -> GateFinding:
    """The same, but a part of an answer passes nothing: what is not in it may break the bounds."""
    if finding.answer != "passes" or not (result.warnings or result.is_partial):
        return finding
    why = "; ".join(result.warnings or ()) or "the server says so"
    return structs.replace(finding, answer="error", evidence=f"a partial answer: {why[:300]} ({finding.evidence})")
