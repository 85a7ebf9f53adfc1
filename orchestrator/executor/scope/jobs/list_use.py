"""Whether the list of a scope's running jobs is worth its calls to those who follow upgrades there. Pure."""

import msgspec

from orchestrator.executor.scope.poll_schedule import list_pays

#: A list that answers for fewer than it leaves open, by more than this, was of no use …
_MAY_MISS = 3

#: … and the next one is not read sooner than this, seconds; nor after one that was too long for so few.
_LEFT_ALONE_S = 300.0


class ListUse(msgspec.Struct):
    """Who follows, and what the latest list brought.

    Attributes:
        followed: upgrades that are followed in the scope.
        rows: jobs on the latest list, other people's among them.
        shown: how often it answered.
        missed: how often it did not, so that a job had to be looked at by its id.
    """

    followed: int = 0
    rows: int = 0
    shown: int = 0
    missed: int = 0

    def pays(self, age_s: float) -> bool:
        """Whether a new list is worth its calls; of an old one, `age_s` since it was asked for, that says nothing."""
        if age_s >= _LEFT_ALONE_S:
            return list_pays(self.followed, 0)
        return list_pays(self.followed, self.rows) and self.missed <= self.shown + _MAY_MISS

    def begin(self) -> None:
        """A new list is asked for."""
        self.shown = self.missed = 0

    def note(self, *, shown: bool) -> None:
        """It answered, or did not."""
        self.shown += shown
        self.missed += not shown
