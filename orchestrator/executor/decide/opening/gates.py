"""Whether the gates of a plan let upgrades start: which one is to be asked, which is closed, and what follows. Pure.

A gate is open by an answer that is fresh: one that is older than `every` and `timeout` together says nothing any more.
It is asked when something could start, and not else.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from orchestrator.executor.decide.actions import Action, AskGate, Ending, Finish, Hold, WaitUntil
from orchestrator.executor.decide.bench import GATE
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.decide.waits import Cause, Wait, shown
from orchestrator.model.learned.gate_status import GateStatus
from orchestrator.model.plan.health_gate import GateFinding, GatePoint, HealthGate
from orchestrator.model.plan.selection import MissingFact, matches
from orchestrator.model.plan.target import Target
from orchestrator.model.record.gate_record import GateAnswered
from orchestrator.spoken import spoken

#: A new answer of a closed gate is written down no more often: some say another number each time.
_NEWS_EVERY = timedelta(seconds=60)

#: So much of the time until a hold may be missing in the journal.
_SHARE_OF_HOLD = 4


def gates_at(rollout: Rollout, point: GatePoint) -> Iterator[HealthGate]:
    """The gates that are asked at a point."""
    return (gate for gate in rollout.plan.gates if point in gate.at)


def concerns(gate: HealthGate, target: Target) -> bool:
    """Whether a gate is about a target; also when a fact is not known that would say so."""
    try:
        return gate.select is None or matches(gate.select, target)
    except MissingFact:
        return True


def is_open(rollout: Rollout, gate: HealthGate, now: datetime) -> bool:
    """Whether a gate lets through what it concerns, by a fresh answer."""
    status = rollout.run.gates.get(gate.name)
    return status is not None and status.latest.open and _is_fresh(rollout, gate, now)


def _is_fresh(rollout: Rollout, gate: HealthGate, now: datetime) -> bool:
    """Whether its latest answer of this session still says something."""
    answered_at = rollout.watches[gate.name].answered_at
    return answered_at is not None and (now - answered_at).total_seconds() <= gate.fresh_s


def closed_gate(rollout: Rollout, target: Target, now: datetime) -> HealthGate | None:
    """The first gate that keeps a target from starting."""
    gates = (gate for gate in gates_at(rollout, "start") if concerns(gate, target))
    return next((gate for gate in gates if not is_open(rollout, gate, now)), None)


def due_at(rollout: Rollout, gate: HealthGate) -> datetime | None:
    """When a gate is to be asked next; None when that is at once."""
    asked_at = rollout.watches[gate.name].asked_at
    return None if asked_at is None else asked_at + timedelta(seconds=gate.every_s)


def gate_action(rollout: Rollout, point: GatePoint, now: datetime) -> Action | None:
    """What a gate makes of a start that nothing else is in the way of; None when all are open, or concern only some."""
    gates = tuple(gates_at(rollout, point))
    holds = (_due_hold(rollout, gate, now) for gate in gates if point == "wave" or _keeps_back(rollout, gate))
    if (hold := next(filter(None, holds), None)) is not None:
        return hold
    for gate in gates:
        if not rollout.watches[gate.name].asking and ((due := due_at(rollout, gate)) is None or due <= now):
            return AskGate(gate)
    whole = (gate for gate in gates if point == "wave" or gate.select is None)
    shut = next((gate for gate in whole if not is_open(rollout, gate, now)), None)
    return None if shut is None else shut_action(rollout, shut, now)


def _keeps_back(rollout: Rollout, gate: HealthGate) -> bool:
    """Whether a closed gate keeps something of the wave from starting: one for some targets only those of them."""
    return gate.select is None or rollout.queue.waits_for((GATE, gate.name))


def shut_action(rollout: Rollout, gate: HealthGate, now: datetime) -> Action:
    """Wait for a gate that is closed; with nothing under way not longer than a session waits for anything."""
    wait, since = gate_wait(rollout, gate), _closed_here_since(rollout, gate)
    short = since is None or gate.hold_after_s is not None or (now - since).total_seconds() < rollout.wait_s
    if rollout.moving or rollout.watches[gate.name].asking or short:
        return WaitUntil(None, wait)
    return Finish(Ending.LATER, f"gate {gate.name} is closed", wait)


def next_question(rollout: Rollout, now: datetime) -> datetime | None:
    """When the next question is due of those that are not under way; None for none."""
    dues = (due_at(rollout, gate) for gate in rollout.plan.gates if not rollout.watches[gate.name].asking)
    return min((due for due in dues if due is not None and due > now), default=None)


def gate_wait(rollout: Rollout, gate: HealthGate) -> Wait:
    """Since when a gate is closed, and what it said last; or that it has not answered yet."""
    status = rollout.run.gates.get(gate.name)
    if status is None or status.latest.open:
        return Wait(Cause.ASKED, (gate.name,))
    return Wait(Cause.GATE, (gate.name, shown(status.since), said(rollout, gate)))


def said(rollout: Rollout, gate: HealthGate) -> str:
    """The latest answer of a gate, in words."""
    latest = rollout.run.gates[gate.name].latest
    verb = {"passes": "it passes again, but not often enough", "fails": "it fails", "error": "no answer"}[latest.answer]
    return f"{verb}: {latest.evidence}" if latest.evidence else verb


class Judged(NamedTuple):
    """What an answer makes of its gate.

    Attributes:
        passes: good answers in a row, with this one.
        open: whether it is open by it.
        changed: whether that has to be recorded: it changes something, is the first answer of the session, says
            something new of a gate that is closed, or shows for how long it is.
        again: whether it is recorded for the last of these alone.
    """

    passes: int
    open: bool
    changed: bool
    again: bool = False


def judge_answer(rollout: Rollout, gate: HealthGate, finding: GateFinding, now: datetime) -> Judged:
    """What an answer makes of a gate: enough good ones in a row open a closed one, one bad one closes an open one."""
    watch, status = rollout.watches[gate.name], rollout.run.gates.get(gate.name)
    passes = watch.passes + 1 if gate.is_good(finding.answer) else 0
    if status is None:
        return Judged(passes, passes > 0, changed=True)
    opens = passes >= (1 if status.latest.open else gate.passes)
    changes = watch.answered_at is None or (status.latest.answer, status.latest.open) != (finding.answer, opens)
    if changes or opens:
        return Judged(passes, opens, changed=changes)
    news = _says_else(status.latest, finding)
    told = news and now - status.latest.at >= _NEWS_EVERY
    return Judged(passes, opens, changed=told or _time_due(rollout, gate, status, now), again=not news)


def _says_else(latest: GateAnswered, finding: GateFinding) -> bool:
    """Whether an answer has other evidence than the one that is written down."""
    return (finding.status, finding.value, finding.evidence) != (latest.status, latest.value, latest.evidence)


def _time_due(rollout: Rollout, gate: HealthGate, status: GateStatus, now: datetime) -> bool:
    """Whether it is to be written down that a gate is still closed.

    A session that is killed keeps that time up to its last record. What it loses is at most half of it, a minute, and a
    share of what leads to a hold; and the time since the latest answer.
    """
    last, since = rollout.run.last_at, status.counted
    if last is None or since is None:
        return False
    most = [_NEWS_EVERY, last - since]
    if gate.hold_after_s is not None:
        most.append(timedelta(seconds=gate.hold_after_s / _SHARE_OF_HOLD))
    return now > last and now - last >= min(most)


def _closed(rollout: Rollout, gate: HealthGate) -> GateStatus | None:
    """Where a gate stands that is closed by an answer of this session, too; None for any other."""
    status = rollout.run.gates.get(gate.name)
    answered = rollout.watches[gate.name].answered_at is not None
    return status if answered and status is not None and not status.latest.open else None


def _closed_here_since(rollout: Rollout, gate: HealthGate) -> datetime | None:
    """Since when it is closed in this session, and since the latest release; None while it is not."""
    status = _closed(rollout, gate)
    return None if status is None else status.counted


def _due_hold(rollout: Rollout, gate: HealthGate, now: datetime) -> Hold | None:
    """The hold of a gate that was closed for too long, over all sessions that were at work meanwhile.

    It is by a bad answer that still counts: when it was not asked for a while, it may be well by now.
    """
    watch = rollout.watches[gate.name]
    if watch.asking or watch.passes or not _is_fresh(rollout, gate, now):
        return None
    status = _closed(rollout, gate)
    if gate.hold_after_s is None or status is None or status.spell_s(now) < gate.hold_after_s:
        return None
    length = spoken(round(status.spell_s(now)))
    return Hold("gate", f"gate {gate.name} has been closed for {length}: {said(rollout, gate)}")
