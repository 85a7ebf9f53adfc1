"""A sentence for each record of the journal."""

from orchestrator.app.telling.bound_sentence import Bound, bound_sentence
from orchestrator.app.telling.run_sentence import run_sentence
from orchestrator.app.telling.shared_sentence import shared_sentence
from orchestrator.app.telling.target_sentence import target_sentence
from orchestrator.model.record.impact_record import ImpactSampled, MetricsMissing
from orchestrator.model.record.record import Record, SharedRecord
from orchestrator.model.record.target_record import TargetRecord
from orchestrator.spoken import counted


def sentence(record: Record) -> str:
    """What happened, without when and to which target."""
    if isinstance(record, ImpactSampled):
        missing = f"; {record.missing}" if record.missing else ""
        return f"its impact is measured, in {counted(len(record.samples), 'minute')}{missing}"
    if isinstance(record, MetricsMissing):
        return f"scope {record.scope} goes on without metrics of its proxies: {record.why}"
    if isinstance(record, TargetRecord):
        return target_sentence(record)
    if isinstance(record, SharedRecord):
        return shared_sentence(record)
    return bound_sentence(record) if isinstance(record, Bound) else run_sentence(record)
