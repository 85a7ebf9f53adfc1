"""What one run saw, as far as a comparison needs it: the report may be let go of before the next one is read."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct

from orchestrator.model.record.outcome import FAILED_BEFORE, GOOD, Outcome
from orchestrator.tracker.report.build import Story
from orchestrator.tracker.report.compare.comparison_schema import CallsThen, Lengths, Said, Side
from orchestrator.tracker.report.schema import Head, RejectReason, TargetReport

#: Outcomes of targets that were never looked at; the others that are no outcome have not ended.
_UNSEEN = frozenset({Outcome.NOT_STARTED.value})
_ENDS = frozenset(outcome.value for outcome in Outcome) - _UNSEEN
_GOOD = frozenset(outcome.value for outcome in GOOD)


class Witness(Struct, frozen=True):
    """One run.

    Attributes:
        fleet: its name.
        side: the run as a whole.
        said: what it says of each proxy that it looked at itself, in plan order.
        kept: proxies of which it only keeps what an earlier run said.
        names: of the instances of proxies, where discovery learned them.
        rejects: reasons of the cloud to refuse.
        scopes: calls by scope.
    """

    fleet: str
    side: Side
    said: Mapping[str, Said]
    kept: Collection[str]
    names: Mapping[str, str]
    rejects: Sequence[RejectReason]
    scopes: Mapping[str, CallsThen]

    def has(self, proxy_id: str) -> bool:
        """Whether its report has this proxy at all."""
        return proxy_id in self.said or proxy_id in self.kept


def witness_of(story: Story, kept: Collection[str]) -> Witness:
    """Read a report. It reads the targets of `story`.

    Args:
        story: the report.
        kept: proxies of which the run only keeps what an earlier one said.
    """
    said: dict[str, Said] = {}
    names: dict[str, str] = {}
    seconds: list[float] = []
    asked = 0
    for target in story.targets:
        if target.proxy_id in kept:
            continue
        said[target.proxy_id] = Said(outcome=target.outcome, reason=target.reason)
        asked += bool(target.attempts)
        if target.facts is not None and target.facts.both:
            names[target.proxy_id] = target.facts.both
        seconds += _seconds(target)
    side = _side(story.head, said.values(), len(kept), asked, seconds)
    scopes = {
        each.name: CallsThen(calls=each.calls, throttled=each.throttled, rate_attained=each.rate_attained)
        for each in story.head.scopes
    }
    return Witness(story.head.run.name, side, said, kept, names, story.head.reject_reasons, scopes)


def ended(said: Said) -> bool:
    """Whether the run saw how it ended: one that was left out for what an earlier run said was not looked at."""
    return said.outcome in _ENDS and said.reason != FAILED_BEFORE


def ended_well(said: Said) -> bool:
    """Whether it needs nothing."""
    return said.outcome in _GOOD


def _side(head: Head, said: Iterable[Said], kept: int, asked: int, seconds: list[float]) -> Side:
    run, totals = head.run, head.totals
    found = Counter(each.outcome for each in said)
    return Side(
        run_id=run.run_id,
        state=run.state,
        exit_code=run.exit_code,
        simulated=run.simulated,
        target_version=run.target_version,
        plan_sha256=run.plan_sha256,
        started_at=run.started_at,
        ended_at=run.ended_at,
        sessions=run.sessions,
        targets=totals.targets,
        kept=kept,
        asked=asked,
        outcomes={name: found[name] for name in totals.outcomes if found[name]},
        calls=totals.calls,
        upgrade_calls=totals.upgrade_calls,
        throttled=totals.throttled,
        lengths=_lengths(sorted(seconds)),
    )


def _seconds(target: TargetReport) -> Iterable[float]:
    if target.outcome in _GOOD and target.started_at is not None and target.settled_at is not None:
        yield (target.settled_at - target.started_at).total_seconds()


def _lengths(ordered: Sequence[float]) -> Lengths | None:
    if not ordered:
        return None
    return Lengths(
        upgrades=len(ordered),
        median=ordered[len(ordered) // 2],
        nine_of_ten=ordered[len(ordered) * 9 // 10],
        most=ordered[-1],
    )
