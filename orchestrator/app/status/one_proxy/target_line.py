"""What one proxy waits for, as the last line of its story."""

from collections.abc import Iterator
from datetime import datetime

from orchestrator.app.status.coming_plan import as_edited, coming_plan
from orchestrator.app.status.fleet_status import outlook
from orchestrator.app.status.one_proxy.last_word import LastWord, last_word
from orchestrator.app.status.outlook import Outlook, look
from orchestrator.app.status.what_next.steps import step_words
from orchestrator.executor.decide.wait_words import hold_wait
from orchestrator.executor.decide.waits import Cause, Wait
from orchestrator.executor.decide.what_waits import slot_holder
from orchestrator.model.plan.commands import HoldCommand, ReleaseCommand
from orchestrator.model.plan.plan import Plan
from orchestrator.model.record.outcome import GOOD, Outcome
from orchestrator.tracker.report.behind import advice
from orchestrator.tracker.runs.recovery import Glimpse, recover


def target_lines(seen: Outlook, proxy_id: str, plan: str) -> Iterator[str]:
    """What a target waits for and what to do, in one line; none when the run does not know it."""
    found = target_next(seen, proxy_id, plan)
    if found is not None:
        wait, step = found
        yield f"waits for: {wait.seen_at(seen.now)}; do: {step}"


def target_next(seen: Outlook, proxy_id: str, plan: str) -> tuple[Wait, str] | None:
    """What a target waits for, and what to do about it; None when the run does not know it.

    Args:
        seen: the run.
        proxy_id: of the target.
        plan: as commands name it.
    """
    ended = last_word(seen.run, proxy_id)
    if ended is not None:
        return Wait(Cause.NOTHING, ("it has its outcome",)), _after_it(seen, ended, plan)
    target = seen.run.targets.get(proxy_id)
    if target is None:
        return None
    wait = seen.target(target)
    stuck = _to_settle(seen, proxy_id)
    return wait, step_words(wait, plan, working=seen.working, stuck=seen.run.states.get(stuck), proxy=stuck)


def _after_it(seen: Outlook, ended: LastWord, plan: str) -> str:
    """What to do about a target that has its outcome."""
    if ended.outcome in GOOD:
        return "nothing"
    rule = ended.reason if ended.outcome is Outcome.SKIPPED else None
    return advice(rule or ended.outcome.value, _again(seen, ended.outcome, plan))


def _again(seen: Outlook, outcome: Outcome, plan: str) -> str:
    """How to begin again with what ended so. While the run goes on no command does: what brings it to its end is said.

    It asks of the run no more than whether it is held or over, which is all that a glimpse of it knows.
    """
    run = seen.run
    if run.ended is not None:
        release = f'orchestrator release {plan} --note "why" && ' if run.hold is not None else ""
        return f" {release}orchestrator run {plan} --only-outcome {outcome}"
    wait = Wait(Cause.STEP) if run.hold is None else hold_wait(run.hold)
    until = step_words(wait, plan, working=seen.working)
    return f", when the run has ended, redo it with --only-outcome {outcome}; until then: {until}"


def _to_settle(seen: Outlook, proxy_id: str) -> str:
    """The proxy itself when it is open; else the one whose slot it waits for, or the first of those that are stuck."""
    resting = seen.rollout.resting
    if proxy_id in resting:
        return proxy_id
    holder = slot_holder(seen.rollout, seen.run.targets[proxy_id])
    return min(resting, default=proxy_id) if holder is None else holder.key


def target_outlook(seen: Glimpse, plan: Plan, proxy_id: str, now: datetime) -> Outlook:
    """The run as it bears on one target: of the whole run only what says how long that one waits.

    Args:
        seen: the latest run.
        plan: as the file has it now.
        proxy_id: of the target.
        now: by this host's clock.
    """
    if not _stands_alone(seen, proxy_id):
        return outlook(recover(seen.stored), plan, now)
    asked = seen.stored.fleet.inbox().new(seen.run.commands_seen)
    of_all = [(number, each) for number, each in asked if isinstance(each, HoldCommand | ReleaseCommand)]
    working = seen.stored.fleet.holder() is not None
    over = working or seen.run.ended is not None
    edited = as_edited(seen.run, seen.in_force, plan)
    here = coming_plan(seen.stored.plan(), seen.in_force, edited, over=over)
    shared = seen.stored.fleet.state.host is not None
    return look(here, seen.run, of_all, now, working=working, shared=shared)


def _stands_alone(seen: Glimpse, proxy_id: str) -> bool:
    """Whether it waits for nothing, or for its own upgrade to end: nothing of other targets says for how long.

    Any other waits for its turn, which depends on all targets. So may an open one, when a person has asked something.
    """
    run, state = seen.run, seen.run.states.get(proxy_id)
    if run.ended is not None or proxy_id not in run.targets:
        return True
    if state is None or state.outcome is not None:
        return state is not None
    return state.is_open and not seen.stored.fleet.inbox().new(run.commands_seen)
