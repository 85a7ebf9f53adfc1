"""Whether this host's clock may be used for a log that others write too: times of several hosts are compared there."""

from collections.abc import Callable
from datetime import datetime, timedelta

from orchestrator.errors import StateError
from orchestrator.tracker.postgres.database import VERB_PATIENCE_S, Connection, Database

#: How far it may be from the database's, which all hosts can ask.
MOST_S = 5.0
#: So often it is asked how far it is.
_ASKS = 3
_HINT = "set the clock of this host, or of the database's, as by NTP; then start again"


def expect_clock(database: Database, wall: Callable[[], datetime]) -> None:
    """The clock of this host is not known to be too far from the database's.

    How much of the difference is the time that the question took is not known: only what is left without it counts.

    Args:
        database: where the log is kept.
        wall: what the clock of this host shows.

    Raises:
        StateError: it is, or the database cannot be used.
    """
    least_s, most_s = database.run(lambda connection: _ahead_s(connection, wall), patience_s=VERB_PATIENCE_S)
    off_s = max(least_s, -most_s)
    if off_s > MOST_S:
        where = "ahead of" if least_s > 0 else "behind"
        raise StateError(
            f"{database}: the clock of this host is {off_s:.0f} s {where} the database's: more than {MOST_S:g} s, "
            "so it works on no fleet there",
            hint=_HINT,
        )


def clock_ahead(database: Database, wall: Callable[[], datetime]) -> timedelta:
    """How far the database's clock is ahead of this host's, as far as is certain by the quickest of some questions.

    One that is slow, as while this process stood still, says little: nothing is set by what nobody knows.

    Raises:
        StateError: the database cannot be used.
    """
    asked = (
        database.run(lambda connection: _ahead_s(connection, wall), patience_s=VERB_PATIENCE_S) for _ in range(_ASKS)
    )
    least_s, most_s = min(asked, key=lambda each: each[1] - each[0])
    return timedelta(seconds=-least_s if least_s > 0 else max(0.0, -most_s))


def _ahead_s(connection: Connection, wall: Callable[[], datetime]) -> tuple[float, float]:
    """How far this host's clock is ahead of the database's: at least and at most."""
    asked = wall()
    row = connection.execute("select clock_timestamp()").fetchone()
    told = wall()
    there = row[0] if row is not None else None
    if not isinstance(there, datetime):
        raise StateError("the database does not tell the time")
    return (asked - there).total_seconds(), (told - there).total_seconds()
