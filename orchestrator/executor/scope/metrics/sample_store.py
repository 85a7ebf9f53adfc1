"""What was read of metrics in this session, and what is still to be asked for. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from orchestrator.model.plan.metric import Minute, Minutes, Series, in_minutes, of_proxy

#: Minutes that are asked for together, on a common grid, so that calls for many proxies fill: an answer holds at most
#: 3,000 samples, which are 500 series of 6 minutes.
SPAN = 5

#: A minute that has passed may come so much later; a span is asked for again until then.
LATE = 10


class Wanted(NamedTuple):
    """Minutes of a proxy that are wanted, from `first` on and before `last`."""

    scope: str
    instance_id: str
    proxy_id: str
    metrics: tuple[str, ...]
    first: Minute
    last: Minute


class SampleStore:
    """Samples by series and minute.

    Attributes:
        nodes: the sets of nodes that each proxy was seen with; an upgrade may bring new ones.
    """

    def __init__(self) -> None:
        self.nodes: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
        self._minutes: defaultdict[Series, dict[Minute, float]] = defaultdict(dict)
        self._asked: dict[tuple[Series, int], Minute] = {}

    def learn_nodes(self, proxy_id: str, nodes: tuple[str, ...]) -> None:
        """Note the nodes that a proxy has now."""
        known = self.nodes[proxy_id]
        if nodes and tuple(sorted(nodes)) not in known:
            known.append(tuple(sorted(nodes)))

    def to_ask(self, wanted: Iterable[Wanted], now: Minute) -> Mapping[int, list[Series]]:
        """The series to ask for, by their span: those of which a minute that has passed by `now` may be learned."""
        found: defaultdict[int, dict[Series, None]] = defaultdict(dict)
        for want in wanted:
            for span in range(want.first // SPAN, -(-min(want.last, now) // SPAN)):
                for series in self._series(want):
                    if self._open(series, span, now):
                        found[span][series] = None
        return {span: list(series) for span, series in sorted(found.items())}

    def note(
        self, asked: Iterable[Series], span: int, now: Minute, found: Mapping[Series, Minutes] | None = None
    ) -> None:
        """Take in the answer to a question for a span; without one, nothing more is asked before the next minute."""
        for series in asked:
            self._asked[series, span] = now
            self._minutes[series].update((found or {}).get(series, {}))

    def values(self, metric: str, proxy_id: str, first: Minute, last: Minute) -> dict[Minute, float]:
        """A metric of a proxy: the minutes in which all nodes of one of its sets have a value."""
        values: dict[Minute, float] = {}
        for nodes in self.nodes.get(proxy_id, ()):
            by_node = {node: self._known(Series(metric, proxy_id, node), first, last) for node in nodes}
            values |= of_proxy(metric, nodes, by_node)
        return dict(sorted(values.items()))

    def forget(self, proxy_id: str) -> None:
        """Drop what was read of a proxy; who asks about it later reads it again."""
        for series in [series for series in self._minutes if series.proxy_id == proxy_id]:
            del self._minutes[series]
        for key in [key for key in self._asked if key[0].proxy_id == proxy_id]:
            del self._asked[key]

    def _known(self, series: Series, first: Minute, last: Minute) -> Minutes:
        known = self._minutes.get(series, {})
        return {minute: known[minute] for minute in range(first, last) if minute in known}

    def _series(self, want: Wanted) -> Iterator[Series]:
        nodes = dict.fromkeys(node for known in self.nodes.get(want.proxy_id, ()) for node in known)
        return (Series(metric, want.proxy_id, node) for metric in want.metrics for node in nodes)

    def _open(self, series: Series, span: int, now: Minute) -> bool:
        asked, ends = self._asked.get((series, span)), (span + 1) * SPAN
        if asked is None:
            return True
        if asked >= min(now, ends + LATE):
            return False
        return not all(minute in self._minutes[series] for minute in range(span * SPAN, min(ends, now)))


def by_minute(samples: Mapping[Series, Iterable[tuple[float, float]]], grain_s: float) -> dict[Series, Minutes]:
    """Samples at instants as values of minutes."""
    return {series: in_minutes(points, grain_s) for series, points in samples.items()}
