"""What a person asks of a fleet while its run goes on, or before the next one: hold, release, settle."""

from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct


class _Base(Struct, frozen=True, kw_only=True, tag_field="command"):
    """Who asked, when, and why."""

    at: datetime
    user: str
    note: str


class HoldCommand(_Base, frozen=True, kw_only=True, tag="hold"):
    """Start nothing any more."""


class ReleaseCommand(_Base, frozen=True, kw_only=True, tag="release"):
    """Let the fleet go on, or, with a wave, approve that wave."""

    wave: str | None = None


class SettleCommand(_Base, frozen=True, kw_only=True, tag="settle"):
    """A person decides an open target."""

    proxy_id: str
    outcome: Literal["succeeded", "failed", "not_sent"]


Command: TypeAlias = HoldCommand | ReleaseCommand | SettleCommand
