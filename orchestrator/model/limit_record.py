"""Records of what bounds the starts of a run."""

from datetime import datetime

from orchestrator.model.record_base import Base


class EarlierStarts(Base, frozen=True, kw_only=True):
    """When earlier runs of the fleet made attempts, by the calendar: they count for `limits.per_window`, too."""

    step: str = "earlier"
    instants: tuple[datetime, ...]
