"""What a session is asked to do, on the host that decides and on one that serves."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from orchestrator.app.process.open_files import FileRoom
from orchestrator.app.scopes.rate_memory import RateMemory
from orchestrator.app.sinks.tee import RecordSink
from orchestrator.cloud.secrets.registry import Secrets
from orchestrator.executor.decide.waits import Wait
from orchestrator.model.plan.plan import Plan, Scope
from orchestrator.model.run.run import Run
from orchestrator.tracker.runs.recovery import Recovered
from orchestrator.tracker.state_store import Fleet


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What a session is asked to do.

    Attributes:
        plan: as in force in this session.
        recovered: the run, folded from its journal.
        until: nothing starts from this instant on; None for no bound.
        longest_s: nor when the session has lasted so long.
        barred: why nothing starts any more in this run; what is open is followed.
        approved: SHA-256 of the saved preview that the session is bound to; empty for none.
        secrets: what no record may hold.
        memory: where `rate: auto` starts, and is kept.
        sinks: who is shown its records, beside the reports.
        room: how many connections and calls fit into what this process may have open.
    """

    plan: Plan
    recovered: Recovered
    environ: Mapping[str, str]
    until: datetime | None
    wait_s: float
    memory: RateMemory
    room: FileRoom
    longest_s: float | None = None
    sinks: tuple[RecordSink, ...] = ()
    barred: Wait | None = None
    approved: str = ""
    secrets: Secrets = msgspec.field(default_factory=Secrets)

    @property
    def run(self) -> Run:
        """The run, which the session carries on."""
        return self.recovered.run

    @property
    def served(self) -> tuple[Scope, ...]:
        """The scopes that this host may serve."""
        return tuple(scope for scope in self.plan.scopes if scope.served_by(self.fleet.state.host))

    @property
    def report(self) -> Path:
        """Where the report is written."""
        return self.recovered.stored.report

    @property
    def fleet(self) -> Fleet:
        """Whose run it is."""
        return self.recovered.stored.fleet
