"""Whether what a report says of the impact of upgrades follows from the samples in the journal."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from math import ceil
from statistics import median
from typing import Any

from auditor.journal import Book, Line

#: Minutes before an upgrade, after it, and the last of those; the share of connections below which an impact counts.
_BEFORE, _AFTER, _LAST, _SHARE = 10, 15, 5, 0.9


def impact_problems(report: Line, book: Book) -> Iterator[str]:
    """What is wrong with the impact of targets, waves and labels."""
    waves: defaultdict[str, list[Line]] = defaultdict(list)
    labels: defaultdict[tuple[str, str], list[Line]] = defaultdict(list)
    for target in report["targets"]:
        lines = book.of.get(target["proxy_id"], [])
        backed, told = _measured(lines), target.get("impact")
        if told != backed:
            yield f"{target['proxy_id']}: its impact is {told}, by the samples {backed}"
        if backed is not None:
            waves[target["wave"]].append(backed)
            for name, value in target["labels"].items():
                labels[name, value].append(backed)
    told = report.get("impact") or {"waves": {}, "labels": {}}
    if told["waves"] != {name: _sum(rows) for name, rows in waves.items()}:
        yield f"impact.waves is {told['waves']}, the samples say otherwise"
    flat = {(name, value): each for name, values in told["labels"].items() for value, each in values.items()}
    if flat != {key: _sum(rows) for key, rows in labels.items()}:
        yield f"impact.labels is {told['labels']}, the samples say otherwise"


def _measured(lines: list[Line]) -> Line | None:
    """The impact by the samples; those of several sessions as one."""
    records = [line for line in lines if line["record"] == "impact_sampled"]
    if not records:
        return None
    last = records[-1]
    same = [line for line in records if (line["began"], line["grain_s"]) == (last["began"], last["grain_s"])]
    samples = {sample[0]: sample for line in same for sample in line["samples"]}
    foretold = [line.get("service_impact_s") for line in lines if line["record"] == "preflight_done"]
    grain_s = last["grain_s"]
    began, ended = (datetime.fromisoformat(last[name]).timestamp() / grain_s for name in ("began", "ended"))
    start, end = int(began), ceil(ended) + _AFTER

    def column(number: int, first: int, until: int) -> list[float]:
        return [
            samples[at][number] for at in sorted(samples) if first <= at < until and samples[at][number] is not None
        ]

    def rows(number: int) -> tuple[list[float], list[float], list[float]]:
        return column(number, start - _BEFORE, start), column(number, start, end), column(number, end - _LAST, end)

    connections, response = rows(1), rows(2)
    before = _median(connections[0])
    below = before is not None and connections[1]
    return {
        "connections_before": before,
        "connections_min": min(connections[1], default=None),
        "connections_after": _median(connections[2]),
        "seconds_below_90_percent": sum(each < _SHARE * before for each in connections[1]) * grain_s
        if below and before is not None
        else None,
        "response_ms_before": _median(response[0]),
        "response_ms_peak": max(response[1], default=None),
        "response_ms_after": _median(response[2]),
        "samples": len(samples),
        "service_impact_s_forecast": foretold[-1] if foretold else None,
        "missing": last["missing"],
    }


def _sum(rows: list[Line]) -> Line:
    def known(name: str) -> list[Any]:
        return [row[name] for row in rows if row[name] is not None]

    below, told = known("seconds_below_90_percent"), known("service_impact_s_forecast")
    both = [row for row in rows if None not in (row["response_ms_after"], row["response_ms_before"])]
    return {
        "proxies": sum(row["samples"] > 0 for row in rows),
        "samples": sum(row["samples"] for row in rows),
        "seconds_below_90_percent": sum(below) if below else None,
        "median_s_below_90_percent": _median(below),
        "longest_s_below_90_percent": max(below, default=None),
        "response_ms_before": _median([row["response_ms_before"] for row in both]),
        "response_ms_after": _median([row["response_ms_after"] for row in both]),
        "response_ms_change": _median([row["response_ms_after"] - row["response_ms_before"] for row in both]),
        "service_impact_s_forecast": sum(told) if told else None,
        "longest_service_impact_s_forecast": max(told, default=None),
    }


def _median(values: list[float]) -> float | None:
    return median(values) if values else None
