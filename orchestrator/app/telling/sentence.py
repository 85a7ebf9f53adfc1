"""A sentence for each record of the journal."""

from orchestrator.app.telling.run_sentence import run_sentence
from orchestrator.app.telling.target_sentence import target_sentence
from orchestrator.model.record import Record
from orchestrator.model.target_record import TargetRecord


def sentence(record: Record) -> str:
    """What happened, without when and to which target."""
    return target_sentence(record) if isinstance(record, TargetRecord) else run_sentence(record)
