"""Cloud Eye (CES) of one scope: metrics of many proxies in one call. It only reads.

Path, body and the 500 metrics of a call: `huaweicloudsdkces` v1, BatchListMetricData; the 3,000 samples of an answer:
its help page (api-ces/ces_03_0034). Namespace and dimensions are unverified against a live cloud.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

import msgspec

from orchestrator.cloud.caller import Caller
from orchestrator.cloud.reading.decode import NotUnderstood
from orchestrator.cloud.reading.json_body import read_body
from orchestrator.cloud.reading.lenient import objects, text
from orchestrator.model.plan.metric import Points, Series
from orchestrator.model.reply.foreign import Unreadable
from orchestrator.model.reply.reply import Answered, Failure, Page, Reply

#: `period`: one sample a minute.
_EACH_MINUTE = "1"
_FILTER = "average"
_PROXY, _NODE = "dbproxy_instance_id", "dbproxy_node_id"
_MILLISECONDS = 1000.0


class ListsProxies(Protocol):
    """What can list the proxies of an instance."""

    async def proxies(self, instance_id: str) -> Reply[Page]:
        """GET proxies of the instance."""


class CloudEyeClient:
    """The calls; each is at most one request, as those of `Client` are."""

    def __init__(self, caller: Caller, lists: ListsProxies, namespace: str) -> None:
        self._caller = caller
        self._lists = lists
        self._namespace = namespace

    async def prepare(self) -> Failure | None:
        """Ensure that the next request can be signed."""
        return await self._caller.prepare()

    async def nodes(self, instance_id: str) -> Reply[dict[str, tuple[str, ...]]]:
        """The ids of the nodes of each proxy of an instance (ShowGaussMySqlProxyList)."""
        reply = await self._lists.proxies(instance_id)
        if not isinstance(reply, Answered):
            return reply
        listed = (inner if isinstance(inner := row.get("proxy"), dict) else row for row in reply.value.rows)
        return Answered({text(proxy.get("pool_id")) or "": _ids(proxy) for proxy in listed}, reply.exchange)

    async def samples(self, asked: Sequence[Series], start_s: float, end_s: float) -> Reply[Points]:
        """POST batch-query-metric-data: samples from `start_s` on and before `end_s`, in seconds since 1970."""
        body = msgspec.json.encode(
            {
                "metrics": [self._question(series) for series in asked],
                "from": round(start_s * _MILLISECONDS),
                "to": round(end_s * _MILLISECONDS),
                "period": _EACH_MINUTE,
                "filter": _FILTER,
            }
        )
        decoded = partial(samples_in, start_s=start_s, end_s=end_s)
        return await self._caller.call("POST", decoded, "V1.0", "batch-query-metric-data", body=body)

    def _question(self, series: Series) -> dict[str, Any]:
        named = ((_PROXY, series.proxy_id), (_NODE, series.node_id))
        return {
            "namespace": self._namespace,
            "metric_name": series.metric,
            "dimensions": [{"name": name, "value": value} for name, value in named],
        }


def _ids(proxy: dict[str, Any]) -> tuple[str, ...]:
    return tuple(node_id for node in objects(proxy.get("nodes")) if (node_id := text(node.get("id"))))


def samples_in(body: bytes, *, start_s: float, end_s: float) -> Points:
    """The samples of an answer; what names no series of a proxy, or is no number in this time, is left out.

    Raises:
        NotUnderstood: the body is no such answer.
    """
    try:
        data = read_body(body)
    except Unreadable as error:
        raise NotUnderstood(f"the answer cannot be read as JSON ({error})") from error
    rows = data.get("metrics") if isinstance(data, dict) else None
    if not isinstance(rows, list):
        raise NotUnderstood("no metrics in the answer")
    found: Points = {}
    for row in objects(rows):
        named = {text(each.get("name")): text(each.get("value")) for each in objects(row.get("dimensions"))}
        metric, proxy_id, node_id = text(row.get("metric_name")), named.get(_PROXY), named.get(_NODE)
        if metric and proxy_id and node_id:
            found[Series(metric, proxy_id, node_id)] = _points(row, start_s, end_s)
    return found


def _points(row: dict[str, Any], start_s: float, end_s: float) -> tuple[tuple[float, float], ...]:
    read = ((_number(each.get("timestamp")), _number(each.get(_FILTER))) for each in objects(row.get("datapoints")))
    return tuple(
        (at / _MILLISECONDS, value)
        for at, value in read
        if at is not None and value is not None and value >= 0 and start_s <= at / _MILLISECONDS < end_s
    )


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
