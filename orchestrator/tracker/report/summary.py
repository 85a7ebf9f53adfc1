"""The last thing that `run` prints: outcomes, why the cloud refused, where the report is, and what to do next."""

from pathlib import Path
from shlex import quote

from orchestrator.errors import ExitCode
from orchestrator.plain import plain
from orchestrator.tracker.report.behind import Behind, behind_lines, to_redo
from orchestrator.tracker.report.schema import Head
from orchestrator.tracker.report.text_form import NEEDS_A_PERSON, hold_lines, outcome_lines, reject_lines

_REASONS = 5
#: Ends of a run in which every target has its outcome.
_ENDED = frozenset({ExitCode.DONE, ExitCode.OTHER_OUTCOMES})
_NEXT = {
    ExitCode.DONE: "nothing, all is done",
    ExitCode.OTHER_OUTCOMES: "look at the targets that are {others}",
    ExitCode.USAGE: "put the plan back as it was, or begin a new run: orchestrator run {plan} --new",
    ExitCode.HELD: '{first}orchestrator release {plan}{wave} --note "why" && orchestrator run {plan}',
    ExitCode.MORE_TO_DO: "start it again, it goes on where it was: orchestrator run {plan}",
    ExitCode.PERSON_NEEDED: "look at the targets that are {stuck} in the console, then: "
    'orchestrator settle {plan} PROXY_ID --outcome succeeded|failed|not_sent --note "why"',
    ExitCode.SCOPE_UNUSABLE: "repair the network or the credentials of the scope, then: orchestrator run {plan}",
    ExitCode.STATE_UNUSABLE: "repair the state folder, then: orchestrator run {plan}; "
    "nothing was sent without its intent on disk",
}


def summary(head: Head, behind: Behind, plan: str, report: Path, exit_code: ExitCode) -> str:
    """A few lines for the person at the terminal, or for cron's mail.

    Args:
        head: of the report.
        behind: the targets that do not run the target version.
        plan: the plan as commands name it.
        report: where the report is.
        exit_code: of the session.
    """
    run = head.run
    state = run.state if exit_code is not ExitCode.SCOPE_UNUSABLE else f"{run.state}, a scope cannot be used"
    lines = [f"{'SIMULATED: ' if run.simulated else ''}{run.name} -> {run.target_version}: {state}"]
    lines += outcome_lines(head)
    rejects = reject_lines(head)
    if rejects:
        lines += ["refused by the cloud:", *rejects[:_REASONS]]
    if len(rejects) > _REASONS:
        lines.append(f"  and {len(rejects) - _REASONS} more reasons, in the report")
    if exit_code in _ENDED and behind.first:
        lines += behind_lines(head, behind)
    if run.hold is not None:
        lines += hold_lines(run.hold)
    return "\n".join(map(plain, [*lines, f"report: {report}", f"next: {next_step(head, behind, plan, exit_code)}"]))


def next_step(head: Head, behind: Behind, plan: str, exit_code: ExitCode) -> str:
    """What to do after a session that ended with this code, ready to paste."""
    advice = _NEXT.get(exit_code, "start it again, it goes on where it was; if this happens again, report the bug")
    if exit_code in _ENDED and behind.first:
        redo = ",".join(to_redo(head, behind))
        advice = "see the lines above" + (f"; redo: orchestrator run {{plan}} --only-outcome {redo}" if redo else "")
    wave = _to_approve(head)
    return advice.format(
        plan=plan,
        others=_others(head),
        stuck=_stuck(head),
        first="look at the cause, then: " if wave is None else "",
        wave="" if wave is None else f" {quote(wave)}",
    )


def _to_approve(head: Head) -> str | None:
    """The wave for whose approval the fleet is held; None when it is held for a cause."""
    hold = head.run.hold
    return hold.wave if hold is not None and hold.cause == "approval" else None


def _others(head: Head) -> str:
    good = {"succeeded", "accepted", "already"}
    return ", ".join(outcome for outcome in head.totals.outcomes if outcome not in good)


def _stuck(head: Head) -> str:
    return " or ".join(outcome for outcome in NEEDS_A_PERSON if outcome in head.totals.outcomes) or "open"
