"""What the page says of the targets: gathered while they are written elsewhere, so that a million are never held."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.model.outcome import FAILED_BEFORE, GOOD
from orchestrator.tracker.report.behind import NAMED
from orchestrator.tracker.report.schema import Head, TargetReport

#: So many targets have a row; of more, those that did not end well come before those that did.
ROWS = 5000
_GOOD = frozenset(outcome.value for outcome in GOOD)
#: What a person looks at first: what may stand half done, then what broke, then what was refused.
_URGENCY = {"in_doubt": 0, "timed_out": 0, "failed": 1, "mismatch": 1, "partial": 2, "rejected": 3}


@dataclass(slots=True)
class Content:
    """What is kept of the targets.

    Attributes:
        rows: targets that are shown, in plan order.
        left_out: how many targets have no row.
        first_bad: the first of those that did not end well, of each urgency.
        scopes: how many targets of each scope have which outcome.
        spans: first intent and end of each upgrade; no end while it is open.
        ends: end, wave and outcome of those that did not end well.
        durations: seconds from the first intent to the end, of those that ended well.
        room: how many that ended well still get a row.
    """

    rows: list[TargetReport] = field(default_factory=list)
    left_out: int = 0
    first_bad: dict[int, list[TargetReport]] = field(default_factory=dict)
    scopes: dict[str, Counter[str]] = field(default_factory=dict)
    spans: list[tuple[datetime, datetime | None]] = field(default_factory=list)
    ends: list[tuple[datetime, str | None, str]] = field(default_factory=list)
    durations: list[float] = field(default_factory=list)
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


def _keep(found: Content, target: TargetReport) -> None:
    good = is_good(target)
    if len(found.rows) < ROWS and (found.room > 0 or not good):
        found.rows.append(target)
        found.room -= good
    else:
        found.left_out += 1


def _count(found: Content, target: TargetReport) -> None:
    found.scopes.setdefault(target.scope, Counter())[target.outcome] += 1
    good = is_good(target)
    if not good and target.outcome != "waiting":
        urgent = found.first_bad.setdefault(_URGENCY.get(really(target), len(_URGENCY)), [])
        urgent.extend([target] if len(urgent) < NAMED else [])
    if target.started_at is not None:
        found.spans.append((target.started_at, target.settled_at))
    if target.settled_at is None:
        return
    if not good:
        found.ends.append((target.settled_at, target.wave, target.outcome))
    elif target.started_at is not None:
        found.durations.append((target.settled_at - target.started_at).total_seconds())


def _not_good(head: Head) -> int:
    return sum(count for outcome, count in head.totals.outcomes.items() if outcome not in _GOOD)
