"""The record of what failed in this program beside the targets."""

from orchestrator.model.record_base import Base

#: The part that writes down how much the scopes are used. When it fails, calls may be missing in what is counted.
USAGE = "the note of the scopes' use"


class PartFailed(Base, frozen=True, kw_only=True):
    """A part of the program failed beside the targets: a sink of records, or a task of the session.

    Attributes:
        part: its name, in the words of the manual.
        error: type and place.
        ends: whether the session ends by it, in good order.
    """

    part: str
    error: str
    ends: bool = False
