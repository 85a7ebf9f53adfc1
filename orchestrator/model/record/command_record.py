"""Records of what persons asked of a run, beside the holds, which the run sets itself too."""

from datetime import datetime
from typing import TypeAlias

from orchestrator.model.plan.person import person
from orchestrator.model.record.record_base import Base


class WaveApproved(Base, frozen=True, kw_only=True):
    """A person released a wave that asks for approval, perhaps before its turn. `host`, `since`: as of `HoldSet`."""

    wave: str
    by: str
    note: str
    command: int = 0
    host: str = ""
    since: datetime | None = None

    @property
    def who(self) -> str:
        """User and host."""
        return person(self.by, self.host)


class HoldReleased(Base, frozen=True, kw_only=True):
    """A person lets the fleet go on. What was counted until now is accepted. `host`, `since`: as of `HoldSet`."""

    by: str
    note: str
    command: int = 0
    host: str = ""
    since: datetime | None = None

    @property
    def who(self) -> str:
        """User and host."""
        return person(self.by, self.host)


class CommandIgnored(Base, frozen=True, kw_only=True):
    """A person's command that no longer applied when the run read it. `by`: empty where it was not recorded."""

    command: int
    why: str
    by: str = ""
    host: str = ""


class FleetClaimed(Base, frozen=True, kw_only=True):
    """A person has handed the fleet over from one plan file to another. `host`: as of `HoldSet`.

    Attributes:
        since: when.
    """

    before: str
    after: str
    by: str
    since: datetime
    command: int = 0
    host: str = ""

    @property
    def who(self) -> str:
        """User and host."""
        return person(self.by, self.host)


CommandRecord: TypeAlias = WaveApproved | HoldReleased | CommandIgnored | FleetClaimed
