"""Whether an upgrade may start at an instant, by the calendar; with `fit`, also whether it should end in time."""

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

from fakes.nights import forbidden
from judge.known import Known
from judge.rule import Found, Rule, Violation
from judge.session import Readings

from orchestrator.model.plan.plan import Plan
from orchestrator.model.record import record as r

#: A duration that was seen counts when it is on disk, which is a moment after its record.
_DISK = timedelta(seconds=1)

_MINUTE = timedelta(minutes=1)


class Fit:
    """Learns from the journal how long upgrades take: the median of what was seen, at first what the plan expects."""

    def __init__(self, plan: Plan, met: Counter[str], readings: Readings) -> None:
        self._readings = readings
        self._plan = plan
        self._met = met
        self._seen: list[float] = []
        #: From when on which duration was expected, in seconds.
        self._expected: list[tuple[datetime | None, float]] = [(None, plan.follow.expected_s)]

    def learn(self, known: Known, record: r.JobSeen) -> None:
        """A job has ended."""
        if known.accepted_at is None or record.status.lower() != "completed":
            return
        seconds = (record.at - known.accepted_at).total_seconds()
        if record.ended_at is not None:
            told = (record.ended_at - known.accepted_at).total_seconds() - known.offset_s
            seconds = min(seconds, told) if told > 0 else seconds
        self._seen = sorted([*self._seen, seconds])
        median = self._seen[len(self._seen) // 2]
        self._expected.append((record.at, min(median, self._plan.follow.timeout_s)))

    def check(self, known: Known, at: datetime) -> Found:
        """A target is sent now."""
        problem = self._forbidden(known, at)
        if problem is not None:
            yield Violation(Rule.TIME, problem)
        elif self._plan.windows and self._plan.fit:
            yield from self._ends_in_time(known, at)

    def _ends_in_time(self, known: Known, at: datetime) -> Found:
        ends = at + timedelta(seconds=self._shortest(at))
        whole = int((ends - at) / _MINUTE)
        instants = [*(at + number * _MINUTE for number in range(1, whole + 1)), ends - timedelta(seconds=1)]
        closed = next((each for each in instants if self._forbidden(known, each)), None)
        if closed is not None:
            yield Violation(Rule.TIME, f"expected to last until {ends}, but closed at {closed}")
        self._met["starts that fit"] += 1

    def _forbidden(self, known: Known, at: datetime) -> str | None:
        """Why nothing may happen then, whatever the calendar shows."""
        problems = [forbidden(self._plan, known.target, reading) for reading in self._readings(at)]
        return problems[0] if all(problems) else None

    def _shortest(self, at: datetime) -> float:
        """What is expected now, or was just before."""
        replaced = [seconds for (_, seconds), (until, _) in pairwise(self._expected) if until and until >= at - _DISK]
        return min([*replaced, self._expected[-1][1]])
