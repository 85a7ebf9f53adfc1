"""Whether more started in a window than `limits.per_window` allows, counted from the journal of all sessions."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta

from fakes.nights import openings

from orchestrator.model.plan.plan import Plan
from orchestrator.model.record import record as r

_NO_TIME = timedelta()


def per_window_violations(plan: Plan, records: Sequence[r.Record], ahead: timedelta = _NO_TIME) -> Iterator[str]:
    """Every attempt that was one too many.

    Args:
        plan: the rules; days are those of UTC.
        records: of the whole run.
        ahead: how far the calendar is ahead of their instants.
    """
    most = plan.limits.per_window
    if most is None:
        return
    made: Counter[str] = Counter()
    for record in records:
        if not isinstance(record, r.Intent):
            continue
        for span in openings(plan, record.at + ahead):
            made[span] += 1
            if made[span] > most:
                yield f"{record} is number {made[span]} of {most} in {span}"
