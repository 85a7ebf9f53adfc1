"""What the page says of the targets: gathered while they are written elsewhere, so that a million are never held."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec

from orchestrator.model.record.outcome import FAILED_BEFORE, GOOD, Phase
from orchestrator.tracker.report.behind import NAMED
from orchestrator.tracker.report.parts.upgrade import AttemptReport
from orchestrator.tracker.report.schema import Head, TargetReport

#: So many targets have a row; of more, those that did not end well come before those that did.
ROWS = 5000
_GOOD = frozenset(outcome.value for outcome in GOOD)
#: What a person looks at first, behind what needs one: what broke, then what was refused, then what was left.
_URGENCY = {"failed": 1, "mismatch": 1, "partial": 2, "rejected": 3}
_OTHER, _MOVING, _WAITING, _DONE = 4, 5, 6, 7
#: Where targets stand of which the program itself finds out what becomes of them.
_MOVES = frozenset({"in_flight", "in_doubt", "timed_out"})
#: Answers after which an attempt has no slot any more, though another one follows.
_LET_GO = frozenset({"throttled", "unauthenticated", "not_sent", "busy"})


class Content(msgspec.Struct):
    """What is kept of the targets.

    Attributes:
        rows: targets that are shown, in plan order.
        left_out: how many targets have no row.
        first_bad: the first of those that did not end well, of each urgency.
        moving: the first of those of which a session finds out what becomes of them.
        doubts: how many are in doubt and still looked for.
        before: how many are left out for what an earlier run said, by that.
        scopes: how many targets of each scope have which outcome.
        spans: from when to when each attempt had a slot; no end while it has one.
        ends: when, wave and outcome of those that did not end well, or are in doubt.
        durations: seconds from the first intent to the end, of those that ended well.
        room: how many that ended well still get a row.
    """

    rows: list[TargetReport] = []
    left_out: int = 0
    first_bad: dict[int, list[TargetReport]] = {}
    moving: list[TargetReport] = []
    doubts: int = 0
    before: Counter[str] = msgspec.field(default_factory=Counter)
    scopes: dict[str, Counter[str]] = {}
    spans: list[tuple[datetime, datetime | None]] = []
    ends: list[tuple[datetime, str | None, str]] = []
    durations: list[float] = []
    room: int = ROWS

    @property
    def bad(self) -> list[TargetReport]:
        """The first of those that did not end well, the most urgent before the others."""
        return [target for urgency in sorted(self.first_bad) for target in self.first_bad[urgency]][:NAMED]

    def passing(self, targets: Iterable[TargetReport]) -> Iterator[TargetReport]:
        """The same targets, gathered as they go by."""
        for target in targets:
            _count(self, target)
            _keep(self, target)
            yield target


def empty_content(head: Head) -> Content:
    """Nothing yet of the targets of a report with this head."""
    return Content(room=max(0, ROWS - _not_good(head)) if head.totals.targets > ROWS else ROWS)


def content_of(targets: Iterable[TargetReport], head: Head) -> Content:
    """Go through the targets once."""
    found = empty_content(head)
    for _target in found.passing(targets):
        pass
    return found


def is_good(target: TargetReport) -> bool:
    """Whether it needs nothing: also not for what an earlier run said."""
    return target.outcome in _GOOD


def really(target: TargetReport) -> str:
    """Its outcome: of the earlier run, when this one left it out for that."""
    if target.reason == FAILED_BEFORE and target.earlier is not None:
        return target.earlier.outcome
    return target.outcome


def urgency(target: TargetReport) -> int:
    """What a person looks at before what: the lower the earlier."""
    if target.needs_person:
        return 0
    if target.outcome in _MOVES:
        return _MOVING
    if target.outcome == Phase.WAITING:
        return _WAITING
    return _DONE if is_good(target) else _URGENCY.get(really(target), _OTHER)


def is_told(target: TargetReport) -> bool:
    """Whether its story stands under its row at once, also on paper: it did not end well, or has not ended."""
    return urgency(target) < _WAITING


def _keep(found: Content, target: TargetReport) -> None:
    good = is_good(target)
    if len(found.rows) < ROWS and (found.room > 0 or not good):
        found.rows.append(target)
        found.room -= good
    else:
        found.left_out += 1


def _count(found: Content, target: TargetReport) -> None:
    found.scopes.setdefault(target.scope, Counter())[target.outcome] += 1
    _note(found, target)
    found.spans.extend(_spans(target))
    at = _not_well_at(target)
    if at is not None:
        found.ends.append((at, target.wave, target.outcome))
    if is_good(target) and target.settled_at is not None and target.started_at is not None:
        found.durations.append((target.settled_at - target.started_at).total_seconds())


def _note(found: Content, target: TargetReport) -> None:
    """Remember it among the first of its urgency."""
    urgent = urgency(target)
    if target.outcome == Phase.IN_DOUBT and not target.needs_person:
        found.doubts += 1
    if really(target) != target.outcome:
        found.before[really(target)] += 1
    if urgent >= _WAITING:
        return
    first = found.moving if urgent == _MOVING else found.first_bad.setdefault(urgent, [])
    first.extend([target] if len(first) < NAMED else [])


def _not_well_at(target: TargetReport) -> datetime | None:
    """When it ended otherwise than well, or came into doubt; None where it did not."""
    if target.stuck_at is not None and target.needs_person:
        return target.stuck_at
    if target.outcome == Phase.IN_DOUBT and target.attempts:
        return target.attempts[-1].at
    return None if is_good(target) else target.settled_at


def _spans(target: TargetReport) -> Iterator[tuple[datetime, datetime | None]]:
    """From when to when each of its attempts had a slot, as the limit counts them."""
    for attempt, following in pairwise(target.attempts):
        yield attempt.at, _answered(attempt) if attempt.verdict in _LET_GO else following.at
    for last in target.attempts[-1:]:
        yield last.at, _answered(last) if target.outcome == Phase.WAITING else target.settled_at


def _answered(attempt: AttemptReport) -> datetime:
    return attempt.at + timedelta(milliseconds=attempt.duration_ms or 0)


def _not_good(head: Head) -> int:
    return sum(count for outcome, count in head.totals.outcomes.items() if outcome not in _GOOD)
