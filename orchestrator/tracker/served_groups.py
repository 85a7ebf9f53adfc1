"""What a host does while it stands by: it serves groups of scopes that the one that works may not serve.

The host that works on a fleet says which groups it wants served. A host that stands by takes those that nobody serves,
and its stand-by is called with them.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, Protocol


class Standby(NamedTuple):
    """A host that stands by for a fleet, and since when; for one that serves groups of scopes, since when it does."""

    host: str
    since: datetime
    groups: tuple[str, ...] = ()


class Post(Protocol):
    """The groups of scopes that this host serves, for as long as it serves them without a break."""

    @property
    def lead(self) -> int:
        """Which holder of the fleet's lock it serves."""

    @property
    def epochs(self) -> Mapping[str, int]:
        """By the key of each group, which server of it this is: what it adds to the log says so."""

    @property
    def groups(self) -> tuple[str, ...]:
        """Their keys."""

    def over(self) -> str | None:
        """Why serving must end now; None while it goes on. It asks nobody, so it may be called at any time."""


class StandBy(Protocol):
    """What this process does while it stands by for a fleet."""

    def serves(self, group: str) -> bool:
        """Whether it would serve a group that its host may serve; else that is left to others."""

    def serve(self, post: Post) -> None:
        """Serve groups that were just taken. Called again when there is another post.

        Return when the post is over, also when the log says it first (`TakenOver`), or when there is nothing to serve
        any more: then no group of this session is taken again. The groups are shown to be served for as long as this
        lasts.

        Raises:
            KeyboardInterrupt: this process was told to stop.
            OrchestratorError: it cannot serve, nor stand by.
        """


class Idle:
    """It only waits."""

    def serves(self, group: str) -> bool:  # noqa: ARG002  # none
        """Nothing."""
        return False

    def serve(self, post: Post) -> None:
        """It is given nothing to serve."""
        raise AssertionError(f"it serves nothing, and was given {', '.join(post.groups)}")


IDLE = Idle()
