"""Metrics in the text format that Prometheus and the textfile collector of node_exporter read.

The one module that knows `prometheus_client`, which is imported when something is to be written and not before.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from orchestrator.app.metrics.measure import PREFIX, Metric, Sample
from orchestrator.model.learned.durations import BOUNDS_S

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric as Family

_FLEET = "fleet"


def exposition(metrics: Iterable[Metric], fleet: str) -> bytes:
    """The content of a metrics file; `fleet`: its name, a label of every sample."""
    from prometheus_client import generate_latest  # noqa: PLC0415  # see the head of this module
    from prometheus_client.registry import Collector, CollectorRegistry  # noqa: PLC0415  # likewise

    class Measured(Collector):
        def collect(self) -> Iterator["Family"]:
            return (_family(metric, fleet) for metric in metrics)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Measured())
    return generate_latest(registry)


def _family(metric: Metric, fleet: str) -> "Family":
    from prometheus_client import metrics_core  # noqa: PLC0415  # see the head of this module

    name, labels = PREFIX + metric.name, (_FLEET, *metric.labels)
    if metric.kind == "histogram":
        histogram = metrics_core.HistogramMetricFamily(name, metric.doc, labels=labels)
        for sample in metric.samples:
            histogram.add_metric((fleet, *sample.labels), _buckets(sample), sample.value)
        return histogram
    kind = metrics_core.CounterMetricFamily if metric.kind == "counter" else metrics_core.GaugeMetricFamily
    family = kind(name, metric.doc, labels=labels)
    for sample in metric.samples:
        family.add_metric((fleet, *sample.labels), sample.value)
    return family


def _buckets(sample: Sample) -> list[tuple[str, float]]:
    bounds = [*(f"{bound:.1f}" for bound in BOUNDS_S), "+Inf"]
    return list(zip(bounds, sample.groups, strict=True))
