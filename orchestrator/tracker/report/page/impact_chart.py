"""Where the bars of the impact stand, one for each wave, and the rows of the table under them. Pure, as `drawing`."""

from collections.abc import Iterator, Mapping

from msgspec import UNSET, Struct, UnsetType

from orchestrator.spoken import counted
from orchestrator.tracker.report.page.drawing import WIDTH
from orchestrator.tracker.report.parts.impact_form import ImpactsReport, ImpactSumReport

#: Half as wide as the line of the forecast is, which is seen whole at the ends too.
_LINE = 2.0
#: Rows of the table.
_ROWS = 100


class ImpactBar(Struct, frozen=True):
    """A wave: how long its proxies were hit, and how long the cloud foretold; None where it foretold nothing."""

    words: str
    median: float
    longest: float
    foretold: float | None


class ResponseBars(Struct, frozen=True):
    """A wave: how long its proxies took to answer before and after."""

    words: str
    before: float
    after: float


class ImpactChart(Struct, frozen=True):
    """The impact of a run.

    Attributes:
        top: what the full width means, in seconds.
        bars: one for each wave of which something is known, in order.
        slowest: what the full width means for response times, in milliseconds.
        response: likewise for each wave of which response times are known.
        rows: of the table: waves first, then labels.
        left_out: how many labels have no row.
    """

    top: float
    bars: list[ImpactBar]
    slowest: float
    response: list[ResponseBars]
    rows: list[tuple[str, ImpactSumReport]]
    left_out: int


def impact_chart(found: ImpactsReport | UnsetType) -> ImpactChart | None:
    """The impact by wave; None where nothing was measured."""
    if found is UNSET:
        return None
    rows = [*_rows(found)]
    top = max((_most(each) for each in found.waves.values()), default=0.0)
    bars, (slowest, response) = [*_bars(found.waves, top)], _response(found.waves)
    return ImpactChart(top, bars, slowest, response, rows[:_ROWS], max(0, len(rows) - _ROWS))


def _rows(found: ImpactsReport) -> Iterator[tuple[str, ImpactSumReport]]:
    yield from ((f"wave {name}", each) for name, each in found.waves.items())
    for name, by_value in found.labels.items():
        yield from ((f"{name} {value}", each) for value, each in by_value.items())


def _most(each: ImpactSumReport) -> float:
    return max(each.longest_s_below_90_percent or 0.0, each.longest_service_impact_s_forecast or 0.0)


def _bars(waves: Mapping[str, ImpactSumReport], top: float) -> Iterator[ImpactBar]:
    for name, each in waves.items():
        foretold = each.longest_service_impact_s_forecast
        yield ImpactBar(
            f"wave {name}: {_words(each)}",
            _x(each.median_s_below_90_percent or 0.0, top),
            _x(each.longest_s_below_90_percent or 0.0, top),
            None if foretold is None else min(max(_x(foretold, top), _LINE), WIDTH - _LINE),
        )


def _response(waves: Mapping[str, ImpactSumReport]) -> tuple[float, list[ResponseBars]]:
    """The scale, and the bars drawn to it."""
    known = [
        (name, each.response_ms_before, each.response_ms_after)
        for name, each in waves.items()
        if each.response_ms_before is not None and each.response_ms_after is not None
    ]
    slowest = max((max(before, after) for _, before, after in known), default=0.0)
    return slowest, [
        ResponseBars(
            f"wave {name}: {before:.3g} ms before, {after:.3g} ms after", _x(before, slowest), _x(after, slowest)
        )
        for name, before, after in known
    ]


def _x(value: float, top: float) -> float:
    return round(WIDTH * value / (top or 1.0), 1)


def _words(each: ImpactSumReport) -> str:
    said = [counted(each.proxies, "proxy", "proxies")]
    if each.longest_s_below_90_percent is None:
        said.append("too few samples")
    else:
        said += [
            f"median {lasted(each.median_s_below_90_percent)}",
            f"longest {lasted(each.longest_s_below_90_percent)}",
        ]
    if each.longest_service_impact_s_forecast is not None:
        said.append(f"foretold at most {lasted(each.longest_service_impact_s_forecast)}")
    return ", ".join(said)


def lasted(seconds: float | None) -> str:
    """How long it was, to the second; a dash where that is not known."""
    if seconds is None:
        return "-"
    return "less than 1 s" if 0 < seconds < 1 else f"{seconds:,.0f} s"
