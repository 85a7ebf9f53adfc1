"""The sentences of the page: the verdict, what a person does next, what the plan allows."""

from collections.abc import Iterator

from orchestrator.errors import ExitCode
from orchestrator.model.outcome import GOOD, Outcome
from orchestrator.model.plan import Plan
from orchestrator.model.remedy import remedy_of
from orchestrator.spoken import counted
from orchestrator.tracker.report.behind import Behind, advice, count_there, not_read_words, to_redo
from orchestrator.tracker.report.build import Story
from orchestrator.tracker.report.page.content import Content, really
from orchestrator.tracker.report.page.next_step import ENDED, next_step
from orchestrator.tracker.report.schema import Head, TargetReport
from orchestrator.tracker.report.text_form import NEEDS_A_PERSON

_PROGRAM = "orchestrator "
_OPEN = ("in_flight", *NEEDS_A_PERSON)
_STATES = {"completed": "Completed", "held": "Held", "unfinished": "Not finished"}


def verdict(head: Head) -> str:
    """One sentence: how the run stands and why, and what became of its proxies."""
    run, outcomes = head.run, head.totals.outcomes
    why = f", {run.hold.reason}" if run.hold else ""
    others = [f"{count:,} {outcome}" for outcome, count in outcomes.items() if outcome not in GOOD]
    unread = f", {words}" if (words := not_read_words(head.totals.not_read)) else ""
    rest = f"; the others: {', '.join(others)}" if others else ""
    everything, there = counted(head.totals.targets, "proxy", "proxies"), count_there(head.totals)
    return f"{_STATES[run.state]}{why}: of {everything}, {there:,} seen at {run.target_version}{unread}{rest}."


def under_way(head: Head) -> str:
    """What goes on while the fleet is held: whether it may stay so."""
    found = sum(head.totals.outcomes.get(standing, 0) for standing in _OPEN)
    if not found:
        return "Nothing is under way and nothing starts, so it may stay held."
    return f"{counted(found, 'upgrade is', 'upgrades are')} under way or not known to have ended; nothing more starts."


def commands(story: Story, found: Content) -> Iterator[tuple[str, str]]:
    """What to do next, each with the command to type, if there is one; nothing when all is done."""
    run = story.head.run
    if run.exit_code is None:
        yield "This is how it stood while it went on. How it stands now:", f"orchestrator status {story.named}"
    elif run.exit_code != ExitCode.DONE or found.bad:
        code = ExitCode(run.exit_code) if run.state != "held" else ExitCode.HELD
        behind = Behind(first=found.bad)
        words, begins, rest = next_step(story.head, behind, story.named, code).partition(_PROGRAM)
        yield f"Next: {words}", begins + rest
        redo = ",".join(to_redo(story.head, behind))
        if redo and code not in ENDED:
            again = f"{_PROGRAM}run {story.named} --only-outcome {redo}"
            yield "When the run has ended, to begin again with those that did not end well:", again


def remedy(target: TargetReport) -> str:
    """What to do about a target that did not end well."""
    outcome = really(target)
    if outcome in NEEDS_A_PERSON:
        return "look at it in the console, then settle it as succeeded, failed, or not_sent where no workflow_id came:"
    if outcome == "in_flight":
        return "wait for it; the next session follows it"
    known = remedy_of(target.reason, None) if outcome == Outcome.REJECTED.value and target.reason else None
    if known:
        return f"{known}; then redo"
    return advice(target.reason if outcome == "skipped" and target.reason else outcome)


def settle(named: str, target: TargetReport) -> str | None:
    """The command by which a person decides what became of it, where only a person can."""
    if really(target) not in NEEDS_A_PERSON:
        return None
    return f'{_PROGRAM}settle {named} {target.proxy_id} --outcome OUTCOME --note "why"'


def budgets(story: Story) -> Iterator[tuple[str, int, int]]:
    """What the fleet may take before it is held: its name, what was used, what is allowed."""
    yield "failures", story.failed, story.failures_allowed
    yield "rejected", story.rejected, story.rejected_allowed


def plan_rows(plan: Plan) -> Iterator[tuple[str, object]]:
    """The plan in a few words, key by key."""
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
