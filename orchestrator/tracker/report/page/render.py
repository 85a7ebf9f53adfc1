"""The report as one HTML file that cannot load anything: its policy allows its own style and script by their hashes."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import msgspec
from jinja2 import Environment
from markupsafe import Markup

from orchestrator.model.run.night import Period
from orchestrator.page.shell import drawn, environment
from orchestrator.tracker.report.build import Story
from orchestrator.tracker.report.page import charts, drawing
from orchestrator.tracker.report.page.content import Content, content_of, is_told, urgency
from orchestrator.tracker.report.page.impact_chart import impact_chart, lasted
from orchestrator.tracker.report.page.sentences import (
    as_of,
    budgets,
    commands,
    held_words,
    moves_words,
    plan_rows,
    remedy,
    remedy_of_refusal,
    settle,
    strict_words,
    verdict,
)
from orchestrator.tracker.report.page.unfolded import story_lines
from orchestrator.tracker.report.parts.gate_form import closed_words
from orchestrator.tracker.report.schema import TargetReport
from orchestrator.tracker.report.text_form import became, refused_in_all
from orchestrator.tracker.report.why import why_words

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
    rows = sorted(found.rows, key=urgency)
    return {
        "head": head,
        "found": found,
        "verdict": verdict(head, found),
        "as_of": as_of(head),
        "commands": commands(story, found),
        "held_words": held_words(story),
        "beside_causes": story.beside_causes,
        "moves_words": moves_words(story),
        "rows": rows,
        "held_by": frozenset(head.run.hold.proxy_ids) if head.run.hold else frozenset(),
        "named": story.named,
        "moment": _moment(span),
        "refused_in_all": refused_in_all(head),
        "settle": partial(settle, story.named),
        "budgets": budgets(story),
        "plan_rows": plan_rows(story),
        "lanes": drawing.lanes(head, found, span),
        "marks": sorted({outcome for _at, _wave, outcome in found.ends}),
        "ticks": drawing.ticks(span),
        "span": span,
        "shades": drawing.fleet_shades(story.periods, span),
        "scope_lanes": drawing.scope_lanes(story.periods, span),
        "events": _events(story),
        "most": max(charts.in_flight(found, span)),
        "allowed": story.in_flight,
        "strict": strict_words(story),
        "flight": charts.in_flight_chart(found, span, story.in_flight, story.allowed),
        "calls": _busiest(story, span),
        "impact": impact_chart(head.impact),
        "bins": charts.histogram(found.durations),
        "typical": _typical(found.durations),
        "names": {each.proxy_id: each.called for each in found.rows if each.called},
        "details": Markup(_details(rows)),  # noqa: S704  # `<` is escaped there
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


def _details(rows: Sequence[TargetReport]) -> str:
    """What unfolds under a row and is not in the page yet, as JSON without the character that could end its element.

    Lines that several rows have stand there once, under `shared`; the others have their place in it.
    """
    stories = [[] if is_told(target) else story_lines(target) for target in rows]
    times = Counter(line for story in stories for line in story)
    places = {line: place for place, line in enumerate(line for line, number in times.items() if number > 1)}
    found = {"shared": list(places), "rows": [[places.get(line, line) for line in story] for story in stories]}
    return msgspec.json.encode(found).decode().replace("<", "\\u003c")


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
        "lasted": lasted,
        "is_told": is_told,
        "closed_words": closed_words,
        "versions": _versions,
        "new_ids": _new_ids,
        "story_lines": story_lines,
        "why": why_words,
        "remedy": remedy,
        "remedy_of_refusal": remedy_of_refusal,
    }
    return made
