"""What to do after a run, from its report alone: a page may be read where no journal is."""

from shlex import quote

from orchestrator.errors import ExitCode
from orchestrator.tracker.report.behind import Behind, to_redo
from orchestrator.tracker.report.schema import Head

#: Ends of a run in which every target has its outcome.
ENDED = frozenset({ExitCode.DONE, ExitCode.OTHER_OUTCOMES})
_NEXT = {
    ExitCode.DONE: "nothing, all is done",
    ExitCode.OTHER_OUTCOMES: "look at the targets that are {others}",
    ExitCode.USAGE: "put the plan back as it was, or begin a new run: orchestrator run {plan} --new",
    ExitCode.HELD: '{first}orchestrator release {plan}{wave} --note "why" && orchestrator run {plan}{again}',
    ExitCode.MORE_TO_DO: "start it again, it goes on where it was: orchestrator run {plan}",
    ExitCode.PERSON_NEEDED: "look in the console at those that you decide, then: "
    'orchestrator settle {plan} PROXY_ID --outcome OUTCOME --note "why"',
    ExitCode.SCOPE_UNUSABLE: "repair the network or the credentials of the scope, then: orchestrator run {plan}",
    ExitCode.STATE_UNUSABLE: "repair the state folder, then: orchestrator run {plan}; "
    "nothing was sent without its intent on disk",
}


def next_step(head: Head, behind: Behind, plan: str, exit_code: ExitCode) -> str:
    """What to do after a session that ended with this code, ready to paste."""
    advice = _NEXT.get(exit_code, "start it again, it goes on where it was; if this happens again, report the bug")
    redo = ",".join(to_redo(head, behind))
    if exit_code in ENDED and behind.first:
        again = f", then redo: orchestrator run {{plan}} --only-outcome {redo}" if redo else ""
        advice = f"look at the proxies below{again}"
    wave = _to_approve(head)
    return advice.format(
        plan=plan,
        others=_others(head),
        first="look at the cause, then: " if wave is None else "",
        wave="" if wave is None else f" {quote(wave)}",
        again=f" --only-outcome {redo}" if redo and head.run.ended_at else "",
    )


def _to_approve(head: Head) -> str | None:
    """The wave for whose approval the fleet is held; None when it is held for a cause."""
    hold = head.run.hold
    return hold.wave if hold is not None and hold.cause == "approval" else None


def _others(head: Head) -> str:
    good = {"succeeded", "accepted", "already"}
    return ", ".join(outcome for outcome in head.totals.outcomes if outcome not in good)
