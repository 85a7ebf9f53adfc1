"""How processes end, and what is given up on: exit codes, `timed_out` and `deferred` against what the journal shows."""

from collections import Counter
from datetime import timedelta

from judge.rule import Found, Rule, Violation
from soak.standing import Fleetwide
from soak.trial import Evidence

from orchestrator.errors import ExitCode
from orchestrator.model.outcome import Outcome
from orchestrator.model.record import (
    AnswerSeen,
    FollowTimedOut,
    HoldReleased,
    HoldSet,
    Postponed,
    Record,
    ScopeGivenUp,
    ScopeOpened,
    SessionEnded,
    SessionStarted,
    Settled,
    WaveApproved,
)

_TINY = timedelta(milliseconds=1)

_TURNED_AWAY = frozenset({"throttled", "unauthenticated", "not_sent"})
_GOOD = frozenset({"succeeded", "accepted", "already"})


def ends(evidence: Evidence) -> Found:
    """Every rule about ends."""
    if evidence.endless:
        yield Violation(Rule.ENDS, f"still not at its end after {len(evidence.processes)} processes")
    for process in evidence.processes:
        if process.how in ("stuck", "broken"):
            yield Violation(Rule.ENDS, f"process {process.number}: {process.why}")
    reader = _Reader(evidence)
    for record in evidence.told:
        yield from reader.read(record)


class _Reader:
    """What a reader of the journal knows when a session ends."""

    def __init__(self, evidence: Evidence) -> None:
        self.plan = evidence.fleet.plan
        self.raised = any(process.raised for process in evidence.processes)
        self.fleet = Fleetwide(self.plan)
        self.held = False
        self.given_up: set[str] = set()
        self.busy_from: dict[str | None, Record] = {}
        self.turned_away: Counter[str | None] = Counter()

    def read(self, record: Record) -> Found:
        self.fleet.take(record)
        match record:
            case SessionStarted():
                self.given_up.clear()
            case ScopeGivenUp():
                self.given_up.add(record.scope)
            case ScopeOpened():
                self.given_up.discard(record.scope)
            case HoldSet():
                self.held = True
            case HoldReleased() | WaveApproved():
                self.held = False
            case SessionEnded():
                yield from self._session(record)
            case _:
                yield from self._target(record)

    def _session(self, record: SessionEnded) -> Found:
        words = [each.word for each in self.fleet.targets.values()]
        settled = all(each.outcome is not None for each in self.fleet.targets.values())
        stuck = any(word in ("in_doubt", "timed_out") for word in words)
        open_now = any(each.is_open for each in self.fleet.targets.values())
        fits = {
            ExitCode.DONE: settled and not self.held and all(word in _GOOD for word in words),
            ExitCode.OTHER_OUTCOMES: settled and not self.held and not all(word in _GOOD for word in words),
            ExitCode.HELD: self.held and (settled or not self.given_up),
            ExitCode.MORE_TO_DO: not settled and not self.held and not self.given_up,
            ExitCode.PERSON_NEEDED: not settled and not self.held and not self.given_up and (stuck or open_now),
            ExitCode.SCOPE_UNUSABLE: not settled and bool(self.given_up),
            ExitCode.INTERNAL: self.raised,
        }
        if not fits.get(ExitCode(record.exit_code), False):
            yield Violation(
                Rule.ENDS, f"exit {record.exit_code} ({record.why}): held {self.held}, {sorted(set(words))}"
            )

    def _target(self, record: Record) -> Found:
        match record:
            case Postponed(busy=True):
                self.busy_from.setdefault(record.target, record)
            case AnswerSeen():
                away = record.verdict in _TURNED_AWAY
                self.turned_away[record.target] = self.turned_away[record.target] + 1 if away else 0
            case FollowTimedOut():
                yield from self._timed_out(record)
            case Settled(outcome=Outcome.DEFERRED):
                yield from self._deferred(record)
            case _:
                pass

    def _timed_out(self, record: FollowTimedOut) -> Found:
        """Nothing is followed from earlier than its intent."""
        each = self.fleet.targets[record.target or ""]
        since = each.intent.at if each.intent else record.at
        if record.at < since + timedelta(seconds=self.plan.follow.timeout_s) - _TINY:
            yield Violation(Rule.ENDS, f"{record.target} is timed out after {record.at - since}")

    def _deferred(self, record: Settled) -> Found:
        """Busy for `busy_for`, until a window closed, or turned away at every one of its attempts."""
        if self.turned_away[record.target] >= self.plan.retry.attempts:
            return
        since = self.busy_from.get(record.target)
        waited = record.at - since.at if since else timedelta()
        if not self.plan.windows and waited < timedelta(seconds=self.plan.retry.busy_for_s) - _TINY:
            yield Violation(Rule.ENDS, f"{record.target} is deferred after {waited}")
