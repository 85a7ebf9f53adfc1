"""Records of what bounds the starts of a run."""

from datetime import datetime

from orchestrator.model.plan.limit_change import LimitChange
from orchestrator.model.plan.person import person
from orchestrator.model.record.record_base import Base


class EarlierStarts(Base, frozen=True, kw_only=True):
    """When earlier runs of the fleet made attempts, by the calendar: they count for `limits.per_window`, too."""

    step: str = "earlier"
    instants: tuple[datetime, ...]


class LimitsChanged(Base, frozen=True, kw_only=True):
    """A person changed limits, until a reset.

    Attributes:
        limits: all that hold in place of the plan's from now on; empty after a reset.
        command: number of the person's command in the fleet's command file; 0 when an earlier run carried it out.
        host: from where the person asked.
        since: when the person asked; None in older journals.
    """

    step: str = "limit"
    limits: LimitChange
    by: str
    note: str
    command: int = 0
    host: str = ""
    since: datetime | None = None

    @property
    def began_at(self) -> datetime:
        """When the person asked for them, in whatever run of the fleet."""
        return self.since or self.at

    @property
    def who(self) -> str:
        """User and host."""
        return person(self.by, self.host)

    @property
    def words(self) -> str | None:
        """What holds in place of the plan's limits, since when, by whom and why; None after a reset."""
        if not self.limits.named:
            return None
        return f"{self.limits}, changed at {self.began_at:%Y-%m-%d %H:%M:%SZ} by {self.who}: {self.note}"
