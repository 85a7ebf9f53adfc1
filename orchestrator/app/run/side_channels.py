"""What failed beside a session that has ended, in its journal and report: it hides nothing of what became of it."""

from collections.abc import Mapping
from contextlib import closing, suppress
from datetime import datetime

from orchestrator.app.report.on_disk import write_reports
from orchestrator.errors import ExitCode, OrchestratorError
from orchestrator.model.plan.plan import Plan
from orchestrator.model.record.record import PartFailed
from orchestrator.tracker.runs.recovery import Recovered, recover


def remember(recovered: Recovered, plan: Plan, code: ExitCode, failed: Mapping[str, str], now: datetime) -> None:
    """Record what failed, and write the report once more. The fleet's lock must be free.

    Nothing is said when that fails too, or another process works on the fleet by now: the caller has said it already.

    Args:
        recovered: the run.
        plan: as in force in the session.
        code: of the session.
        failed: the words of each failure, by the name of what failed.
        now: the present instant.
    """
    stored = recovered.stored
    with suppress(OrchestratorError), stored.fleet.lock(now):
        there = recover(stored)
        if len(there.run.sessions) > len(recovered.run.sessions):
            return  # the warnings of a session are its own
        records = [PartFailed(at=now, step="session", part=part, error=error) for part, error in failed.items()]
        with closing(stored.resume(there.next_seq)) as journal:
            journal.append(records)
        for record in records:
            there.run.apply(record)
        write_reports(stored, there.run, plan, exit_code=int(code))
