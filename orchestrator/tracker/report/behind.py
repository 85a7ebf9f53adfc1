"""Which proxies do not run the target version although the run is done: why, and what to do about each."""

from collections.abc import Container, Iterator, Mapping, Sequence

from msgspec import Struct

from orchestrator.model.record.outcome import BAD, FAILED_BEFORE, GOOD, Outcome
from orchestrator.spoken import counted
from orchestrator.tracker.report.schema import Head, TargetReport, Totals

#: So many are named; the report has them all.
NAMED = 20

#: A mistake of the plan about many proxies: it is told once.
NOT_OFFERED = "not_offered"

#: What a new run takes by itself.
_TAKEN = (Outcome.NOT_STARTED, Outcome.DEFERRED, Outcome.PARTIAL)
#: What begins again only when a person asks for it.
ASKED_FOR = (Outcome.REJECTED.value, Outcome.FAILED.value, Outcome.MISMATCH.value)
_TO_DO = {
    Outcome.REJECTED.value: "remove the cause, then{redo}",
    Outcome.FAILED.value: "look at it now: are its nodes ACTIVE, is the application connected? then{redo}",
    Outcome.MISMATCH.value: "see in the console which version it runs, then{redo}",
    Outcome.PARTIAL.value: "see in the console whether it was upgraded; the next run looks again",
    Outcome.DEFERRED.value: "the next run takes it by itself",
    Outcome.NOT_STARTED.value: "the next run takes it by itself",
    "drifted": "correct source_version, or exclude it",
    NOT_OFFERED: "did you mean the version on offer? correct target_version, or wait until it is offered",
    "not_upgradable": "find out in the console why, or exclude it",
    "gone": "correct its ids or the project_id, or take it out of the plan",
}


#: What is known of targets of which the version was not read.
_TAKEN_FOR = {"accepted": "accepted", "completed": "completed", "settled": "settled by a person"}


class Behind(Struct, frozen=True, kw_only=True):
    """Targets that do not run the target version.

    Attributes:
        first: up to `NAMED` of them, without those for which the version is not on offer.
        not_offered: how many those are, by what the cloud offers them.
        version_place: where the plan asks for the version, such as `plan.yaml:7:3`.
        places: where the plan says what is wrong with one of the first, by its proxy_id.
        meant: what was probably meant by what is wrong there, by proxy_id.
    """

    first: Sequence[TargetReport] = ()
    not_offered: Mapping[str, int] = {}
    version_place: str | None = None
    places: Mapping[str, str] = {}
    meant: Mapping[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self.first or self.not_offered)


def behind_lines(head: Head, behind: Behind) -> Iterator[str]:
    """How many run the target version, and each that does not, with what to do."""
    totals, version = head.totals, head.run.target_version
    missing = totals.targets - count_good(totals)
    more = f", {words}" if (words := not_read_words(totals.not_read)) else ""
    are = counted(missing, "is", "are")
    yield f"{count_there(totals):,} of {totals.targets:,} run {version}{more}; {are} not known to run it:"
    for found, number in behind.not_offered.items():
        yield f"  {not_offered_line(head.run.target_version, number, found, behind.version_place)}"
    yield from named_lines(behind)
    others = missing - len(behind.first) - sum(behind.not_offered.values())
    if others > 0:
        yield f"  and {others} more, in the report"


def named_lines(behind: Behind, without: Container[str] = ()) -> Iterator[str]:
    """Each of the first, with what to do; `without`: proxies that are named elsewhere."""
    for target in behind.first:
        if target.proxy_id not in without:
            yield _line(target, behind.places.get(target.proxy_id), behind.meant.get(target.proxy_id))


def count_there(totals: Totals) -> int:
    """How many were read at the target version or a newer one."""
    return count_good(totals) - sum(totals.not_read.values())


def count_good(totals: Totals) -> int:
    """How many ended well, also those of which nobody has read the version."""
    return sum(totals.outcomes.get(outcome.value, 0) for outcome in GOOD)


def count_bad(totals: Totals) -> int:
    """How many ended otherwise than well."""
    return sum(totals.outcomes.get(outcome.value, 0) for outcome in BAD)


def not_read_words(not_read: Mapping[str, int]) -> str:
    """How many ended well without a look at their version, by what is known of them; empty when there are none."""
    words = " and ".join(f"{count:,} {_TAKEN_FOR[known]}" for known, count in not_read.items())
    return f"{words} without a look at the version" if words else ""


def not_offered_line(version: str, number: int, found: str, place: str | None) -> str:
    """That the version is not on offer for so many proxies, with what is, and where the plan asks for it."""
    what = f"target_version {version} of {counted(number, 'proxy', 'proxies')}"
    return mistake_line(NOT_OFFERED, what, found, place)


def mistake_line(reason: str, what: str, found: str, place: str | None) -> str:
    """What is wrong in the plan, at which place of it, and what to do."""
    return f"{f'{place}: ' if place else ''}{what}: {found} -> {advice(reason)}"


def to_redo(head: Head, behind: Behind) -> list[str]:
    """The outcomes that `--only-outcome` takes, of those that there are."""
    found = {_really(target)[0] for target in behind.first} | head.totals.outcomes.keys()
    return [outcome for outcome in ASKED_FOR if outcome in found]


def taken_words(outcomes: Mapping[str, int]) -> str:
    """For whom a plain start is, beside those that a person has to ask for; empty without any."""
    number = sum(outcomes.get(outcome.value, 0) for outcome in _TAKEN)
    return f"for {counted(number, 'other', 'others')}, which a run takes by itself" if number else ""


def advice(reason: str, redo: str = " redo") -> str:
    """What to do about a proxy that is left out for this reason, or ended with this outcome.

    Args:
        reason: why it was left out, or its outcome.
        redo: how to begin again with it, with what parts it from the word "then".
    """
    return _TO_DO.get(reason, "look at it").format(redo=redo)


def _line(target: TargetReport, place: str | None, meant: str | None) -> str:
    outcome, reason, since = _really(target)
    name = f" {target.called}" if target.called else ""
    why = f": {reason}" if reason else ""
    found = target.evidence[-1] if target.evidence and outcome == Outcome.SKIPPED else None
    untold = [each for each in _workflows(target) if each not in (reason or "")]
    jobs = f" (workflow {', '.join(untold)})" if untold else ""
    seen = "; ".join(filter(None, (found, meant)))
    words = f"{outcome:<10}{name} {target.proxy_id}{why}{f', {seen}' if seen else ''}{jobs}{since}"
    return f"  {f'{place}: ' if place else ''}{words} -> {advice(reason if reason in _TO_DO else outcome)}"


def _really(target: TargetReport) -> tuple[str, str | None, str]:
    """Outcome, reason and since when: of the earlier run, when this one left it out for that."""
    if target.reason == FAILED_BEFORE and target.earlier is not None:
        return target.earlier.outcome, target.earlier.reason, f", in run {target.earlier.run_id}"
    return target.outcome, target.reason, ""


def _workflows(target: TargetReport) -> Sequence[str]:
    left_out = target.reason == FAILED_BEFORE and target.earlier is not None
    return target.earlier.workflow_ids if left_out and target.earlier else target.workflow_ids
