"""Gates that are a URL, or a query to a Prometheus server."""

import math
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

import msgspec
from msgspec import Struct, structs
from multidict import CIMultiDict

from orchestrator import __version__
from orchestrator.cloud.credentials.credential import checked
from orchestrator.cloud.gates.answer_age import aged
from orchestrator.cloud.reading.answer import Answer
from orchestrator.cloud.reading.json_body import as_text
from orchestrator.cloud.secrets.registry import Secrets
from orchestrator.cloud.secrets.secret import Secret
from orchestrator.cloud.wire.transport import Headers, Transport
from orchestrator.model.plan.health_gate import GateFinding, HealthGate, HttpQuestion, PromqlQuestion
from orchestrator.model.reply.foreign import Unreadable, read_json
from orchestrator.pattern import pattern
from orchestrator.spoken import counted

#: Whose instant query is asked: https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries
_QUERY_PATH = "/api/v1/query"

#: All else is no result, also a part of one (206).
_SUCCESS = 200

#: What lies behind this is beyond all that is kept of an answer.
_MOST_BODY = 1 << 14


class HttpAsker:
    """Asks over HTTP, each gate within its time-out.

    Args:
        transport: the way.
        environ: where tokens are.
        secrets: learns them.
    """

    def __init__(self, transport: Transport, environ: Mapping[str, str], secrets: Secrets) -> None:
        self._transport = transport
        self._environ = environ
        self._secrets = secrets

    async def ask_http(self, question: HttpQuestion, gate: HealthGate) -> GateFinding:
        """GET the URL; the status is the answer. Without all of its text a bad one fails, a good one says nothing."""
        answer = await self._get(question.url, question.token_env, gate)
        if isinstance(answer, Answer):
            evidence = f"HTTP {answer.status} {_text(answer)}"
            good = answer.status in question.expect
            finding = GateFinding(answer="passes" if good else "fails", status=answer.status, evidence=evidence)
            return aged(finding, gate, answer)
        if answer.status is None or answer.status in question.expect:
            return answer
        return structs.replace(answer, answer="fails", evidence=f"HTTP {answer.status}, but {answer.evidence}")

    async def ask_promql(self, question: PromqlQuestion, gate: HealthGate) -> GateFinding:
        """Ask the query; each sample must keep the bounds."""
        url = f"{question.url.rstrip('/')}{_QUERY_PATH}?{urlencode({'query': question.query})}"
        answer = await self._get(url, question.token_env, gate)
        if isinstance(answer, GateFinding):
            return answer
        if answer.status != _SUCCESS:
            evidence = f"HTTP {answer.status} {_text(answer)}"
            return GateFinding(answer="error", status=answer.status, evidence=evidence)
        try:
            result = _result(answer.body)
            samples = _samples(result.data)
            values = [_value(sample) for _, sample in samples]
        except Unreadable as error:
            return GateFinding(answer="error", status=answer.status, evidence=f"the answer is no result: {error}")
        finding = _believed(_judge(question, values, answer.status), result)
        return aged(finding, gate, answer, min((instant for instant, _ in samples), default=None))

    async def _get(self, url: str, token_env: str | None, gate: HealthGate) -> Answer | GateFinding:
        """The whole answer, or why there is none; with its status, when that came."""
        parts = urlsplit(url)
        route = self._transport.route(f"{parts.scheme}://{parts.netloc}", gate.timeout_s)
        headers = _headers(route.host)
        if token_env is not None:
            token = self._token(token_env)
            if not isinstance(token, Secret):
                return GateFinding(answer="error", evidence=token)
            headers["Authorization"] = f"Bearer {token.reveal()}"
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        answer = await self._transport.send(route, "GET", target, headers)
        if isinstance(answer, Answer):
            return answer
        return GateFinding(answer="error", status=answer.exchange.http_status, evidence=answer.reason)

    def _token(self, variable: str) -> Secret | str:
        """What a variable holds, or why that cannot be used."""
        where = f"environment variable {variable}"
        if variable not in self._environ:
            return f"{where} is not set"
        token = checked(self._environ[variable], where)
        if not isinstance(token, Secret):
            return token.reason
        self._secrets.learn(variable, token)
        return token


def _headers(host: str) -> Headers:
    return CIMultiDict(
        {
            "Accept": "application/json, text/plain, */*",
            "Accept-Encoding": "gzip, deflate",
            "Cache-Control": "no-cache",
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
_NUMBER = pattern(r"[+-]?(?:Inf|NaN|[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?)")

_RESULT = msgspec.json.Decoder(_Result)
_VECTOR = msgspec.json.Decoder(list[_Sample])
_SCALAR = msgspec.json.Decoder(tuple[float, str])


def _result(body: bytes) -> _Result:
    result = read_json(body, _RESULT.decode)
    if result.status != "success":
        raise Unreadable(f"{result.status[:40]}: {result.error[:200]}")
    return result


def _samples(data: _Data | None) -> list[tuple[float, str]]:
    """Those of a vector or a scalar: as of when, in seconds since 1970, and what."""
    if data is None:
        raise Unreadable("it has no data")
    match data.result_type:
        case "vector":
            return [sample.value for sample in read_json(bytes(data.result), _VECTOR.decode)]
        case "scalar":
            return [read_json(bytes(data.result), _SCALAR.decode)]
        case other:
            raise Unreadable(f"a {other[:40]}, where a vector or a scalar is needed")


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
