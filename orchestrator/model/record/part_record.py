"""The record of what failed in this program beside the targets."""

from orchestrator.model.record.record_base import Base

#: The part that writes down how much the scopes are used. When it fails, calls may be missing in what is counted.
USAGE = "the note of the scopes' use"


class PartFailed(Base, frozen=True, kw_only=True):
    """A part of the program failed beside the targets: a sink of records, or a task of the session.

    Attributes:
        part: its name, in the words of the manual.
        error: type and place.
        ends: whether the session ends by it, in good order.
        host: what the machine did not give, and what to do about it; empty of a bug.
    """

    part: str
    error: str
    ends: bool = False
    host: str = ""

    @property
    def words(self) -> str:
        """What failed and how, for people."""
        return f"{self.part}: {trouble_words(self.error, self.host)}"


def trouble_words(error: str, host: str) -> str:
    """An error by its type and place, behind what the machine did not give, if that was it."""
    return f"{host} ({error})" if host else error
