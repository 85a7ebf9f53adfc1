"""The oracle finds out every executor that breaks a promise."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from msgspec.structs import replace as other
from soak import broken
from soak.fleet import random_fleet
from soak.oracle import judge
from soak.process import Build
from soak.trial import Evidence, run_trial
from soak.violation import Rule

from orchestrator.tracker.report_form import TargetReport

#: Trials that a broken executor may take to be found out.
_MOST_TRIALS = 100

#: A seed whose trial sends something.
_GOOD = 3

_BROKEN: list[tuple[type[Build], Rule]] = [
    (broken.SendsAgain, Rule.ONCE),
    (broken.SendsAgain, Rule.FOUND),
    (broken.CallsTwice, Rule.INTENT),
    (broken.TrustsAbsence, Rule.DISPROVED),
    (broken.TrustsAbsence, Rule.ONCE),
    (broken.FencesLateAnswers, Rule.ANSWER),
    (broken.OneToken, Rule.INTENT),
    (broken.IgnoresCaps, Rule.CAPS),
    (broken.IgnoresBudgets, Rule.BUDGET),
    (broken.ForgetsStrictness, Rule.BUDGET),
    (broken.SkipsSoaks, Rule.WAVES),
    (broken.IgnoresWindows, Rule.TIME),
    (broken.TooFast, Rule.PACE),
    (broken.GivesUpDoubtSoon, Rule.DISPROVED),
    (broken.ClaimsSuccess, Rule.TRUE),
    (broken.SeesWhatItLikes, Rule.SEEN),
    (broken.SendsBeforeWriting, Rule.INTENT),
    (broken.IgnoresPeople, Rule.HOLD),
    (broken.CountsTwice, Rule.FOLD),
]


@pytest.mark.slow
@pytest.mark.parametrize(("build", "rule"), _BROKEN, ids=lambda each: getattr(each, "__name__", None) or each.name)
def test_a_broken_executor_is_found_out(build: type[Build], rule: Rule) -> None:
    for seed in range(_MOST_TRIALS):
        if rule in {violation.rule for violation in judge(run_trial(random_fleet(seed, "small"), build()))}:
            return
    pytest.fail(f"{build.__name__} broke nothing that the oracle noticed in {_MOST_TRIALS} trials")


def _with_report(evidence: Evidence, **changes: Any) -> Evidence:
    return replace(evidence, report=other(evidence.report, **changes))


def _tampered() -> Iterator[tuple[str, Evidence, Rule]]:
    """A good trial, and what somebody might do to its report."""
    good = run_trial(random_fleet(_GOOD, "small"))
    assert judge(good) == []
    targets = good.report.targets
    sent = next(place for place, target in enumerate(targets) if target.workflow_ids)

    def but(**changes: Any) -> list[TargetReport]:
        return [*targets[:sent], other(targets[sent], **changes), *targets[sent + 1 :]]

    yield "a target is missing", _with_report(good, targets=targets[1:]), Rule.REPORT
    yield "an outcome is another", _with_report(good, targets=but(outcome="rejected")), Rule.TRUE
    yield "a workflow_id is missing", _with_report(good, targets=but(workflow_ids=[])), Rule.FOUND
    yield "a workflow_id is made up", _with_report(good, targets=but(workflow_ids=["made-up"])), Rule.TRUE
    yield "an attempt is missing", _with_report(good, targets=but(attempts=[])), Rule.REPORT
    yield "totals", _with_report(good, totals=other(good.report.totals, upgrade_calls=0)), Rule.REPORT
    yield "it never ends", replace(good, endless=True), Rule.ENDS


def test_a_report_that_was_tampered_with_is_found_out() -> None:
    for what, evidence, rule in _tampered():
        assert rule in {violation.rule for violation in judge(evidence)}, what
