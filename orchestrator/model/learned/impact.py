"""What an upgrade did to the applications behind a proxy: made of its samples, and of nothing else. Pure."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from math import ceil
from typing import NamedTuple

from msgspec import Struct

from orchestrator.model.learned.median import median
from orchestrator.model.record.impact_record import ImpactSampled, Sample

#: So many minutes before an upgrade, and after it, are looked at; the last ones say where it came to rest.
BEFORE, AFTER, AT_REST = 10, 15, 5

#: A minute is asked for when it has been over for so long, in minutes: the cloud needs its time.
LAG = 1

#: Fewer connections than this share of those before are counted as an impact.
_FEWER = 0.9


class ImpactSpan(NamedTuple):
    """The minutes of an upgrade: `first` … `start` before it, to `end` it and what follows, to `last` afterwards."""

    first: int
    start: int
    end: int
    last: int


class Impact(Struct, frozen=True, gc=False, kw_only=True):
    """What is known of one upgrade; None where too little was measured to say it.

    Attributes:
        connections_before: median of the 10 minutes before.
        connections_min: the fewest from its beginning to 15 minutes after its end.
        connections_after: median of the last 5 of those.
        seconds_below_90_percent: for how long there were fewer than 90 % of those before, as far as was measured.
        response_ms_before: likewise for the response time; `response_ms_peak`: the longest.
        samples: minutes of which something is known.
        missing: why there are not more of them; empty when all were asked for.
    """

    connections_before: float | None = None
    connections_min: float | None = None
    connections_after: float | None = None
    seconds_below_90_percent: float | None = None
    response_ms_before: float | None = None
    response_ms_peak: float | None = None
    response_ms_after: float | None = None
    samples: int = 0
    missing: str = ""


def span_of(began: datetime, ended: datetime, grain_s: float) -> ImpactSpan:
    """The minutes of an upgrade between two instants of the cloud's time."""
    start, end = int(began.timestamp() // grain_s), ceil(ended.timestamp() / grain_s)
    return ImpactSpan(start - BEFORE, start, end, end + AFTER)


def impact_of(record: ImpactSampled) -> Impact:
    """What the samples of one upgrade say."""
    span = span_of(record.began, record.ended, record.grain_s)

    def values(of: Callable[[Sample], float | None], first: int, last: int) -> list[float]:
        return [value for sample in record.samples if first <= sample[0] < last and (value := of(sample)) is not None]

    connections = [values(_connections, *part) for part in _parts(span)]
    response = [values(_response, *part) for part in _parts(span)]
    before = _median(connections[0])
    below = None if before is None else sum(value < _FEWER * before for value in connections[1])
    return Impact(
        connections_before=before,
        connections_min=min(connections[1], default=None),
        connections_after=_median(connections[2]),
        seconds_below_90_percent=below * record.grain_s if below is not None and connections[1] else None,
        response_ms_before=_median(response[0]),
        response_ms_peak=max(response[1], default=None),
        response_ms_after=_median(response[2]),
        samples=len(record.samples),
        missing=record.missing,
    )


def _parts(span: ImpactSpan) -> tuple[tuple[int, int], ...]:
    return (span.first, span.start), (span.start, span.last), (max(span.end, span.last - AT_REST), span.last)


def _connections(sample: Sample) -> float | None:
    return sample[1]


def _response(sample: Sample) -> float | None:
    return sample[2]


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None


def merged(before: ImpactSampled | None, now: ImpactSampled) -> ImpactSampled:
    """Two records of one upgrade as one: what an earlier session measured is kept where a later one has nothing."""
    if before is None or (before.began, before.grain_s) != (now.began, now.grain_s):
        return now
    minutes = {sample[0]: sample for sample in before.samples} | {sample[0]: sample for sample in now.samples}
    return ImpactSampled(
        at=now.at,
        target=now.target,
        attempt=now.attempt,
        began=now.began,
        ended=now.ended,
        grain_s=now.grain_s,
        samples=tuple(minutes[minute] for minute in sorted(minutes)),
        missing=now.missing,
    )


class ImpactSum(Struct, frozen=True, kw_only=True):
    """What is known of several upgrades.

    Attributes:
        proxies: of so many something was measured.
        samples: minutes, in all.
        seconds_below_90_percent: in all; `median_s_below_90_percent`: half of them were hit no longer;
            `longest_s_below_90_percent`: of the proxy that was hit longest.
        response_ms_before: median of those of which both are known; `response_ms_after`: likewise.
        response_ms_change: median of how much longer the response time was at rest afterwards than before.
        service_impact_s_forecast: what the cloud foretold of them, in all; None when it foretold nothing.
        longest_service_impact_s_forecast: the longest that it foretold of one of them.
    """

    proxies: int
    samples: int
    seconds_below_90_percent: float | None
    median_s_below_90_percent: float | None
    longest_s_below_90_percent: float | None
    response_ms_before: float | None
    response_ms_after: float | None
    response_ms_change: float | None
    service_impact_s_forecast: float | None
    longest_service_impact_s_forecast: float | None


def sum_of(impacts: Iterable[tuple[Impact, float | None]]) -> ImpactSum:
    """The sum of impacts, each with what the cloud foretold of it in seconds."""
    rows = list(impacts)
    below = [each.seconds_below_90_percent for each, _ in rows if each.seconds_below_90_percent is not None]
    response = [
        (each.response_ms_before, each.response_ms_after)
        for each, _ in rows
        if each.response_ms_after is not None and each.response_ms_before is not None
    ]
    told = [forecast for _, forecast in rows if forecast is not None]
    return ImpactSum(
        proxies=sum(each.samples > 0 for each, _ in rows),
        samples=sum(each.samples for each, _ in rows),
        seconds_below_90_percent=sum(below) if below else None,
        median_s_below_90_percent=_median(below),
        longest_s_below_90_percent=max(below, default=None),
        response_ms_before=_median([before for before, _ in response]),
        response_ms_after=_median([after for _, after in response]),
        response_ms_change=_median([after - before for before, after in response]),
        service_impact_s_forecast=sum(told) if told else None,
        longest_service_impact_s_forecast=max(told, default=None),
    )
