"""The report for people: first what matters, then every target on a line of its own."""

from collections.abc import Iterable, Iterator
from itertools import filterfalse

from orchestrator.model.record.outcome import BAD, FAILED_BEFORE, STUCK, Outcome
from orchestrator.plain import plain
from orchestrator.spoken import counted
from orchestrator.tracker.report.build import Story
from orchestrator.tracker.report.parts.capacity_form import capacity_lines
from orchestrator.tracker.report.parts.gate_form import gate_lines
from orchestrator.tracker.report.parts.impact_form import impact_lines
from orchestrator.tracker.report.parts.people import ActReport
from orchestrator.tracker.report.schema import (
    Head,
    HoldReport,
    RejectReason,
    RunReport,
    ScopeReport,
    TargetReport,
    WaveReport,
)
from orchestrator.tracker.report.why import resent_lines, why_words

_MARGIN = "  "
_UNDER = " " * 11
#: Outcomes, and places of targets without one, that a person should look at.
_LOOKED_AT = frozenset(each.value for each in (*BAD, *STUCK))


def report_chunks(story: Story) -> Iterator[bytes]:
    """The report as bytes that are safe on a terminal."""
    return (plain(line).encode() + b"\n" for line in text_lines(story))


def text_lines(story: Story) -> Iterator[str]:
    """The report, line by line, without line ends: targets that a person should look at stand before the others.

    It goes over the targets of `story` twice, and keeps those that need a person or had several calls. The table's
    columns are as wide as ids are, so that no target has to be seen before the first can be written.
    """
    yield from _title(story.head)
    yield from ("", "Outcomes", *outcome_lines(story.head))
    yield from _section(reject_title(story.head).capitalize(), reject_lines(story.head))
    yield from _section("Waves", map(_wave, story.head.waves))
    yield from _section("Scopes", map(_scope, story.head.scopes))
    yield from _section("People", map(act_line, story.head.run.people))
    yield from _section("Gates", (f"{_MARGIN}{line}" for line in gate_lines(story.head.gates)))
    yield from _section("Impact", (f"{_MARGIN}{line}" for line in impact_lines(story.head.impact)))
    yield from _section("Subnets", (f"{_MARGIN}{line}" for line in capacity_lines(story.head.capacity)))
    stuck: list[TargetReport] = []
    resent: list[TargetReport] = []
    kept = _keep(story.targets, stuck, resent)
    yield from _section("Targets to look at", _table(filter(_to_look_at, kept)))
    yield from _section("These need a person: look at them in the console, then use `settle`", map(_stuck, stuck))
    sent_again = (f"{_MARGIN}{line}" for target in resent for line in resent_lines(target))
    yield from _section("More than one upgrade call: each with its answer, and what was found", sent_again)
    yield from _section("Targets", _table(filterfalse(_to_look_at, story.targets)))


def outcome_lines(head: Head) -> list[str]:
    """How many targets have which outcome, one line each."""
    return [f"{_MARGIN}{count:>7}  {outcome}" for outcome, count in head.totals.outcomes.items()]


def reject_lines(head: Head, most: int | None = None) -> Iterator[str]:
    """How often the cloud gave which reason, the most frequent first; several texts by what they share.

    A line says what became of its targets where not each of them was `rejected` once, so that the sums add up. Under it
    stand what its targets have in common, and what to do about it, where that is known.
    """
    for each in head.reject_reasons[:most]:
        code = f" ({each.error_code})" if each.error_code else ""
        yield f"{_MARGIN}{each.count:>7}  {reason_words(each)}{code}{became(each)}"
        yield from (f"{_UNDER}{common}" for common in each.in_common)
        if each.remedy:
            yield f"{_UNDER}-> {each.remedy}"


def became(each: RejectReason) -> str:
    """What became of the targets that got a reason, unless each time one more was `rejected`."""
    if not each.outcomes or each.outcomes == {Outcome.REJECTED.value: each.count}:
        return ""
    words = ", ".join(f"{count:,} {outcome}" for outcome, count in each.outcomes.items())
    return f"; of {counted(len(each.proxy_ids), 'proxy', 'proxies')}: {words}"


def reject_title(head: Head) -> str:
    """What stands above these lines."""
    total = refused_in_all(head)
    return f"refused by the cloud, {total}:" if total else "refused by the cloud:"


def refused_in_all(head: Head) -> str:
    """The sum of these lines, in words; empty where it is that of the targets that are `rejected`."""
    times = sum(each.count for each in head.reject_reasons)
    if times == head.totals.outcomes.get(Outcome.REJECTED.value, 0):
        return ""
    proxies = len({proxy_id for each in head.reject_reasons for proxy_id in each.proxy_ids})
    return f"{counted(times, 'time')} for {counted(proxies, 'proxy', 'proxies')}"


def reason_words(each: RejectReason) -> str:
    """The reason: its text, or what its texts share."""
    return each.reason if len(each.reasons) == 1 else each.signature


def _title(head: Head) -> Iterator[str]:
    run = head.run
    yield f"{'SIMULATED: ' if run.simulated else ''}{run.name} -> {run.target_version}: {run.state}"
    ended = f", ended {run.ended_at:%Y-%m-%d %H:%M:%SZ}" if run.ended_at else ""
    as_of = f", as of {run.as_of:%Y-%m-%d %H:%M:%SZ}" if run.as_of else ""
    yield f"run {run.run_id}, begun {run.started_at:%Y-%m-%d %H:%M:%SZ}{ended}, sessions: {run.sessions}{as_of}"
    if len(run.hosts) > 1:
        yield f"hosts: {', '.join(map(str, run.hosts))}"
    totals, least = head.totals, "at least " if head.totals.calls_at_least else ""
    yield f"targets: {totals.targets}, upgrade calls: {totals.upgrade_calls}, calls: {least}{totals.calls}"
    if run.hold is not None:
        yield from hold_lines(run.hold)
    yield from bug_lines(run)


def act_line(act: ActReport) -> str:
    """When who did what."""
    return f"{_MARGIN}{act.at:%Y-%m-%d %H:%M:%SZ} {act.who} {act.did}{f': {act.note}' if act.note else ''}"


def bug_lines(run: RunReport) -> Iterator[str]:
    """What failed in this program, one line each."""
    yield from (f"INTERNAL ERROR: {error}" for error in run.errors)
    yield from (f"ERROR: {error}" for error in run.host_errors or ())
    yield from (f"WARNING: {warning}" for warning in run.warnings)


def hold_lines(hold: HoldReport) -> Iterator[str]:
    """Since when, why and through which targets the fleet is held."""
    who = f" by {hold.who}" if hold.who else ""
    yield f"HELD since {hold.at:%Y-%m-%d %H:%M:%SZ}{who}: {hold.reason}{_note(hold)}"
    for group in hold.causes:
        yield f"{_MARGIN}{len(group.proxy_ids)} x {group.reason or 'no reason is known'}"
        yield from (f"{2 * _MARGIN}{proxy_id}" for proxy_id in group.proxy_ids)


def _note(hold: HoldReport) -> str:
    """The note of a person, unless it is the reason itself."""
    return f" ({hold.note})" if hold.note and hold.note not in hold.reason else ""


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        if number == 0:
            yield from ("", title)
        yield line


def _wave(wave: WaveReport) -> str:
    outcomes = wave_counts(wave)
    return f"{_MARGIN}{wave.name}: {wave.state}, {counted(wave.targets, 'target')}{f': {outcomes}' if outcomes else ''}"


def _scope(scope: ScopeReport) -> str:
    calls = f"{counted(scope.calls, 'call')}{_rate(scope)}, {scope.throttled} throttled"
    return f"{_MARGIN}{scope.name}: {calls}{_closed(scope)}"


def wave_counts(wave: WaveReport) -> str:
    """How many stand where."""
    return ", ".join(f"{count} {name}" for name, count in wave.outcomes.items())


def _rate(scope: ScopeReport) -> str:
    """The rate of its calls, beside the limit; one that was higher for a time bounds not all of them."""
    attained, limit = scope.rate_attained, scope.rate_limit
    if attained is None:
        return ""
    if limit is None:
        return f", {attained:g}/s"
    return (
        f", {attained:g}/s of {limit:g}/s" if attained <= limit else f", {attained:g}/s; the limit is {limit:g}/s now"
    )


def _closed(scope: ScopeReport) -> str:
    if scope.state == "open":
        return ""
    until = f" until {scope.until:%Y-%m-%d %H:%M:%SZ}" if scope.until else ""
    return f"; {scope.state.replace('_', ' ')}{until}: {scope.reason}"


def _to_look_at(target: TargetReport) -> bool:
    """Whether it ended otherwise than well, or is stuck."""
    return target.needs_person or target.outcome in _LOOKED_AT


def _keep(
    targets: Iterable[TargetReport], stuck: list[TargetReport], resent: list[TargetReport]
) -> Iterator[TargetReport]:
    for target in targets:
        if target.needs_person:
            stuck.append(target)
        if len(target.attempts) > 1:
            resent.append(target)
        yield target


def _table(targets: Iterable[TargetReport]) -> Iterator[str]:
    """A row for each, below a row of titles; nothing without targets."""
    for number, target in enumerate(targets):
        if number == 0:
            yield _row("proxy_id", "wave", "outcome", "version", "instance/proxy or labels, reason and workflow_ids")
        versions = " -> ".join(filter(None, (target.source_version, target.verified_version))) or "?"
        yield _row(target.proxy_id, target.wave or "-", target.outcome, versions, _words(target))


def _words(target: TargetReport) -> str:
    """What it is called, why, and its workflow_ids: of the earlier run, when that is why this one left it out."""
    left_out = target.earlier if target.reason == FAILED_BEFORE else None
    return " ".join(filter(None, [target.called, why_words(target), *(left_out or target).workflow_ids]))


def _row(proxy_id: str, wave: str, outcome: str, versions: str, words: str) -> str:
    return f"{_MARGIN}{proxy_id:<36}  {wave:<10}  {outcome:<11}  {versions:<28}  {words}".rstrip()


def _stuck(target: TargetReport) -> str:
    return f"{_MARGIN}{target.proxy_id}  {target.outcome}: {why_words(target) or 'no evidence'}"
