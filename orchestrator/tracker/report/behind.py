"""Which proxies do not run the target version although the run is done: why, and what to do about each."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from orchestrator.model.outcome import FAILED_BEFORE, Outcome
from orchestrator.spoken import counted
from orchestrator.tracker.report.schema import Head, TargetReport

#: So many are named; the report has them all.
NAMED = 20

#: What begins again only when a person asks for it.
ASKED_FOR = (Outcome.REJECTED.value, Outcome.FAILED.value, Outcome.MISMATCH.value)
_REDO = "then redo"
_TO_DO = {
    Outcome.REJECTED.value: f"remove the cause, {_REDO}",
    Outcome.FAILED.value: f"look at it now: are its nodes ACTIVE, is the application connected? {_REDO}",
    Outcome.MISMATCH.value: f"see in the console which version it runs, {_REDO}",
    Outcome.PARTIAL.value: "see in the console whether it was upgraded; the next run looks again",
    Outcome.DEFERRED.value: "the next run takes it by itself",
    Outcome.NOT_STARTED.value: "the next run takes it by itself",
    "drifted": "correct source_version, or exclude it",
    "not_offered": "did you mean the version on offer? correct target_version, or wait until it is offered",
    "not_upgradable": "find out in the console why, or exclude it",
    "gone": "correct its ids or the project_id, or take it out of the plan",
}


class Behind(Struct, frozen=True, kw_only=True):
    """Targets that do not run the target version.

    Attributes:
        first: up to `NAMED` of them.
        places: where the plan says what is wrong with one, such as `plan.yaml:12:5`, by its proxy_id.
    """

    first: Sequence[TargetReport] = ()
    places: Mapping[str, str] = {}


def behind_lines(head: Head, behind: Behind) -> Iterator[str]:
    """How many run the target version, and each that does not, with what to do."""
    outcomes = head.totals.outcomes
    there = outcomes.get(Outcome.SUCCEEDED.value, 0) + outcomes.get(Outcome.ALREADY.value, 0)
    unseen = outcomes.get(Outcome.ACCEPTED.value, 0)
    missing = head.totals.targets - there - unseen
    more = f", {unseen} were accepted and not looked at" if unseen else ""
    yield f"{there} of {head.totals.targets} run {head.run.target_version}{more}; {counted(missing, 'does', 'do')} not:"
    yield from (_line(target, behind.places.get(target.proxy_id)) for target in behind.first)
    if missing > len(behind.first):
        yield f"  and {missing - len(behind.first)} more, in the report"


def to_redo(head: Head, behind: Behind) -> list[str]:
    """The outcomes that `--only-outcome` takes, of those that there are."""
    found = {_really(target)[0] for target in behind.first} | head.totals.outcomes.keys()
    return [outcome for outcome in ASKED_FOR if outcome in found]


def advice(reason: str) -> str:
    """What to do about a proxy that is left out for this reason, or ended with this outcome."""
    return _TO_DO.get(reason, "look at it")


def _line(target: TargetReport, place: str | None) -> str:
    outcome, reason, since = _really(target)
    name = f" {target.facts.name}" if target.facts and target.facts.name else ""
    why = f": {reason}" if reason else ""
    found = target.evidence[-1] if target.evidence and outcome == Outcome.SKIPPED else None
    jobs = f" (workflow {', '.join(_workflows(target))})" if _workflows(target) else ""
    words = f"{outcome:<10}{name} {target.proxy_id}{why}{f', {found}' if found else ''}{jobs}{since}"
    to_do = _TO_DO.get(reason or "") or advice(outcome)
    return f"  {f'{place}: ' if place else ''}{words} -> {to_do}"


def _really(target: TargetReport) -> tuple[str, str | None, str]:
    """Outcome, reason and since when: of the earlier run, when this one left it out for that."""
    if target.reason == FAILED_BEFORE and target.earlier is not None:
        return target.earlier.outcome, target.earlier.reason, f", in run {target.earlier.run_id}"
    return target.outcome, target.reason, ""


def _workflows(target: TargetReport) -> Sequence[str]:
    left_out = target.reason == FAILED_BEFORE and target.earlier is not None
    return target.earlier.workflow_ids if left_out and target.earlier else target.workflow_ids
