"""Metrics of proxies as Cloud Eye keeps them, minute by minute. Pure.

Names: user guide taurusdb_03_0085. The namespace differs between its pages, and is unverified per region.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import TypeAlias

from msgspec import Struct

CONNECTIONS = "rds_proxy_frontend_connections"
RESPONSE_MS = "rds_proxy_average_response_time"
QUERIES = "rds_proxy_query_per_seconds"

#: What is read of each proxy for its impact.
IMPACT_METRICS = (CONNECTIONS, RESPONSE_MS, QUERIES)

#: Metrics that are counts or rates: those of the nodes add up to that of the proxy. Of any other, the mean counts.
_ADD_UP = ("_connections", "_per_seconds", "_per_second", "_creation", "_count", "_num")

#: Minutes: the whole number of grains since 1970 at which one begins.
Minute: TypeAlias = int
Minutes: TypeAlias = Mapping[Minute, float]


class CloudEye(Struct, frozen=True, kw_only=True):
    """How metrics are read.

    Attributes:
        endpoint: where Cloud Eye answers; `{region}` stands for the region of a scope. None: by the region.
        namespace: under which it keeps metrics of proxies.
        grain_s: between two samples; a simulated cloud that is hastened has shorter minutes.
    """

    endpoint: str | None = None
    namespace: str = "SYS.DBPROXY"
    grain_s: float = 60.0


class Series(Struct, frozen=True, gc=False):
    """One metric of one node of a proxy."""

    metric: str
    proxy_id: str
    node_id: str


#: What was measured: instants in seconds since 1970, each with its value, by series.
Points: TypeAlias = dict[Series, tuple[tuple[float, float], ...]]


def adds_up(metric: str) -> bool:
    """Whether the values of a proxy's nodes add up."""
    return metric.endswith(_ADD_UP)


def of_proxy(metric: str, nodes: Collection[str], by_node: Mapping[str, Minutes]) -> dict[Minute, float]:
    """A metric of a proxy, from those of its nodes: only minutes in which each of them has a value."""
    if not nodes or any(node not in by_node for node in nodes):
        return {}
    common = set.intersection(*(set(by_node[node]) for node in nodes))
    share = 1 if adds_up(metric) else len(nodes)
    return {minute: sum(by_node[node][minute] for node in nodes) / share for minute in sorted(common)}


def in_minutes(samples: Iterable[tuple[float, float]], grain_s: float) -> dict[Minute, float]:
    """Samples at instants, in seconds since 1970, by their minute; of two in one minute, the later one."""
    return {int(at // grain_s): value for at, value in sorted(samples)}
