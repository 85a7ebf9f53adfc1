"""One that stands by: it shows that it does, and serves meanwhile what the one that works may not."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeAlias

from orchestrator.tracker.postgres.database import SESSION_PATIENCE_S, Database
from orchestrator.tracker.postgres.serving.beside import beating
from orchestrator.tracker.postgres.serving.group_rows import BEAT, Taker
from orchestrator.tracker.postgres.serving.held_groups import HeldGroups
from orchestrator.tracker.postgres.serving.served_post import ServedPost
from orchestrator.tracker.postgres.serving.standby import Waiting
from orchestrator.tracker.served_groups import StandBy

#: Does something again and again beside a block.
Beside: TypeAlias = Callable[[Callable[[], object]], AbstractContextManager[None]]


class StandingBy:
    """What a process does while another one holds the fleet.

    Args:
        me: this process.
        stand_by: serves.
        lead_gone: looks at the holder of the fleet, with so much patience; why the one with this epoch is none any
            more, or is taken for dead.
    """

    def __init__(
        self,
        database: Database,
        me: Taker,
        stand_by: StandBy,
        *,
        lead_gone: Callable[[int, float], str | None],
        expect_fit: Callable[[], None],
        monotonic: Callable[[], float],
        beside: Beside,
    ) -> None:
        self._database, self._me, self._stand_by = database, me, stand_by
        self._lead_gone = lead_gone
        self._beside = beside
        self._waiting = Waiting(database, fleet=me.fleet, host=me.host, token=me.token, monotonic=monotonic)
        self._groups = HeldGroups(database, me, would_serve=stand_by.serves, expect_fit=expect_fit, monotonic=monotonic)

    def served(self, lead: int) -> bool:
        """Serve what this host may serve and nobody does, until that is over; whether there was anything.

        Args:
            lead: the epoch of the one who holds the fleet.

        Raises:
            StateError: the database cannot be used, or this host is not fit to serve.
        """
        self._waiting.show()
        self._groups.look(lead, patience_s=SESSION_PATIENCE_S)
        self._groups.take_free(lead, patience_s=SESSION_PATIENCE_S)
        if not self._groups.held:
            return False
        post = ServedPost(lead, self._groups.held)
        shown = beating(self._database, BEAT, self._me._asdict())
        with self._database.patiently(), shown, self._beside(lambda: self._look_on(post, 0.0)):
            self._stand_by.serve(post)
        if post.over() is None:  # the log may have refused what nobody has seen here yet
            self._look_on(post, SESSION_PATIENCE_S)
        if post.over() is None:
            self._groups.leave_for_good(lead)
        return True

    def end(self) -> None:
        """Stand by no more."""
        self._groups.leave()
        self._waiting.hide()

    def _look_on(self, post: ServedPost, patience_s: float) -> None:
        """Watch all others while this host serves: so it takes a dead one's place as soon as one that only waits."""
        post.end(self._lead_gone(post.lead, patience_s))
        self._waiting.show()
        self._groups.look(post.lead, patience_s=patience_s)
        post.end_when_changed(self._groups.held)
        self._groups.take_free(post.lead, patience_s=patience_s)
