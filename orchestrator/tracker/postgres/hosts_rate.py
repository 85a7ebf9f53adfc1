"""A rate that hosts share: each reserves its next slots in a row of the database, some at a time.

Slots lie a little further apart than the rate asks for, by the clock of the database, and each may be used a little
late: so no second has too many of them. Later it is lost. They begin so far ahead as the last answer took to come, else
a host that is far from the database would hear of each when it is over. How far that clock is from this host's is known
by the time between question and answer, and by that much less late a slot may be used; where it is long, halfway is
taken for true.
A process that dies leaves at most the slots that it had reserved; nobody waits for it. The row is locked for one
statement. Among the processes of one host the file decides as well, see `RateFile`.

All waiting for the database is in a thread: who asks for a slot is answered at once.
"""

from collections import deque
from collections.abc import Callable, Iterator
from threading import Condition, Thread
from typing import NamedTuple, Protocol

from orchestrator.errors import StateError
from orchestrator.tracker.postgres.database import Connection, Database

#: Slots are so much further apart than the rate asks for; one that is used later than so many seconds is lost.
_APART, _LATE_S = 1.05, 0.025
#: What is known of the database's clock is believed for so long: clocks are set, and drift.
_BELIEVED_S = 10.0
#: So many seconds of slots are reserved at once, where they are all used.
_AHEAD_S = 0.1
#: The first of them lies no further ahead than this: until then others get none, where nobody else is in line.
_FARTHEST_S = 0.5
#: After a try that failed, and how soon to ask again when none is reserved yet.
_PAUSE_S, _AGAIN_S = 0.3, 0.01
#: The lowest rate of those that used the row in so many seconds holds for all of them.
_RESERVE = """
insert into orchestrator.rate_slot as s (key, next_at, low, low_at)
select %(key)s, now_s + %(after)s + %(count)s * %(apart)s / %(rate)s, %(rate)s, now_s
from (select extract(epoch from clock_timestamp())::float8) as t (now_s)
on conflict (key) do update set
  low = case when excluded.low <= s.low or s.low_at < excluded.low_at - 5 then excluded.low else s.low end,
  low_at = case when excluded.low <= s.low or s.low_at < excluded.low_at - 5 then excluded.low_at else s.low_at end,
  next_at = greatest(s.next_at, excluded.low_at + %(after)s) + %(count)s * %(apart)s /
    case when excluded.low <= s.low or s.low_at < excluded.low_at - 5 then excluded.low else s.low end
returning next_at, low, extract(epoch from clock_timestamp())::float8
"""


class LocalRate(Protocol):
    """Where the processes of one host share the rate."""

    def exchange(self, act: Callable[[bytes], bytes]) -> bool:
        """As `SharedRate.exchange`."""

    def close(self) -> None:
        """Nothing comes any more."""


class _Batch(NamedTuple):
    """Slots by the clock of the database, which read `now_at` in between."""

    next_at: float
    rate: float
    now_at: float


class _Ahead(NamedTuple):
    """How far this host's monotonic clock is ahead of the database's: at least and at most; known since when."""

    least: float
    most: float
    since_s: float

    def and_also(self, other: "_Ahead") -> "_Ahead":
        """Both are true; the later one alone when they cannot be, or the first is old."""
        least, most = max(self.least, other.least), min(self.most, other.most)
        old = other.since_s - self.since_s > _BELIEVED_S
        return other if old or least > most else _Ahead(least, most, self.since_s)

    @property
    def middle(self) -> float:
        return (self.least + self.most) / 2

    @property
    def doubt_s(self) -> float:
        """How far the middle may be wrong, as far as that can be allowed for."""
        return min((self.most - self.least) / 2, _LATE_S / 4)


class HostsRate:
    """The row of one key, as this process uses it.

    Args:
        local: where the processes of this host meet.
        database: with connections of its own.
        key: of the rate.
        monotonic: seconds that never go back.
        warn: called once, with a sentence, when the row cannot be used.
    """

    def __init__(
        self,
        local: LocalRate,
        database: Database,
        *,
        key: str,
        monotonic: Callable[[], float],
        warn: Callable[[str], None],
    ) -> None:
        self._local, self._database, self._key = local, database, key
        self._monotonic, self._warn = monotonic, warn
        self._changed = Condition()
        self._slots: deque[tuple[float, float]] = deque()
        self._ahead: _Ahead | None = None
        self._wanted: float | None = None
        self._count, self._lost, self._took_s = 1, 0, 0.0
        self._thread: Thread | None = None
        self._over = self._apart = False

    def exchange(self, act: Callable[[bytes], bytes]) -> bool:
        """As `RateFile.exchange`."""
        return self._local.exchange(act)

    def due(self, now_s: float, rate: float | None) -> float:
        """After how many seconds a slot comes."""
        if rate is None or self._apart:
            return 0.0
        with self._changed:
            while self._slots and now_s > self._slots[0][1]:
                self._slots.popleft()
                self._lost += 1
            if not self._slots:
                self._want(rate)
                return _AGAIN_S
            return max(0.0, self._slots[0][0] - now_s)

    def took(self, *, waited: bool) -> None:
        """The first slot is used."""
        with self._changed:
            if not self._slots:
                return
            self._slots.popleft()
            if waited and self._wanted is None and len(self._slots) <= self._count // 2:
                self._want(self._rate)

    def close(self) -> None:
        """Reserve nothing more."""
        with self._changed:
            self._over = True
            self._changed.notify_all()
        if self._thread is None:
            self._database.close()
        self._local.close()

    def _want(self, rate: float) -> None:
        self._rate = self._wanted = rate
        if self._thread is None:
            self._thread = Thread(target=self._serve, daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _serve(self) -> None:
        while (rate := self._next()) is not None:
            try:
                self._reserve(rate)
            except StateError as error:
                self._fail(error)
        self._database.close()

    def _next(self) -> float | None:
        """The rate at which slots are wanted; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._over or self._wanted is not None)
            return None if self._over else self._wanted

    def _reserve(self, rate: float) -> None:
        count = self._next_count(rate)
        after_s = min(self._took_s, _FARTHEST_S)
        values = {"key": self._key, "count": count, "apart": _APART, "rate": rate, "after": after_s}

        def reserve(connection: Connection) -> _Batch:
            row = connection.execute(_RESERVE, values).fetchone()
            return _Batch(*(float(str(each)) for each in row or ()))

        asked_s = self._monotonic()
        batch = self._database.once(reserve)
        told_s = self._monotonic()
        self._took_s = told_s - asked_s
        seen = _Ahead(asked_s - batch.now_at, told_s - batch.now_at, told_s)
        self._ahead = seen if self._ahead is None else self._ahead.and_also(seen)
        with self._changed:
            self._slots.extend(_slots(batch, count, self._ahead))
            self._wanted = None
            self._changed.notify_all()

    def _next_count(self, rate: float) -> int:
        """More where all were used, fewer where some were lost."""
        most = max(1, int(rate * _AHEAD_S))
        with self._changed:
            self._count = max(1, self._count // 2) if self._lost else min(2 * self._count, most)
            self._lost = 0
            return self._count

    def _fail(self, error: StateError) -> None:
        with self._changed:
            if self._database.away:  # nothing is sent while it is
                self._changed.wait_for(lambda: self._over, _PAUSE_S)
                return
            self._apart, self._wanted = True, None
            self._changed.notify_all()
        self._warn(f"{error}; so this host keeps the rate for itself")


def _slots(batch: _Batch, count: int, ahead: _Ahead) -> Iterator[tuple[float, float]]:
    """From when to when each slot may be used, by this host's clock."""
    apart_s = _APART / batch.rate
    first_s = batch.next_at - count * apart_s + ahead.middle
    for number in range(count):
        slot_s = first_s + number * apart_s
        yield slot_s + ahead.doubt_s, slot_s - ahead.doubt_s + _LATE_S
