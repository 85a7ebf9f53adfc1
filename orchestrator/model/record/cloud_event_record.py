"""The record of having read what the cloud itself is going to do to instances."""

from orchestrator.model.record.record_base import Base
from orchestrator.model.reply.cloud_event import CloudEvent


class CloudEventsRead(Base, frozen=True, kw_only=True):
    """What the cloud is going to do in a scope, when that has changed, or could not be read.

    Attributes:
        events: all that is ahead or under way; what could not be read is as it was before.
        why: something could not be read.
        denied: the scope has none of the lists, or may not ask: it does not ask again in this session.
        refused: the lists that it may not ask for, or does not have; they are not asked for again in this session.
    """

    step: str = "events"
    scope: str
    events: tuple[CloudEvent, ...]
    why: str | None = None
    denied: bool = False
    refused: tuple[str, ...] = ()
