"""The sentences of the page: the verdict, as of when, what a person does next, what the plan allows."""

from collections.abc import Iterator

from orchestrator.errors import ExitCode
from orchestrator.model.plan.plan import Plan
from orchestrator.model.record.outcome import GOOD, Outcome, Phase
from orchestrator.model.reply.remedy import remedy_of
from orchestrator.spoken import counted
from orchestrator.tracker.report.behind import Behind, advice, count_there, not_read_words, taken_words, to_redo
from orchestrator.tracker.report.build import Story
from orchestrator.tracker.report.moving import moving_words
from orchestrator.tracker.report.page.content import Content, really
from orchestrator.tracker.report.page.next_step import ENDED, next_step
from orchestrator.tracker.report.schema import Head, TargetReport
from orchestrator.tracker.report.why import settle_outcomes

_PROGRAM = "orchestrator "
_STATES = {"completed": "Completed", "held": "Held", "unfinished": "Not finished"}
_WORDS = {"in_flight": "under way", "in_doubt": "in doubt", "timed_out": "timed out", "not_started": "not started"}


def verdict(head: Head, found: Content) -> str:
    """One sentence: how the run stands and why, and what became of its proxies."""
    run = head.run
    why = f", {run.hold.reason}" if run.hold else ""
    others = [_others(found, outcome, count) for outcome, count in head.totals.outcomes.items() if outcome not in GOOD]
    unread = f", {words}" if (words := not_read_words(head.totals.not_read)) else ""
    rest = f"; the others: {', '.join(others)}" if others else ""
    everything, there = counted(head.totals.targets, "proxy", "proxies"), count_there(head.totals)
    return f"{_STATES[run.state]}{why}: of {everything}, {there:,} seen at {run.target_version}{unread}{rest}."


def _others(found: Content, outcome: str, count: int) -> str:
    """So many of an outcome in words, and of these what their rows say besides."""
    words = f"{count:,} {_WORDS.get(outcome, outcome)}"
    if outcome == Phase.IN_DOUBT and found.doubts:
        return f"{words} ({found.doubts:,} still looked for)"
    if outcome == Outcome.SKIPPED and found.before:
        before = ", ".join(f"{number:,} {name}" for name, number in found.before.items())
        return f"{words} ({before} in an earlier run)"
    return words


def as_of(head: Head) -> str:
    """When this page was true, and how to see what came later: it does not change by itself."""
    run = head.run
    at = f"{run.as_of:%Y-%m-%d %H:%M:%SZ}" if run.as_of else "an unknown time"
    if run.exit_code is None:
        return f"As of {at}: session {run.sessions} was at work, or was killed before it wrote this again."
    return f"As of {at}, when session {run.sessions} ended with exit code {run.exit_code}."


def held_words(story: Story) -> str:
    """What goes on while the fleet is held, as the terminal says it."""
    words = moving_words(story.moving, working=story.head.run.exit_code is None)
    return f"{'; '.join(words) or 'nothing is under way'}; nothing starts, so it may stay held"


def commands(story: Story, found: Content) -> Iterator[tuple[str, str]]:
    """What to do next, each with the command to type, if there is one; nothing when all is done."""
    run = story.head.run
    if run.exit_code is None:
        yield "How it stands now:", f"{_PROGRAM}status {story.named}"
    elif run.exit_code != ExitCode.DONE or found.bad:
        code = ExitCode(run.exit_code) if run.state != "held" else ExitCode.HELD
        behind = Behind(first=found.bad)
        words, begins, rest = next_step(story.head, behind, story.named, code).partition(_PROGRAM)
        yield f"Next: {words}", begins + rest
        redo, others = ",".join(to_redo(story.head, behind)), taken_words(story.head.totals.outcomes)
        if redo and others and code in ENDED:
            yield f"Next, {others}:", f"{_PROGRAM}run {story.named}"
        if redo and code not in ENDED and run.ended_at is None:
            again = f"{_PROGRAM}run {story.named} --only-outcome {redo}"
            yield "When the run has ended, to begin again with those that did not end well:", again


def remedy(target: TargetReport) -> str:
    """What to do about a target that did not end well."""
    if target.needs_person:
        return f"look at it in the console, then settle it as {settle_outcomes(sent=bool(target.workflow_ids))}:"
    outcome = really(target)
    known = remedy_of(target.reason, None) if outcome == Outcome.REJECTED.value and target.reason else None
    if known:
        return remedy_of_refusal(known)
    return advice(target.reason if outcome == "skipped" and target.reason else outcome)


def remedy_of_refusal(known: str | None) -> str:
    """What to do about a refusal: the remedy of its reason, if one is known."""
    return f"{known}; then redo" if known else advice("rejected")


def strict_words(story: Story) -> str:
    """What strict budgets leave of `in_flight`; empty where they leave all of it."""
    most = min(story.failures_allowed, story.rejected_allowed) + 1
    if story.plan.failures.mode != "strict" or most >= story.in_flight:
        return ""
    upgrades = counted(most, "upgrade")
    return f"failures.mode is strict: the budgets, as the plan stands, let at most {upgrades} be under way at once."


def settle(named: str, target: TargetReport) -> str | None:
    """The command by which a person decides what became of it, where only a person can."""
    if not target.needs_person:
        return None
    return f'{_PROGRAM}settle {named} {target.proxy_id} --outcome OUTCOME --note "why"'


def moves_words(story: Story) -> str:
    """What to do about those that are under way or looked for."""
    if story.head.run.exit_code is None:
        return "Nothing to do."
    return "Nothing to do but to start it."


def budgets(story: Story) -> Iterator[tuple[str, int, int]]:
    """What the fleet may take before it is held: its name, what was used, what is allowed."""
    yield "failures", story.failed, story.failures_allowed
    yield "rejected", story.rejected, story.rejected_allowed


def plan_rows(story: Story) -> Iterator[tuple[str, object]]:
    """The plan as the last session had it, in a few words, key by key; with who put what in its place."""
    shown: set[str] = set()
    for key, value in _plan_rows(story.plan):
        shown.add(key)
        yield key, f"{value} ({story.besides[key]})" if key in story.besides else value
    yield from ((key, words) for key, words in story.besides.items() if key not in shown)


def _plan_rows(plan: Plan) -> Iterator[tuple[str, object]]:
    yield "name", plan.name
    yield "target_version", plan.target_version
    yield "scopes", ", ".join(f"{scope.name} ({scope.region or 'no region'})" for scope in plan.scopes)
    for wave in plan.waves:
        size = f"{wave.size}" if wave.size is not None else "all that are left"
        soak = f", soak {wave.soak_s:g} s" if wave.soak_s else ""
        yield f"wave {wave.name}", f"{size}{soak}{', after approval' if wave.approve else ''}"
    yield "limits.in_flight", plan.limits.in_flight
    yield "limits.rate", plan.limits.rate
    yield "failures.max", plan.failures.max
    yield "failures.max_rejected", plan.failures.max_rejected
    yield "failures.mode", plan.failures.mode
    yield "follow.to", plan.follow.to
    yield "windows", "each instance's own" if plan.windows == "instance" else len(plan.windows) or "none"
    yield "freezes", len(plan.freezes) or "none"
