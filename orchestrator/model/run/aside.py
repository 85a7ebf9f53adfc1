"""A target with a record that cannot be applied: set aside until a person settles it, while the others go on."""

from orchestrator.errors import place_of
from orchestrator.model.record.outcome import Phase
from orchestrator.model.record.record import AnswerSeen, Record
from orchestrator.model.run.state import TargetState


def set_aside(state: TargetState, record: Record, error: Exception) -> list[str]:
    """Claim nothing of the target any more, and keep what its record tells of workflows.

    Returns:
        Ids of the workflows that the record names as ours.
    """
    why = f"the record {record.__struct_config__.tag} cannot be applied: {place_of(error)}"
    state.set_aside = state.set_aside or why
    state.evidence.append(why)
    state.reason, state.outcome, state.phase = why, None, Phase.IN_DOUBT
    state.stuck_at = state.stuck_at or record.at
    if isinstance(record, AnswerSeen) and 0 < record.attempt <= len(state.attempts):
        state.attempts[record.attempt - 1].answer = record
    return _workflows(record)


def _workflows(record: Record) -> list[str]:
    named = getattr(record, "workflow_id", None)
    entries = record.update_result if isinstance(record, AnswerSeen) else ()
    accepted = [entry.workflow_id for entry in entries if entry.accepted]
    return [workflow_id for workflow_id in (named, *accepted) if workflow_id]
