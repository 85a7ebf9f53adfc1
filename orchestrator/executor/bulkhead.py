"""The bulkhead around the story of one target: an error that nobody foresaw ends that story, and nothing else."""

from contextlib import suppress

import anyio

from orchestrator.errors import place_of, refused_by_host
from orchestrator.executor.ledger import SetAside
from orchestrator.executor.session import Session
from orchestrator.model.record.record import AnswerMissing, Record, StoryFailed
from orchestrator.model.run.state import TargetState


async def break_off(state: TargetState, session: Session, error: Exception) -> None:
    """Record what broke off the story. Open, the target is in doubt; else it waits for the next session.

    Raises:
        StateError: it cannot be recorded, for the journal cannot be written.
    """
    about, wave = session.about(state), session.rollout.queue.starting.get(state.key, state.wave)
    records: list[Record] = [AnswerMissing(**about)] if state.unanswered else []
    records.append(StoryFailed(**about, wave=wave, error=place_of(error), host=refused_by_host(error)))
    with anyio.CancelScope(shield=True), suppress(SetAside):
        await session.ledger.record(*records)
    if state.is_open:
        session.rest(state)
