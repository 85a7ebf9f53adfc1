"""What the report says of limits that a person has changed. Pure."""

from datetime import datetime
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from orchestrator.model.run.run import Run


class LimitsReport(Struct, frozen=True, kw_only=True):
    """The limits that a person has changed."""

    limits: Annotated[dict[str, str], Meta(description="By key of `limits`, as `limit` was given them")]
    at: Annotated[datetime, Meta(description="When that person asked for it, also in an earlier run")]
    by: Annotated[str, Meta(description="The person who changed them last")]
    host: Annotated[str | None, Meta(description="From where that person did")]
    note: Annotated[str, Meta(description="That person's note")]


def changed_limits(run: Run) -> LimitsReport | UnsetType:
    """The limits that hold in place of the plan's, and who said so."""
    asked = run.limits
    if asked is None or not asked.limits.named:
        return UNSET
    limits = dict(word.split("=") for word in str(asked.limits).split())
    return LimitsReport(limits=limits, at=asked.began_at, by=asked.by, host=asked.host or None, note=asked.note)
