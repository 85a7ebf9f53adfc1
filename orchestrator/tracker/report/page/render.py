"""The report as one HTML file that cannot load anything: its policy allows its own style and script by their hashes."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec
from jinja2 import Environment
from markupsafe import Markup

from orchestrator.model.night import Period
from orchestrator.page.shell import drawn, environment
from orchestrator.plain import plain
from orchestrator.tracker.report.build import Story
from orchestrator.tracker.report.page import charts, drawing
from orchestrator.tracker.report.page.content import Content, content_of, is_good, really
from orchestrator.tracker.report.page.sentences import budgets, commands, plan_rows, remedy, settle, under_way, verdict
from orchestrator.tracker.report.schema import TargetReport
from orchestrator.tracker.report.text_form import became, refused_in_all

#: So many rows the table of events has, and so many scopes a chart of their calls.
_EVENTS, _CHARTS = 200, 6


def report_chunks(story: Story) -> Iterator[bytes]:
    """The report as a page. It reads the targets of `story`, and keeps those that it shows."""
    return page_chunks(story, content_of(story.targets, story.head))


def page_chunks(story: Story, found: Content) -> Iterator[bytes]:
    """The report as a page, whose targets were gathered before."""
    return drawn(_environment(), "report.html.jinja", _values(story, found))


def _values(story: Story, found: Content) -> dict[str, Any]:
    head, span = story.head, drawing.axis_of(story.head, found, story.periods)
    return {
        "head": head,
        "found": found,
        "verdict": verdict(head),
        "commands": commands(story, found),
        "under_way": under_way(head),
        "named": story.named,
        "moment": _moment(span),
        "refused_in_all": refused_in_all(head),
        "settle": partial(settle, story.named),
        "budgets": budgets(story),
        "plan_rows": plan_rows(story.plan),
        "lanes": drawing.lanes(head, found, span),
        "ticks": drawing.ticks(span),
        "span": span,
        "shades": drawing.fleet_shades(story.periods, span),
        "scope_lanes": drawing.scope_lanes(story.periods, span),
        "events": _events(story),
        "most": max(charts.in_flight(found, span)),
        "allowed": story.in_flight,
        "flight": charts.in_flight_chart(found, span, story.in_flight),
        "calls": _busiest(story, span),
        "bins": charts.histogram(found.durations),
        "typical": _typical(found.durations),
        "names": {each.proxy_id: each.facts.both for each in found.rows if each.facts and each.facts.both},
        "details": Markup(_details(found)),  # noqa: S704  # `<` is escaped there
    }


def _events(story: Story) -> list[Period]:
    """The periods as a table has them: sessions, holds, and when a scope or the calendar was closed."""
    return sorted(story.periods, key=lambda period: period.begin)[:_EVENTS]


def _busiest(story: Story, span: drawing.Axis) -> dict[str, charts.Chart]:
    """Calls per second of the scopes that made most of them."""
    scopes = sorted(story.calls, key=lambda scope: -sum(each.calls for each in story.calls[scope]))[:_CHARTS]
    return {scope: charts.calls_chart(story.calls[scope], span) for scope in scopes}


def _moment(span: drawing.Axis) -> str:
    """How an instant is written in a row: without its day where all were on one."""
    return "%H:%M:%S" if span.begin.date() == span.end.date() else "%m-%d %H:%M:%S"


def _typical(durations: list[float]) -> dict[str, float]:
    ordered = sorted(durations)
    if not ordered:
        return {}
    return {
        "median": ordered[len(ordered) // 2],
        "9 of 10 within": ordered[len(ordered) * 9 // 10],
        "most": ordered[-1],
    }


def _details(found: Content) -> str:
    """What unfolds under a row, as JSON without the character that could end its element."""
    data = {target.proxy_id: _detail(target) for target in found.rows if target.attempts or target.evidence}
    return msgspec.json.encode(data).decode().replace("<", "\\u003c")


def _detail(target: TargetReport) -> list[str]:
    lines = [
        f"{attempt.at:%H:%M:%SZ} attempt {attempt.number}: "
        f"{'no answer came' if attempt.http_status is None else f'HTTP {attempt.http_status}'}"
        f"{f', {attempt.error_code} {attempt.error_msg}' if attempt.error_code else ''}"
        f"{f', request {attempt.request_id}' if attempt.request_id else ''}"
        f"{''.join(f'; {entry.state} {entry.error_message or str()}'.rstrip() for entry in attempt.update_result)}"
        for attempt in target.attempts
    ]
    lines += [f"{name}: {value}" for name, value in _whereabouts(target)]
    if target.job is not None:
        lines.append(f"job {target.job.status}{f': {target.job.fail_reason}' if target.job.fail_reason else ''}")
    return [plain(line) for line in [*lines, *(f"found: {each}" for each in target.evidence or ())]]


def _whereabouts(target: TargetReport) -> Iterator[tuple[str, str]]:
    """Where it is, as far as it is known."""
    yield "scope", target.scope
    for key, value in target.labels.items():
        yield f"label {key}", value
    if target.facts is not None:
        for key, value in (target.facts.tags or {}).items():
            yield f"tag {key}", value
        if target.facts.subnet is not None:
            yield "subnet", target.facts.subnet
        if target.facts.nodes is not None:
            yield "nodes", str(target.facts.nodes)


def _versions(target: TargetReport) -> str:
    """From which version to which, as far as they were read."""
    if target.verified_version is None or target.source_version is None:
        return target.source_version or target.verified_version or "-"
    if target.verified_version == target.source_version:
        return f"{target.source_version}, still"
    return f"{target.source_version} → {target.verified_version}"


def _new_ids(target: TargetReport) -> list[str]:
    """The workflow_ids that its reason does not name."""
    return [each for each in target.workflow_ids if each not in (target.reason or "")]


def _environment() -> Environment:
    made = environment("orchestrator.tracker.report.page", "report.js")
    made.globals |= {
        "became": became,
        "is_good": is_good,
        "versions": _versions,
        "new_ids": _new_ids,
        "really": really,
        "remedy": remedy,
    }
    return made
