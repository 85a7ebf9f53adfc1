"""What a person asks of a fleet while its run goes on, or before the next one: hold, release, settle, claim."""

from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct

from orchestrator.model.plan.limit_change import LimitChange
from orchestrator.model.plan.person import person


class _Base(Struct, frozen=True, kw_only=True, tag_field="command"):
    """Who asked, when, and why. `host`: from where; empty in files of before it was recorded."""

    at: datetime
    user: str
    note: str
    host: str = ""

    @property
    def who(self) -> str:
        """User and host."""
        return person(self.user, self.host)


class HoldCommand(_Base, frozen=True, kw_only=True, tag="hold"):
    """Start nothing any more."""

    @property
    def what(self) -> str:
        """The command in words."""
        return "hold"


class ReleaseCommand(_Base, frozen=True, kw_only=True, tag="release"):
    """Let the fleet go on, or, with a wave, approve that wave."""

    wave: str | None = None

    @property
    def what(self) -> str:
        """The command in words."""
        return f"approve wave {self.wave}" if self.wave else "release"


class LimitCommand(_Base, frozen=True, kw_only=True, tag="limit"):
    """Change limits beside those that were changed before; without any: the plan's hold again."""

    limits: LimitChange = LimitChange()

    @property
    def what(self) -> str:
        """The command in words."""
        return f"limit {self.limits}" if self.limits.named else "limit --reset"


class SettleCommand(_Base, frozen=True, kw_only=True, tag="settle"):
    """A person decides an open target."""

    proxy_id: str
    outcome: Literal["succeeded", "failed", "not_sent"]

    @property
    def what(self) -> str:
        """The command in words."""
        return f"settle {self.proxy_id} as {self.outcome}"


class ClaimCommand(_Base, frozen=True, kw_only=True, tag="claim"):
    """The fleet was handed over to another plan file, both as `path_text` has them: done already, to be recorded."""

    before: str
    after: str
    note: str = ""

    @property
    def what(self) -> str:
        """The command in words."""
        return f"handed the fleet over from {self.before} to {self.after}"


Command: TypeAlias = HoldCommand | ReleaseCommand | LimitCommand | SettleCommand | ClaimCommand
