"""How sessions end, and what is given up on: exit codes, `timed_out` and `deferred` against what the journal shows."""

from collections import Counter
from datetime import timedelta

from judge.known import Fleet, Known
from judge.rule import Found, Rule, Violation

from orchestrator.errors import ExitCode
from orchestrator.model.plan.plan import Plan
from orchestrator.model.record import record as r
from orchestrator.model.record.capacity import SubnetRead, subnet_of
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import Record

_TINY = timedelta(milliseconds=1)

_TURNED_AWAY = frozenset({"throttled", "unauthenticated", "not_sent"})
_GOOD = frozenset({"succeeded", "accepted", "already"})


class Ends:
    """What a reader of the journal knows when something ends."""

    def __init__(self, plan: Plan, fleet: Fleet) -> None:
        self._plan = plan
        self._fleet = fleet
        self._given_up: set[str] = set()
        self._unread = False
        self._busy_from: dict[str | None, Record] = {}
        self._turned_away: Counter[str | None] = Counter()
        self._counted_from: dict[str, Record] = {}

    def session_began(self) -> None:
        self._given_up.clear()
        self._unread = False

    def scope(self, record: r.ScopeGivenUp | r.ScopeOpened) -> None:
        (self._given_up.add if isinstance(record, r.ScopeGivenUp) else self._given_up.discard)(record.scope)

    def subnet(self, record: SubnetRead) -> None:
        """The first reading of a subnet that says how many addresses it has."""
        if record.free is not None:
            self._counted_from.setdefault(record.subnet_id, record)

    def session(self, record: r.SessionEnded, *, held: bool, raised: bool) -> Found:
        """Whether the exit code fits where the targets stand."""
        everybody = self._fleet.everybody
        words = {known.standing for known in everybody}
        settled, good = self._fleet.settled, words <= _GOOD
        on = not settled and not held and not self._given_up
        fits = {
            ExitCode.DONE: settled and not held and good,
            ExitCode.OTHER_OUTCOMES: settled and not held and not good,
            ExitCode.HELD: held and (settled or not self._given_up),
            ExitCode.MORE_TO_DO: on,
            ExitCode.PERSON_NEEDED: on and any(known.stuck or known.open for known in everybody),
            ExitCode.SCOPE_UNUSABLE: not settled and (bool(self._given_up) or self._unread),
            ExitCode.INTERNAL: raised,
        }
        if not fits.get(ExitCode(record.exit_code), False):
            yield Violation(Rule.ENDS, f"exit {record.exit_code} ({record.why}): held {held}, {sorted(words)}")

    def take(self, known: Known, record: Record) -> Found:
        """One more record of a target, not counted yet."""
        match record:
            case r.Postponed(busy=True):
                self._busy_from.setdefault(record.target, record)
            case r.AnswerSeen():
                away = record.verdict in _TURNED_AWAY
                self._turned_away[record.target] = self._turned_away[record.target] + 1 if away else 0
            case r.NotReverified():
                self._unread = True
            case r.FollowTimedOut():
                yield from self._timed_out(known, record)
            case r.Settled(outcome=Outcome.DEFERRED):
                yield from self._deferred(record)
            case _:
                pass

    def _timed_out(self, known: Known, record: r.FollowTimedOut) -> Found:
        """Nothing is followed from earlier than its intent."""
        since = known.intents[-1].at if known.intents else record.at
        if record.at < since + timedelta(seconds=self._plan.follow.timeout_s) - _TINY:
            yield Violation(Rule.ENDS, f"timed out after {record.at - since}")

    def _deferred(self, record: r.Settled) -> Found:
        """Busy, or short of addresses, for `busy_for`; until a window closed; or turned away at all of its attempts."""
        if self._turned_away[record.target] >= self._plan.retry.attempts:
            return
        if record.reason == "insufficient subnet addresses":  # no call of its own says so
            since = self._counted_from.get(subnet_of(self._fleet.targets[record.target or ""].target) or "")
        else:
            since = self._busy_from.get(record.target)
        waited = record.at - since.at if since else timedelta()
        if not self._plan.windows and waited < timedelta(seconds=self._plan.retry.busy_for_s) - _TINY:
            yield Violation(Rule.ENDS, f"deferred after {waited}")
