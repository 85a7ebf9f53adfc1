"""What the journal of another run tells of a workflow_id: whose it is there, and when that was."""

from datetime import datetime, timedelta

from orchestrator.model.learned.told_elsewhere import ToldElsewhere
from orchestrator.model.record.record import AnswerSeen, Intent, Record
from orchestrator.tracker.state_store import State, StoredRun
from orchestrator.tracker.workflow_store import KnownWorkflows, Teller


def told_of(state: State, workflows: KnownWorkflows, workflow: str) -> ToldElsewhere | None:
    """What is told where the id is named first; None when that is not to be found, or of no target or attempt.

    Raises:
        StateError: the journal cannot be read.
    """
    teller = workflows.teller(workflow)
    runs = () if teller is None else state.fleet(teller.fleet).runs()
    run = next((each for each in runs if teller is not None and each.run_id == teller.run_id), None)
    return None if run is None or teller is None else _told_in(run, teller)


def _told_in(run: StoredRun, teller: Teller) -> ToldElsewhere | None:
    targets, _ = run.targets_among({teller.proxy_id})
    intent: Intent | None = None
    for number, record in run.records_about(teller.proxy_id):
        if isinstance(record, Intent) and record.target == teller.proxy_id:
            intent = record
        if number == teller.number and targets and intent is not None:
            return ToldElsewhere(
                fleet=teller.fleet,
                run_id=teller.run_id,
                proxy_id=teller.proxy_id,
                instance_id=targets[0].instance_id,
                sent=intent.at + _ahead(intent),
                told=record.at + _ahead(intent, record),
            )
    return None


def _ahead(intent: Intent, record: Record | None = None) -> timedelta:
    """How far the cloud's clock was ahead of the host's, as an answer tells it, else its intent; nothing untold."""
    if isinstance(record, AnswerSeen) and record.cloud_offset_s is not None:
        return timedelta(seconds=record.cloud_offset_s)
    cloud_at: datetime | None = None if intent.clocks is None else intent.clocks.cloud_at
    return timedelta() if cloud_at is None else cloud_at - intent.at
