"""What to do about each thing that is waited for: beside the process that works on the run, and without one. Pure."""

from collections.abc import Mapping, Sequence
from enum import Enum
from shlex import quote

from orchestrator.executor.decide.waits import Cause, Wait
from orchestrator.model.run.state import TargetState
from orchestrator.tracker.report.why import settle_outcomes


class Step(Enum):
    """What to do next, ready to paste."""

    NOTHING = "nothing"
    RUN = "orchestrator run {plan}"
    LATER = "nothing now; {when}, orchestrator run {plan}"
    CHECK_GATE = "see that the gates pass, then orchestrator run {plan}"
    CHECK_ADDRESSES = "see that enough addresses are free, then orchestrator run {plan}"
    RELEASE = 'look at the cause, then orchestrator release {plan} --note "why"'
    RELEASE_RUN = 'look at the cause, then orchestrator release {plan} --note "why" && orchestrator run {plan}{redo}'
    APPROVE = 'orchestrator release {plan} {wave} --note "why"'
    APPROVE_RUN = 'orchestrator release {plan} {wave} --note "why" && orchestrator run {plan}'
    SETTLE = (
        'look in the console, then orchestrator settle {plan} {proxy} --outcome OUTCOME --note "why"; '
        "OUTCOME: {settled}"
    )
    SETTLE_RUN = (
        'look in the console, then orchestrator settle {plan} {proxy} --outcome OUTCOME --note "why"; '
        "OUTCOME: {settled}; every start looks at it again: orchestrator run {plan}"
    )
    REPAIR = "repair what the reason names, then orchestrator run {plan}"
    ANOTHER_HOST = "on a host that may serve it, orchestrator run {plan}"
    REDO = "remove the causes, then orchestrator run {plan}{redo}"
    CORRECT = "correct the plan or exclude them, then orchestrator run {plan}"
    NEW = "put the plan back as it was, or orchestrator run {plan} --new"
    LOOK = "see in orchestrator plan {plan} whether it does, then orchestrator run {plan}"
    AFTER_IT = "let the other fleet end what it began, or settle there what is stuck, then orchestrator run {plan}"


#: What to do while a process works on the run, and while none does.
STEPS: Mapping[Cause, tuple[Step, Step]] = {
    Cause.HOLD: (Step.RELEASE, Step.RELEASE_RUN),
    Cause.APPROVAL: (Step.APPROVE, Step.APPROVE_RUN),
    Cause.CHANGED: (Step.NEW, Step.NEW),
    Cause.ELSEWHERE: (Step.AFTER_IT, Step.AFTER_IT),
    Cause.UNSEEN: (Step.LOOK, Step.LOOK),
    Cause.SOAK: (Step.NOTHING, Step.LATER),
    Cause.REACH: (Step.NOTHING, Step.REPAIR),
    Cause.THROTTLED: (Step.NOTHING, Step.LATER),
    Cause.PAUSED: (Step.NOTHING, Step.REPAIR),
    Cause.UNREACHED: (Step.NOTHING, Step.RUN),
    Cause.SILENT: (Step.NOTHING, Step.REPAIR),
    Cause.LAST_SEEN: (Step.REPAIR, Step.REPAIR),
    Cause.GIVEN_UP: (Step.REPAIR, Step.REPAIR),
    Cause.UNSERVED: (Step.ANOTHER_HOST, Step.ANOTHER_HOST),
    Cause.EARLIER_WAVE: (Step.NOTHING, Step.RUN),
    Cause.WINDOW: (Step.NOTHING, Step.LATER),
    Cause.FREEZE: (Step.NOTHING, Step.LATER),
    Cause.FIT: (Step.NOTHING, Step.LATER),
    Cause.PER_WINDOW: (Step.NOTHING, Step.LATER),
    Cause.GATE: (Step.NOTHING, Step.CHECK_GATE),
    Cause.ASKED: (Step.NOTHING, Step.RUN),
    Cause.SUBNET: (Step.NOTHING, Step.CHECK_ADDRESSES),
    Cause.EVENT: (Step.NOTHING, Step.LATER),
    Cause.BOUND: (Step.NOTHING, Step.RUN),
    Cause.BUSY: (Step.NOTHING, Step.LATER),
    Cause.LABEL: (Step.NOTHING, Step.RUN),
    Cause.LIMIT: (Step.NOTHING, Step.RUN),
    Cause.RAMP: (Step.NOTHING, Step.RUN),
    Cause.BUDGET: (Step.NOTHING, Step.RUN),
    Cause.RATE: (Step.NOTHING, Step.RUN),
    Cause.RELEASED: (Step.NOTHING, Step.RUN),
    Cause.TURN: (Step.NOTHING, Step.RUN),
    Cause.STEP: (Step.NOTHING, Step.RUN),
    Cause.MEASURED: (Step.NOTHING, Step.RUN),
    Cause.DOUBT: (Step.NOTHING, Step.RUN),
    Cause.LOOK: (Step.RUN, Step.RUN),
    Cause.JOB: (Step.NOTHING, Step.RUN),
    Cause.PERSON: (Step.SETTLE, Step.SETTLE_RUN),
    Cause.BROKEN: (Step.RUN, Step.RUN),
    Cause.BEHIND: (Step.REDO, Step.REDO),
    Cause.LEFT_OUT: (Step.CORRECT, Step.CORRECT),
    Cause.AGAIN: (Step.RUN, Step.RUN),
    Cause.NOTHING: (Step.NOTHING, Step.NOTHING),
}


#: A run that is stuck ends for no other before a person has settled what is.
_NEW_ONCE_SETTLED = (
    "put the plan back as it was, or settle what is stuck, such as with "
    'orchestrator settle {plan} {proxy} --outcome OUTCOME --note "why", then orchestrator run {plan} --new; '
    "OUTCOME: {settled}"
)
#: What the plan says, and nothing but another plan ends where it has no instant.
_OF_THE_PLAN = frozenset({Cause.WINDOW, Cause.FREEZE, Cause.FIT, Cause.PER_WINDOW})


def step_words(
    wait: Wait,
    plan: str,
    *,
    working: bool,
    stuck: TargetState | None = None,
    proxy: str = "PROXY_ID",
    outcomes: Sequence[str] = (),
    when: str = "after that",
) -> str:
    """What to do about a wait.

    Args:
        wait: of the fleet, or of a target.
        plan: the plan as commands name it.
        working: whether a process works on the run.
        stuck: the target that a person has to settle, where it is known.
        proxy: the same, where only its id is known.
        outcomes: those with which proxies of an ended run are left out until a person asks for them.
        when: how the end of a wait is named that has one of its own; it stands in the sentence of the wait.
    """
    words = _NEW_ONCE_SETTLED if wait.cause is Cause.CHANGED and stuck else _step(wait, working=working).value
    wave = quote(wait.facts[0]) if wait.facts else ""
    redo = f" --only-outcome {','.join(outcomes)}" if outcomes else ""
    settled = settle_outcomes(sent=None if stuck is None else bool(stuck.jobs))
    return words.format(
        plan=plan, wave=wave, proxy=stuck.key if stuck else proxy, redo=redo, settled=settled, when=when
    )


def _step(wait: Wait, *, working: bool) -> Step:
    """What is left to time has an instant: without one there is nothing to see after which a start would help."""
    step = STEPS[wait.cause][0 if working else 1]
    if step is not Step.LATER or wait.until is not None:
        return step
    return Step.CORRECT if wait.cause in _OF_THE_PLAN else Step.RUN
