"""Attempts of one target: whether its next one might be sent, and whether one that began nothing was shown to."""

from collections.abc import Iterator
from datetime import timedelta

from judge.known import Fleet, Known
from judge.rule import Found, Rule, Violation
from judge.session import Session

from orchestrator.model.plan.plan import Plan
from orchestrator.model.record import record as r

#: What was read before an attempt may be this old; at slow rates a few calls' time. And the time to write it down.
_FRESH_S, _FRESH_CALLS, _WRITING_S = 60.0, 3, 2.0

#: Instants of records have microseconds.
_TINY = timedelta(microseconds=10)


class Attempts:
    """Every intent against what the journal says of its target and of the session."""

    def __init__(self, plan: Plan, fleet: Fleet) -> None:
        self._plan = plan
        self._fleet = fleet
        self._tokens: set[str] = set()

    def intent(self, known: Known, record: r.Intent, session: Session | None) -> Found:
        """An intent that is not counted yet."""
        for problem in self._own(known, record):
            yield Violation(Rule.INTENT, problem)
        for problem in (*self._preflight(known, record), *_bounds(record, session)):
            yield Violation(Rule.TIME, problem)
        self._tokens.add(record.token)

    def _own(self, known: Known, record: r.Intent) -> Iterator[str]:
        if known.settled_at:
            yield "sent after it was settled"
        if known.open:
            yield "sent beside an open attempt"
        if known.doubt:
            yield "sent in doubt"
        if record.attempt != len(known.intents) + 1:
            yield f"wrongly numbered: {record.attempt} after {len(known.intents)}"
        if record.token in self._tokens:
            yield f"token {record.token} was used before"

    def _preflight(self, known: Known, record: r.Intent) -> Iterator[str]:
        read = known.preflight
        if read is None or read.current_version != record.source_version:
            yield f"no preflight read {record.source_version}"
        elif record.at - read.at > self._fresh_for(known):
            yield f"the preflight is too old: {record.at - read.at}"

    def _fresh_for(self, known: Known) -> timedelta:
        scope = self._fleet.scope_of(known)
        rate = self._plan.limits.rate if scope.rate is None else scope.rate
        per_s = 1.0 if rate == "auto" else rate
        return timedelta(seconds=max(_FRESH_S, _FRESH_CALLS / per_s) + _WRITING_S)

    def disproved(self, known: Known, record: r.AttemptDisproved) -> Found:
        """It did not begin, says the journal."""
        period = timedelta(seconds=max(self._plan.retry.resend_after_s, 2 * self._plan.http.timeout_s))
        if not known.doubt:
            yield Violation(Rule.DISPROVED, "disproved without a doubt")
        if record.at < known.intents[-1].at + period - _TINY:
            waited = record.at - known.intents[-1].at
            yield Violation(Rule.DISPROVED, f"disproved after {waited}, before the doubt period has passed")
        if len(known.intents) >= self._plan.retry.attempts:
            yield Violation(Rule.DISPROVED, f"disproved after {len(known.intents)} attempts: no more are allowed")


def _bounds(record: r.Intent, session: Session | None) -> Iterator[str]:
    if session is None:
        yield "no session has begun"
        return
    for why, instant in session.no_starts_from.items():
        if record.at >= instant + _TINY:
            yield f"{why}: {instant}"
