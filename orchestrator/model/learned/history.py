"""What the runs of a fleet have left behind, proxy by proxy: what an audit holds against reality."""

from msgspec import Struct

from orchestrator.model.plan.target import Target
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.reply.version import at_least


class Known(Struct, kw_only=True):
    """What all runs together know of one proxy.

    Attributes:
        outcome: the last one.
        run_id: of the run that said so.
        upgraded_to: the newest version to which a run of this fleet has upgraded it.
        upgraded_in: that run.
        had: the newest version that it was seen to run, at least.
    """

    outcome: Outcome
    run_id: str
    upgraded_to: str | None = None
    upgraded_in: str | None = None
    had: str | None = None

    def take(self, outcome: Outcome, run_id: str, version: str, *, read: bool) -> None:
        """Take in what a run says, the earliest run first; `read`: its version was read at the end of its upgrade."""
        self.outcome, self.run_id = outcome, run_id
        if outcome in (Outcome.SUCCEEDED, Outcome.ACCEPTED, Outcome.PARTIAL) and _newer(version, self.upgraded_to):
            self.upgraded_to, self.upgraded_in = version, run_id
        if (read or outcome is Outcome.ALREADY) and _newer(version, self.had):
            self.had = version


class History(Struct, frozen=True, kw_only=True):
    """The runs of a fleet, as far as an audit needs them.

    Attributes:
        run_id: of the latest run.
        target_version: of the latest run.
        targets: of the latest run, also those that kept an earlier outcome.
        pending: where the targets stand that the latest run has not settled.
        stuck: of these, those that only a person or new evidence moves.
        known: by proxy_id, over all runs.
    """

    run_id: str
    target_version: str
    targets: tuple[Target, ...]
    pending: dict[str, str]
    known: dict[str, Known]
    stuck: frozenset[str] = frozenset()


def _newer(version: str, than: str | None) -> bool:
    return than is None or at_least(version, than)
