"""Folding the answer to an upgrade call: the record that says most, of this target and of others."""

from datetime import timedelta

from orchestrator.model.record.outcome import Phase
from orchestrator.model.record.record import AnswerSeen
from orchestrator.model.reply.reply import Entry, key_of, same_id
from orchestrator.model.run.known import Indexes, given_twice
from orchestrator.model.run.state import TargetState
from orchestrator.model.run.upgrade_call import TURNED_AWAY, Attempt

#: Verdicts that settle a target, unless an earlier attempt of it was doubtful.
_REFUSALS = frozenset({"rejected", "refused", "busy"})


def fold_answer(known: Indexes, state: TargetState, record: AnswerSeen) -> None:
    """Apply the answer to an attempt."""
    attempt = state.attempts[record.attempt - 1]
    ends_doubt = _never_left(state, attempt, record)
    attempt.answer = record
    if record.verdict in TURNED_AWAY:
        state.turned_away += 1
    else:
        state.turned_away = 0
        known.scopes[state.target.scope].got_through += 1
    if attempt.intent.clocks is None:
        _learn_time(known, state.target.scope, record)
    known.count_rejects(record)
    if record.strays:
        state.disowned |= set(map(key_of, record.strays))
    for entry in record.update_result:
        if entry.workflow_id and entry.instance_id and not same_id(entry.instance_id, state.target.instance_id):
            known.astray[key_of(entry.workflow_id)] = entry.instance_id
    twice = _given_twice(known, state, record)
    if record.verdict in ("accepted", "partial") and not twice:
        _accept(known, state, record)
        return
    _remember(known, state, record)
    if state.jobs:
        return  # it comes late: what it started was found
    if attempt.doubtful or (state.doubtful_from is not None and record.verdict in _REFUSALS):
        state.doubt()
    elif ends_doubt:
        state.phase, state.doubtful_from = Phase.IN_FLIGHT, None


def _never_left(state: TargetState, attempt: Attempt, record: AnswerSeen) -> bool:
    """Whether the sender of an attempt whose answer was missed says itself, late, that it never left.

    That ends the doubt where nothing but the silence has made it: no other attempt, and nothing that was seen.
    """
    missed = attempt.answer is None and state.phase is Phase.DOUBT and not state.began
    others = state.doubtful_from != attempt.sent or any(each.doubtful for each in state.attempts[:-1])
    seen = state.suspects or state.doubts_renewed
    return record.verdict == "not_sent" and missed and not others and not seen


def _remember(known: Indexes, state: TargetState, record: AnswerSeen) -> None:
    """An answer that is not believed may name what it started all the same: no other one may have that too."""
    for entry in record.update_result:
        if entry.workflow_id and not entry.rejected and entry.workflow_id not in record.strays:
            known.named.setdefault(key_of(entry.workflow_id), state.key)


def _learn_time(known: Indexes, scope: str, record: AnswerSeen) -> None:
    """Journals from before `CloudTimeLearned` tell the cloud's time in their answers alone."""
    if record.cloud_offset_s is not None and scope not in known.timeline.offsets:
        within_s, sent_at = 1.0 + record.duration_ms / 1000, record.at - timedelta(milliseconds=record.duration_ms)
        known.timeline.learn(scope, sent_at, record.cloud_offset_s, within_s)


def _given_twice(known: Indexes, state: TargetState, record: AnswerSeen) -> bool:
    """Whether an answer names a workflow that another target was given too: it is nobody's until evidence says whose.

    The other one loses it in any case. Where it was there before the question it cannot be what this attempt started.
    """
    twice = {each.workflow_id for each in record.update_result if each.workflow_id and _shared(known, state, each)}
    for workflow_id in sorted(twice.difference(record.strays)):
        known.contested.add(key_of(workflow_id))
        state.evidence.append(given_twice(workflow_id))
        state.disowned |= {key_of(workflow_id)}
        state.shared |= {key_of(workflow_id)}
    contested = not twice.issubset(record.strays)
    state.attempts[record.attempt - 1].contested = contested
    return contested


def _shared(known: Indexes, state: TargetState, entry: Entry) -> bool:
    """Whether an entry names a workflow that is, or was, another's by another answer; and that one is in doubt then."""
    workflow_id = entry.workflow_id or ""
    others = [other for other in known.others_with(workflow_id, state) if not _is_about(entry, other, state)]
    for other in others:
        if not _is_elsewhere(known, workflow_id, other, state):
            known.contest(other, workflow_id)
    return bool(others) or key_of(workflow_id) in known.contested


def _is_elsewhere(known: Indexes, workflow_id: str, other: TargetState, state: TargetState) -> bool:
    """Whether the job was seen on the instance of the other one, and not on this one's: no answer can move it."""
    seen = key_of(workflow_id) in known.listed and known.workflows.get(key_of(workflow_id)) == other.key
    return seen and not same_id(other.target.instance_id, state.target.instance_id)


def _is_about(entry: Entry, other: TargetState, state: TargetState) -> bool:
    """Whether an entry says itself that it is about the other one, so that it takes nothing from it."""
    theirs = other.target.instance_id
    return same_id(entry.instance_id, theirs) and not same_id(theirs, state.target.instance_id)


def _accept(known: Indexes, state: TargetState, record: AnswerSeen) -> None:
    state.phase = Phase.IN_FLIGHT
    sent = state.attempts[record.attempt - 1].sent
    state.accepted_at = known.timeline.answered(sent, record.at, state.target.scope)
    known.accepted_in[state.target.scope] = state.accepted_at
    for entry in record.update_result:
        if entry.accepted and entry.workflow_id:
            known.own(state, entry.workflow_id)
            known.accepted.add(key_of(entry.workflow_id))
            known.accepted_on.add(state.target.instance_id, key_of(entry.workflow_id), state.accepted_at)
