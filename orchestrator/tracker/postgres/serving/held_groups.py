"""The groups of scopes that one process has taken, out of those that nobody serves."""

from collections.abc import Callable, Sequence
from contextlib import suppress

from orchestrator.errors import StateError
from orchestrator.model.plan.served_group import may_serve
from orchestrator.tracker.postgres.database import Database, NoTables
from orchestrator.tracker.postgres.serving.group_rows import Taker, WantedGroup, leave, take, wanted
from orchestrator.tracker.postgres.serving.watched_silence import Watch


class HeldGroups:
    """What one process that stands by has taken. One thread at a time may use it.

    Args:
        taker: this process.
        would_serve: whether it would serve a group that its host may serve.
        expect_fit: raises `StateError` where its host may take part in nothing; asked before anything is taken.
        monotonic: seconds that never go back.

    Attributes:
        held: the epoch of each group that it has, by its key.
    """

    def __init__(
        self,
        database: Database,
        taker: Taker,
        *,
        would_serve: Callable[[str], bool],
        expect_fit: Callable[[], None],
        monotonic: Callable[[], float],
    ) -> None:
        self._database = database
        self._taker = taker
        self._would_serve = would_serve
        self._expect_fit = expect_fit
        self._monotonic = monotonic
        self._watches: dict[str, Watch] = {}
        self._free: list[WantedGroup] = []
        self._done_with: int | None = None
        self._nobody_serves = False
        self.held: dict[str, int] = {}

    def look(self, lead: int, *, patience_s: float) -> None:
        """See what this process has, and what is free.

        Args:
            lead: the epoch of the fleet's holder.
            patience_s: how long to wait for a database that is away.

        Raises:
            StateError: the database cannot be used.
        """
        rows = self._rows(lead, patience_s)
        self.held = {row.group: row.epoch for row in rows if row.token == self._taker.token}
        silent = [row.group for row in rows if row.token is not None and self._watch(row.group).silent(row[1:])]
        self._free = [row for row in rows if (row.token is None or row.group in silent) and self._may_take(row)]

    def take_free(self, lead: int, *, patience_s: float) -> None:
        """Take what was free when it was looked at, unless somebody was faster.

        Raises:
            StateError: the database cannot be used, or this host is not fit.
        """
        if self._free:
            self._expect_fit()
            for row in self._free:
                take(self._database, self._taker, lead, row, patience_s=patience_s)
            self.look(lead, patience_s=patience_s)

    def leave_for_good(self, lead: int) -> None:
        """Leave all, and take nothing again that this holder of the fleet wants served."""
        self._done_with = lead
        self.leave()

    def leave(self) -> None:
        """Leave what it has taken. Where the database is away, nobody waits for it: others see the silence."""
        if self.held and not self._database.away:
            self.held = {}
            with suppress(StateError):
                leave(self._database, self._taker)

    def _rows(self, lead: int, patience_s: float) -> Sequence[WantedGroup]:
        if self._nobody_serves or lead == self._done_with:
            return ()
        try:
            return wanted(self._database, self._taker.fleet, lead, patience_s=patience_s)
        except NoTables:  # those of a version that did not have this one
            self._nobody_serves = True
            return ()

    def _watch(self, group: str) -> Watch:
        return self._watches.setdefault(group, Watch(self._monotonic))

    def _may_take(self, row: WantedGroup) -> bool:
        ours = row.token == self._taker.token
        return not ours and may_serve(self._taker.host, row.group) and self._would_serve(row.group)
