"""Cloud Eye in the simulated cloud: metrics of proxy nodes, each value a function of the seed and the minute.

Form of question and answer: huaweicloudsdkces v1, BatchListMetricData. Load follows the day; an upgrade restarts one
node after the other, whose connections drop and come back; a version may answer more slowly, and so may a whole region.
"""

from collections.abc import Iterator
from math import exp, pi, sin
from statistics import NormalDist
from typing import Any

import msgspec

from orchestrator.simulator.chance import between, unit
from orchestrator.simulator.config import SimulatorConfig
from orchestrator.simulator.profile import Profile, Regression, Spike
from orchestrator.simulator.wire import Refusal, Reply, answer
from orchestrator.simulator.world.views import Views
from orchestrator.simulator.world.world import FOREVER, Project, Proxy

#: Metrics by their short names, with the levels between which proxies lie.
METRICS = {
    "connections": ("rds_proxy_frontend_connections", (20.0, 400.0)),
    "response": ("rds_proxy_average_response_time", (2.0, 20.0)),
    "queries": ("rds_proxy_query_per_seconds", (50.0, 2000.0)),
}
_SHORT = {name: (short, levels) for short, (name, levels) in METRICS.items()}
NAMESPACE = "SYS.DBPROXY"

MINUTE_S = 60.0
_DAY = 1440
_NOISE = 0.05
_MOST, _MOST_SAMPLES = 500, 3000
#: What is left of a node's connections in the minutes from its restart on, and how much slower it answers.
_RESTART = ((0.3, 1.6), (0.75, 1.2))
_NORMAL = NormalDist()


class _Metric(msgspec.Struct, frozen=True):
    namespace: str
    metric_name: str
    dimensions: list[dict[str, str]]


class _Body(msgspec.Struct, frozen=True):
    metrics: list[_Metric]
    start: int = msgspec.field(name="from")
    to: int
    period: str
    filter: str


class CloudEyeService:
    """Answers the questions of one cloud about metrics."""

    def __init__(self, views: Views, profile: Profile, config: SimulatorConfig, began: float) -> None:
        self._views = views
        self._faults = profile.metrics
        self._seed = config.seed
        self._minute_s = MINUTE_S / config.speed
        self._skew_s = profile.clock_skew_s
        self._began = began

    def batch(self, project: Project, body: bytes, t: float) -> Reply:
        """BatchListMetricData.

        Raises:
            Refusal: no permission, too much asked for, or a body that cannot be read.
        """
        asked = self._decoded(body)
        first, last = (round(ms / 1000 / self._minute_s) for ms in (asked.start, asked.to))
        most = self._faults.most or _MOST
        if len(asked.metrics) > most or len(asked.metrics) * (last - first) > _MOST_SAMPLES:
            raise Refusal(400, "ces.0014", f"The number of metrics or samples exceeds the limit ({most}).")
        nodes = {} if not asked.metrics else self._nodes(project, asked)
        told = t + self._skew_s
        return answer(
            {"metrics": [self._row(each, nodes, (first, last), asked.filter, told) for each in asked.metrics]}
        )

    def _decoded(self, body: bytes) -> _Body:
        if self._faults.forbidden:
            raise Refusal(403, "ces.0013", "Policy doesn't allow ces:metricData:list to be performed.")
        try:
            return msgspec.json.decode(body, type=_Body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Refusal(400, "ces.0014", "The content must be specified.") from error

    def _nodes(self, project: Project, asked: _Body) -> dict[tuple[str, str], tuple[Proxy, int]]:
        wanted = {_named(each)[0] for each in asked.metrics}
        proxies = (project.proxies[key] for key in wanted if key in project.proxies)
        return {
            (proxy.proxy_id, self._views.node_id(proxy, number)): (proxy, number)
            for proxy in proxies
            for number in range(proxy.node_num)
        }

    def _row(
        self,
        metric: _Metric,
        nodes: dict[tuple[str, str], tuple[Proxy, int]],
        minutes: tuple[int, int],
        how: str,
        t: float,
    ) -> dict[str, Any]:
        found, known = nodes.get(_named(metric)), _SHORT.get(metric.metric_name)
        points: list[dict[str, Any]] = []
        if found is not None and known is not None and metric.namespace == NAMESPACE:
            points = list(self._points(known[0], *found, minutes, how, t))
        return {
            "namespace": metric.namespace,
            "metric_name": metric.metric_name,
            "dimensions": metric.dimensions,
            "datapoints": points,
            "unit": "",
        }

    def _points(
        self, short: str, proxy: Proxy, node: int, minutes: tuple[int, int], how: str, t: float
    ) -> Iterator[dict[str, Any]]:
        faults = self._faults
        for minute in range(*minutes):
            ends = (minute + 1) * self._minute_s
            late_s = faults.late_s * self._minute_s / MINUTE_S
            missing = unit(self._seed, "metric_missing", proxy.proxy_id, node, minute) < faults.missing
            if ends + late_s <= t and minute % faults.grain == 0 and not missing:
                value = round(self.value(short, proxy, node, minute), 3)
                yield {how: value, "timestamp": round(minute * self._minute_s * 1000)}

    def value(self, short: str, proxy: Proxy, node: int, minute: int) -> float:
        """One metric of one node in one minute."""
        seed, levels = self._seed, METRICS[short][1]
        level = between(levels, seed, "level", short, proxy.proxy_id)
        level /= 1 if short == "response" else proxy.node_num
        phase = unit(seed, "day", proxy.instance.project.project_id)
        swing = 0.2 if short == "response" else 0.5
        load = 1 + swing * sin(2 * pi * (minute % _DAY / _DAY + phase))
        noise = exp(_NOISE * _NORMAL.inv_cdf(max(1e-9, unit(seed, "noise", short, proxy.proxy_id, node, minute))))
        return level * load * noise * self._upgraded(short, proxy, node, minute) * self._everywhere(short, minute)

    def _upgraded(self, short: str, proxy: Proxy, node: int, minute: int) -> float:
        """What upgrades of the proxy make of it: the restart of the node, and the version that it runs since."""
        factor = 1.0
        for job in (job for job in proxy.instance.jobs if job.proxy is proxy and job.ends_at < FOREVER):
            restarts = job.created + (node + 0.5) / proxy.node_num * (job.ends_at - job.created)
            since = minute - int((restarts + self._skew_s) // self._minute_s)
            if 0 <= since < len(_RESTART) and short != "queries":
                factor *= _RESTART[since][short == "response"]
        runs = proxy.version_at((minute + 0.5) * self._minute_s - self._skew_s)
        slower = (each for each in self._faults.regressions if (each.metric, each.version) == (short, runs))
        return factor * _product(slower)

    def _everywhere(self, short: str, minute: int) -> float:
        after = (minute * self._minute_s - self._skew_s - self._began) * MINUTE_S / self._minute_s
        spikes = (each for each in self._faults.spikes if each.metric == short)
        return _product(each for each in spikes if each.at_s <= after < each.at_s + each.duration_s)


def _product(changes: Iterator[Regression] | Iterator[Spike]) -> float:
    factor = 1.0
    for each in changes:
        factor *= each.factor
    return factor


def _named(metric: _Metric) -> tuple[str, str]:
    named = {each.get("name"): each.get("value", "") for each in metric.dimensions}
    return named.get("dbproxy_instance_id", ""), named.get("dbproxy_node_id", "")
