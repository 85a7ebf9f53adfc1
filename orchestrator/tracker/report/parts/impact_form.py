"""What the report says of the impact of upgrades: per target, and summed up by wave and by value of each label."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from orchestrator.model.learned.impact import Impact, ImpactSum, impact_of, sum_of
from orchestrator.model.run.run import Run
from orchestrator.model.run.state import TargetState
from orchestrator.spoken import counted

Number = float | None


class ImpactReport(Struct, frozen=True, kw_only=True):
    """What was measured of one upgrade; null where too little was."""

    connections_before: Annotated[Number, Meta(description="Median of the 10 minutes before")]
    connections_min: Annotated[Number, Meta(description="The fewest, until 15 minutes after the end")]
    connections_after: Annotated[Number, Meta(description="Median of the last 5 of those minutes")]
    seconds_below_90_percent: Annotated[Number, Meta(description="With fewer than 90 % of the connections before")]
    response_ms_before: Annotated[Number, Meta(description="Median response time of the 10 minutes before")]
    response_ms_peak: Annotated[Number, Meta(description="The longest, until 15 minutes after the end")]
    response_ms_after: Annotated[Number, Meta(description="Median of the last 5 of those minutes")]
    samples: Annotated[int, Meta(description="Minutes of which something is known")]
    service_impact_s_forecast: Annotated[Number, Meta(description="What the cloud foretold, seconds")]
    missing: Annotated[str, Meta(description="Why there are not more samples; empty when all were asked for")] = ""


class ImpactSumReport(Struct, frozen=True, kw_only=True):
    """What was measured of several upgrades."""

    proxies: Annotated[int, Meta(description="Of so many something was measured")]
    samples: Annotated[int, Meta(description="Minutes, in all")]
    seconds_below_90_percent: Annotated[Number, Meta(description="In all; null when nothing is known of it")]
    longest_s_below_90_percent: Annotated[Number, Meta(description="Of the proxy that was hit longest")]
    response_ms_change: Annotated[Number, Meta(description="Median of the response times after, less those before")]
    service_impact_s_forecast: Annotated[Number, Meta(description="What the cloud foretold of them, in all")]
    median_s_below_90_percent: Annotated[Number, Meta(description="Half of the proxies were hit no longer")] = None
    longest_service_impact_s_forecast: Annotated[
        Number, Meta(description="The longest that the cloud foretold of one of them")
    ] = None
    response_ms_before: Annotated[Number, Meta(description="Median of those of which both are known")] = None
    response_ms_after: Annotated[Number, Meta(description="Median of those of which both are known")] = None


class ImpactsReport(Struct, frozen=True, kw_only=True):
    """The impact of a run."""

    waves: Annotated[dict[str, ImpactSumReport], Meta(description="By wave; those of which something was measured")]
    labels: Annotated[
        dict[str, dict[str, ImpactSumReport]], Meta(description="By name and value of each label, likewise")
    ]


def target_impact(state: TargetState) -> ImpactReport | UnsetType:
    """What is known of one target; absent when it was not measured."""
    if state.impact is None:
        return UNSET
    return msgspec.convert(
        {**msgspec.structs.asdict(impact_of(state.impact)), "service_impact_s_forecast": state.service_impact_s},
        ImpactReport,
    )


def impacts(run: Run) -> ImpactsReport | UnsetType:
    """The sums over a run; absent when nothing was measured."""
    waves: defaultdict[str, list[tuple[Impact, Number]]] = defaultdict(list)
    labels: defaultdict[str, defaultdict[str, list[tuple[Impact, Number]]]] = defaultdict(lambda: defaultdict(list))
    for state in run.states.glances(filter(run.measured.__contains__, run.targets)):
        if state.impact is None:
            continue
        measured = (impact_of(state.impact), state.service_impact_s)
        waves[state.wave or ""].append(measured)
        for name, value in state.target.labels.items():
            labels[name][value].append(measured)
    if not waves:
        return UNSET
    return ImpactsReport(
        waves={wave: _sum(sum_of(waves[wave])) for wave in run.waves if wave in waves},
        labels={name: _sums(labels[name]) for name in sorted(labels)},
    )


def _sums(by_value: Mapping[str, list[tuple[Impact, Number]]]) -> dict[str, ImpactSumReport]:
    return {value: _sum(sum_of(by_value[value])) for value in sorted(by_value)}


def _sum(found: ImpactSum) -> ImpactSumReport:
    return msgspec.convert(found, ImpactSumReport, from_attributes=True)


def impact_lines(found: ImpactsReport | UnsetType) -> Iterator[str]:
    """The sums in words, one line each: waves first, then labels."""
    if found is UNSET:
        return
    yield from (f"wave {wave}: {_words(each)}" for wave, each in found.waves.items())
    for name, by_value in found.labels.items():
        yield from (f"{name} {value}: {_words(each)}" for value, each in by_value.items())


def _words(each: ImpactSumReport) -> str:
    said = [counted(each.proxies, "proxy", "proxies")]
    if each.longest_s_below_90_percent is not None:
        said.append(f"at most {each.longest_s_below_90_percent:g} s below 90 % of connections")
    if each.response_ms_change is not None:
        said.append(f"response {each.response_ms_change:+.3g} ms")
    if each.service_impact_s_forecast is not None:
        said.append(f"foretold were {each.service_impact_s_forecast:g} s in all")
    return ", ".join(said)
