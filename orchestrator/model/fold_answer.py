"""Folding the answer to an upgrade call: the record that says most, of this target and of others."""

from orchestrator.model.known import Indexes
from orchestrator.model.outcome import Phase
from orchestrator.model.record import AnswerSeen
from orchestrator.model.state import TURNED_AWAY, TargetState

#: Verdicts that settle a target, unless an earlier attempt of it was doubtful.
_REFUSALS = frozenset({"rejected", "refused", "busy"})


def fold_answer(known: Indexes, state: TargetState, record: AnswerSeen) -> None:
    """Apply the answer to an attempt."""
    attempt = state.attempts[record.attempt - 1]
    attempt.answer = record
    if record.verdict in TURNED_AWAY:
        state.turned_away += 1
    else:
        state.turned_away = 0
        known.scopes[state.target.scope].got_through += 1
    if attempt.intent.clocks is None:
        _learn_time(known, state.target.scope, record)
    known.count_rejects(record)
    state.disowned.update(record.strays)
    for entry in record.update_result:
        if entry.workflow_id and entry.instance_id not in (None, state.target.instance_id):
            known.astray[entry.workflow_id] = entry.instance_id
    if record.verdict in ("accepted", "partial") and not _contested(known, state, record):
        _accept(known, state, record)
    elif attempt.doubtful or (state.doubtful_from is not None and record.verdict in _REFUSALS):
        state.doubt()


def _learn_time(known: Indexes, scope: str, record: AnswerSeen) -> None:
    """Journals from before `CloudTimeLearned` tell the cloud's time in their answers alone."""
    if record.cloud_offset_s is not None and scope not in known.timeline.offsets:
        within_s = 1.0 + record.duration_ms / 1000
        known.timeline.learn(scope, record.at, record.cloud_offset_s, within_s)


def _contested(known: Indexes, state: TargetState, record: AnswerSeen) -> bool:
    """Whether an answer names a workflow that another answer gave to another target: neither can be trusted."""
    named = {entry.workflow_id for entry in record.update_result if entry.workflow_id}
    twice = {each for each in named if each in known.contested or known.workflows.get(each, state.key) != state.key}
    for workflow_id in sorted(twice):
        known.contest(workflow_id)
        known.contested.add(workflow_id)
        state.evidence.append(f"workflow {workflow_id} was given to another target too")
    state.disowned.update(twice)
    state.attempts[record.attempt - 1].contested = bool(twice)
    return bool(twice)


def _accept(known: Indexes, state: TargetState, record: AnswerSeen) -> None:
    state.phase = Phase.IN_FLIGHT
    state.accepted_at = known.timeline.moment(record.at, state.target.scope)
    known.accepted_in[state.target.scope] = state.accepted_at
    for entry in record.update_result:
        if entry.accepted and entry.workflow_id:
            known.own(state, entry.workflow_id)
            known.accepted.add(entry.workflow_id)
            known.accepted_on.setdefault(state.target.instance_id, {})[entry.workflow_id] = state.accepted_at
