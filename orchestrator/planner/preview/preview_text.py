"""A preview as plain text, to be read at a glance: the numbers first, then wave by wave, version by version."""

from collections.abc import Iterator, Mapping
from itertools import takewhile

from orchestrator.model.plan.target import Target, labels_words
from orchestrator.model.record.outcome import FAILED_BEFORE
from orchestrator.model.reply.risk import Risk
from orchestrator.planner.plan_file.numbers import written_duration
from orchestrator.planner.preview.audit_text import audit_lines
from orchestrator.planner.preview.estimate import AssumedRate
from orchestrator.planner.preview.events_text import event_lines
from orchestrator.planner.preview.gates_text import gate_words, shut_gates, when_words
from orchestrator.planner.preview.preview_values import (
    ImpactForecast,
    LeftOut,
    Preview,
    StepGroup,
    SubnetPreview,
    WavePreview,
)
from orchestrator.spoken import counted, spoken

_TO_FIND = " written out, and those that discover finds"


def table(preview: Preview, *, rows: int | None = None) -> Iterator[str]:
    """The lines of a preview.

    Args:
        preview: what would happen.
        rows: most rows of each list; None for all of them.
    """
    yield from head_lines(preview)
    yield from number_lines(preview)
    for wave in preview.waves:
        yield ""
        yield from _wave(wave, rows, rehearsed=preview.rehearsed)
    for left_out in preview.left_out:
        yield ""
        yield from _left_out(left_out, rows)
    if preview.audit is not None:
        yield ""
        yield from audit_lines(preview.audit, rows=rows)
    if preview.warnings:
        yield ""
    yield from (f"warning: {warning}" for warning in preview.warnings)


def head_lines(preview: Preview) -> Iterator[str]:
    """What would be sent, in one sentence, and in which state a start finds the fleet."""
    targets = counted(preview.targets, "target") + (_TO_FIND if preview.undiscovered else "")
    yield f"fleet {preview.name}: {targets} -> {preview.target_version} ({_read(preview)})"
    yield from (f"  {line}" for line in preview.state)
    left_out = sum(len(group.targets) for group in preview.left_out if group.outcome != "excluded")
    excluded = sum(len(group.targets) for group in preview.left_out if group.outcome == "excluded")
    failed = sum(len(group.targets) for group in preview.left_out if group.reason == FAILED_BEFORE)
    before = f" ({failed:,} failed before)" if failed else ""
    sends = f"{preview.sends:,}{_now(preview)}{_again(preview)}"
    yield f"  to upgrade {sends}, left out {left_out:,}{before}, excluded by the plan {excluded:,}"
    if preview.redo is not None:
        yield f"  to begin with what failed before, when its cause is gone: {preview.redo}"


def _now(preview: Preview) -> str:
    """How many of those to upgrade start, when not all do."""
    if preview.starts == preview.sends:
        return ""
    before = list(takewhile(lambda wave: not wave.awaits_approval, preview.waves))
    awaited = next((wave.name for wave in preview.waves[len(before) :]), None)
    approval = not preview.unusable and preview.starts == sum(wave.sends for wave in before)
    until = f"before wave {awaited} is approved" if approval and awaited else "as things stand"
    return f", {preview.starts:,} of them {until}" if preview.starts else f", none {until}"


def _again(preview: Preview) -> str:
    """How many more may be sent, of those in doubt."""
    again = preview.sends_at_most - preview.sends
    return f" (and up to {again:,} in doubt, once the cloud shows that they never began)" if again else ""


def _read(preview: Preview) -> str:
    if not preview.versions_read:
        return "versions not read"
    groups = [group for wave in preview.waves for group in wave.groups if group.problem]
    unread = sum(len(group.targets) for group in groups)
    if unread and unread == preview.targets:
        return "no version could be read"
    return "versions read from the cloud" + (f", but {unread:,} could not be read" if unread else "")


def _wave(wave: WavePreview, rows: int | None, *, rehearsed: bool) -> Iterator[str]:
    yield wave_words(wave, rehearsed=rehearsed)
    for group in wave.groups:
        yield f"  {step_words(group)}: {counted(len(group.targets), 'proxy', 'proxies')}"
        yield from _rows(group.targets, rows, group.risks)


def wave_words(wave: WavePreview, *, rehearsed: bool) -> str:
    """A wave in one line; `rehearsed`: whether its duration comes from a rehearsal, and is not just the least."""
    return ", ".join(
        [f"wave {wave.name}: {counted(wave.sends, 'proxy', 'proxies')}", *_terms(wave, rehearsed=rehearsed)]
    )


def _terms(wave: WavePreview, *, rehearsed: bool) -> Iterator[str]:
    if wave.sends:
        yield f"at most {wave.at_once:,} in flight"
    if wave.max_failures is not None:
        yield f"max_failures {wave.max_failures:,}"
    if wave.max_rejected is not None:
        yield f"max_rejected {wave.max_rejected:,}"
    if wave.sends:
        yield f"{_lasts(wave.duration_s, rehearsed=rehearsed)} (limited by {wave.limited_by})"
    if wave.soak_s:
        yield f"soak {written_duration(wave.soak_s)}"
    if wave.impact is not None:
        yield f"the cloud foretells {_impact_words(wave.impact, wave.sends)}"
    if wave.approve:
        yield f"waits for approval before it: {wave.release}" if wave.release else "waits for approval before it"


def _impact_words(impact: ImpactForecast, sends: int) -> str:
    longest = "" if impact.upgrade_s is None else f"upgrades of up to {spoken(impact.upgrade_s)}"
    if not impact.proxies:
        return longest
    of = "" if impact.proxies == sends else f" of {counted(impact.proxies, 'proxy', 'proxies')}"
    return f"{spoken(impact.service_impact_s)} of service impact in all{of}" + (f" and {longest}" if longest else "")


def risk_words(risk: Risk | None) -> str:
    """What is foretold of one upgrade; empty when nothing is."""
    if risk is None or (risk.service_impact_s is None and risk.upgrade_s is None):
        return ""
    impact = None if risk.service_impact_s is None else f"impact {spoken(risk.service_impact_s)}"
    length = None if risk.upgrade_s is None else f"upgrade {spoken(risk.upgrade_s)}"
    return ", ".join(filter(None, (impact, length)))


def step_words(group: StepGroup) -> str:
    """From which version to which."""
    step = f"{group.source_version or '?'} -> {group.target_version}"
    if group.problem:
        step += f" (version not read: {group.problem})"
    return f"{step} (only from {' or '.join(group.expected)})" if group.expected else step


def _left_out(group: LeftOut, rows: int | None) -> Iterator[str]:
    yield left_out_words(group)
    yield from _rows(group.targets, rows)


def left_out_words(group: LeftOut) -> str:
    """Why how many are not sent."""
    name = group.outcome if group.outcome in (group.reason, "already") else f"{group.outcome}: {group.reason}"
    return f"left out, {name}, {group.why}: {counted(len(group.targets), 'proxy', 'proxies')}"


def _rows(targets: list[Target], limit: int | None, risks: Mapping[str, Risk] | None = None) -> Iterator[str]:
    shown = targets if limit is None else targets[:limit]
    width = max((len(target.scope) for target in shown), default=0)
    for target in shown:
        labels = labels_words(target.labels) if target.labels else ""
        name = f"{target.name}  " if target.name else ""
        told = risk_words(risks.get(target.proxy_id)) if risks else ""
        line = f"    {target.scope:<{width}}  {target.instance_id}  {target.proxy_id}  {name}{labels}".rstrip()
        yield f"{line}  ({told})" if told else line
    if len(shown) < len(targets):
        yield f"    … and {len(targets) - len(shown):,} more, in --format json and in a pipe"


def number_lines(preview: Preview) -> Iterator[str]:
    """When it starts and how long it takes; then the numbers: budgets, slots, calls, rates."""
    yield from _start(preview)
    yield from _duration(preview)
    failures, rejected = counted(preview.max_failures, "failure"), f"{preview.max_rejected:,} rejected"
    held = "one more of either holds the fleet until a person releases it"
    again = "; what ends as in the run before counts in none" if preview.repeats else ""
    yield f"budgets: {failures} and {rejected} are borne; {held}{again}"
    for scope in preview.scopes:
        own = [("max_failures", scope.max_failures), ("max_rejected", scope.max_rejected)]
        if terms := ", ".join(f"{name} {value:,}" for name, value in own if value is not None):
            yield f"  scope {scope.name}: {terms}"
    for scope in preview.scopes:
        if scope.hosts:
            yield f"hosts of scope {scope.name}: {', '.join(scope.hosts)}; none but these serve it"
    if preview.limits is not None:
        yield f"limits: {preview.limits}"
    yield from _slots(preview)
    yield from _windows(preview)
    yield from map(gate_words, preview.gates)
    yield from (_subnet(subnet) for subnet in preview.subnets if subnet.missing or subnet.why)
    yield from event_lines(preview.events)
    calls = preview.calls
    least = f"{calls.upgrades:,} to " if calls.upgrades < calls.upgrades_at_most else ""
    upgrades = counted(calls.upgrades_at_most, "upgrade")
    yield f"calls: {least}{upgrades}, about {calls.all:,} in all; {calls.read:,} made for this preview"
    for rate in preview.rates:
        yield _rate(rate, alone=len(preview.rates) == 1)


def _start(preview: Preview) -> Iterator[str]:
    """When upgrades begin, unless the state in which a start finds the fleet says more."""
    if (preview.starts or shut_gates(preview)) and preview.sends and not preview.state:
        hours = "in open windows only" if preview.closes else "at any hour, for the plan has no windows"
        yield f"starts: {when_words(preview)}, {hours}; connections through a proxy are cut while it is upgraded"


def _subnet(subnet: SubnetPreview) -> str:
    of = f"subnet {subnet.subnet_id} of scope {subnet.scope}"
    if subnet.free is None:
        return f"{of}: its free addresses could not be read: {subnet.why}"
    free = counted(subnet.free, "free address", "free addresses")
    waits = counted(subnet.proxies, "proxy waits", "proxies wait")
    least = "at least " if subnet.at_least else ""
    needed = f"{least}{subnet.needed:,} needed for an upgrade"
    return f"{of}: {free}, {needed}, {least}{subnet.missing:,} MISSING with reserve; {waits}"


def _rate(assumed: AssumedRate, *, alone: bool) -> str:
    of = "" if alone else f" of {', '.join(assumed.scopes)}"
    if assumed.found_at is None:
        return f"rate{of}: auto, not found out yet; assumed to be {assumed.rate:g}/s"
    return f"rate{of}: auto, assumed to be {assumed.rate:g}/s, as found until {assumed.found_at:%Y-%m-%d %H:%M} UTC"


def _duration(preview: Preview) -> Iterator[str]:
    if preview.forecast is not None:
        from orchestrator.planner.preview.forecast_text import rehearsed_lines  # noqa: PLC0415  # brings time zones along

        yield from rehearsed_lines(preview.forecast)
        return
    if preview.undiscovered:
        yield "expected duration: not known before discover has looked; the numbers below are of the targets above"
        return
    if not preview.sends and not preview.duration_s:
        unless = ", unless what is in doubt is sent again" if preview.sends_at_most else ""
        yield f"expected duration: none, there is nothing to send{unless}"
        return
    lasts = _lasts(preview.duration_s, rehearsed=preview.rehearsed)
    when = "" if preview.starts else ", once something may start"
    doubts = "; what is in doubt and may be sent again is not in it" if preview.sends_at_most > preview.sends else ""
    expected = f"expected duration{when}: {lasts}, limited by {preview.limited_by}{doubts}"
    if not preview.closes:
        yield expected
    elif preview.rehearsed:
        yield f"{expected}; counted from now, windows and freezes included, see --forecast"
    else:
        yield f"{expected}; windows and freezes not counted, see --forecast"


def _lasts(seconds: float, *, rehearsed: bool) -> str:
    if not rehearsed:
        return f"at least {spoken(seconds)}"
    return spoken(seconds) if 0 < seconds < 1 else f"about {spoken(seconds)}"


def _slots(preview: Preview) -> Iterator[str]:
    """The cap, and what strict budgets leave of it; the first of several waves is the canary, and always small."""
    several = len(preview.waves) > 1
    waves = [wave for wave in preview.waves[several:] if wave.sends]
    tightest = min(waves, key=lambda wave: wave.in_flight, default=None)
    if preview.mode == "strict" and tightest is not None and tightest.in_flight < preview.in_flight:
        because = f"because failures.mode is strict and {_tight_budget(preview, tightest)}"
        yield f"in_flight: {preview.in_flight:,} allowed, effective {tightest.in_flight:,} {because}"
    else:
        yield f"in_flight: {preview.in_flight:,}"


def _windows(preview: Preview) -> Iterator[str]:
    """How many windows `per_window` makes it at least."""
    if preview.per_window is None:
        return
    windows = -(-preview.sends // preview.per_window)
    spread = f", so {windows:,} windows at least, or days without windows" if windows > 1 else ""
    yield f"per_window: {preview.per_window:,}{spread}"


def _tight_budget(preview: Preview, wave: WavePreview) -> str:
    if preview.max_failures + 1 == wave.in_flight:
        return f"the budget is {preview.max_failures:,}"
    if wave.max_failures is not None and wave.max_failures + 1 == wave.in_flight:
        return f"the budget of wave {wave.name} is {wave.max_failures:,}"
    return "the budgets of the scopes bear no more"
