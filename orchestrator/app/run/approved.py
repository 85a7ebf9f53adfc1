"""What a person has approved, for a session that does exactly that or nothing."""

from collections.abc import Callable, Mapping

import msgspec

from orchestrator.model.plan.target import Target
from orchestrator.tracker.runs.recovery import Recovered


class Exactly(msgspec.Struct, frozen=True, kw_only=True):
    """What a run begins with when a person has approved exactly that.

    Attributes:
        targets: all, each bound to the version that it runs.
        skipped: by proxy_id, reason and words of what is not to be upgraded, whatever it comes to run later.
    """

    targets: tuple[Target, ...]
    skipped: Mapping[str, tuple[str, str]]


class Approved(msgspec.Struct, frozen=True):
    """A preview that a person has approved: a session does exactly that or nothing.

    Attributes:
        sha256: of the file that it was saved in.
        compare: called under the fleet's lock before anything begins. It raises `PlanError` when a start now would do
            something else, and is not called again in the run that has begun.
    """

    sha256: str
    compare: Callable[[], Exactly]

    def goes_on_in(self, latest: Recovered | None) -> bool:
        """Whether an unfinished run already does what was approved."""
        return latest is not None and self.sha256 in latest.run.approved
