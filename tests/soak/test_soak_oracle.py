"""The oracle finds out every executor that breaks a promise."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from judge.rule import Rule
from msgspec.structs import replace as other
from soak import broken
from soak.evidence import Evidence
from soak.fleet import RAISING, Fleet, Ordeal, one_poisoned, random_fleet, troubled
from soak.focus import world
from soak.host_clock import HostClock
from soak.life import Death
from soak.oracle import judge
from soak.plans import OPENS_H
from soak.poison import Dose
from soak.process import Build
from soak.trial import run_trial

from orchestrator.executor import serving
from orchestrator.executor.session import Session
from orchestrator.model.plan.plan import Window
from orchestrator.model.run.state import TargetState
from orchestrator.simulator.profile import JobShares, Lists, Profile, Timing
from orchestrator.tracker.report.schema import TargetReport

#: Trials that a broken executor may take to be found out.
_MOST_TRIALS = 40

#: A seed whose trial sends something.
_GOOD = 6


def _any(seed: int) -> Fleet:
    return random_fleet(seed, "small")


def _unseen(seed: int) -> Fleet:
    """Answers get lost, upgrades fail, and no list shows any of them."""
    fleet = random_fleet(seed, "small")
    faults = Profile(
        rates={"upgrade": {"lost_answer": 0.5}}, jobs=JobShares(end={"failed": 0.7}), lists=Lists(jobs_hidden=1.0)
    )
    return replace(fleet, config=other(fleet.config, faults=faults), ordeals=())


def _held(seed: int) -> Fleet:
    """A person holds the fleet soon."""
    return replace(random_fleet(seed, "small"), ordeals=(Ordeal(hold_s=5.0), Ordeal(hold_s=20.0)))


def _nightly(seed: int) -> Fleet:
    """Nights of three minutes."""
    fleet = random_fleet(seed, "small")
    window = Window(opens=OPENS_H * 60, closes=(OPENS_H + 1) * 60 + 3, timezone="UTC")
    return replace(fleet, plan=other(fleet.plan, windows=(window,)))


def _poisoned(seed: int) -> Fleet:
    """Every other answer is poisoned."""
    return replace(random_fleet(seed, "small"), dose=Dose(share=0.5))


def _crossed(seed: int) -> Fleet:
    """Every other answer that accepts belongs to another call."""
    return replace(random_fleet(seed, "small"), dose=Dose(crossed=0.5))


def _stepping(seed: int) -> Fleet:
    """Somebody sets the clock an hour forward, again and again, and lists show a lost upgrade after half a minute."""
    fleet = random_fleet(seed, "small")
    faults = Profile(
        rates={"upgrade": {"lost_answer": 0.5}},
        jobs=JobShares(end={"failed": 0.7}, seen={"late": 0.7}),
        timing=Timing(node_s=4.0, visible_s=(0.5, 1.0), visible_late_s=(35.0, 38.0)),
    )
    host = HostClock(steps=tuple((10.0 * number, 3600.0) for number in range(1, 60)))
    return replace(fleet, host=host, config=other(fleet.config, faults=faults), ordeals=(), outages=())


def _one_poisoned(seed: int) -> Fleet:
    return one_poisoned(random_fleet(seed, "small"), Random(seed))


_BROKEN: list[tuple[type[Build], Rule, Callable[[int], Fleet]]] = [
    (broken.SendsAgain, Rule.ONCE, _any),
    (broken.SendsAgain, Rule.FOUND, _any),
    (broken.CallsTwice, Rule.INTENT, _any),
    (broken.TrustsAbsence, Rule.DISPROVED, _unseen),
    (broken.TrustsAbsence, Rule.ONCE, _unseen),
    (broken.FencesLateAnswers, Rule.ANSWER, _any),
    (broken.BelievesEveryAnswer, Rule.FOUND, _crossed),
    (broken.TrustsTheWallClock, Rule.DISPROVED, _stepping),
    (broken.TrustsTheWallClock, Rule.ONCE, _stepping),
    (broken.OneToken, Rule.INTENT, _any),
    (broken.IgnoresCaps, Rule.CAPS, _any),
    (broken.IgnoresBudgets, Rule.BUDGET, _any),
    (broken.ForgetsStrictness, Rule.BUDGET, _any),
    (broken.SkipsSoaks, Rule.WAVES, _any),
    (broken.IgnoresWindows, Rule.TIME, _nightly),
    (broken.TooFast, Rule.PACE, _any),
    (broken.GivesUpDoubtSoon, Rule.DISPROVED, _any),
    (broken.ClaimsSuccess, Rule.TRUE, _any),
    (broken.SeesWhatItLikes, Rule.SEEN, _any),
    (broken.SendsBeforeWriting, Rule.INTENT, _any),
    (broken.IgnoresPeople, Rule.HOLD, _held),
    (broken.CountsTwice, Rule.FOLD, _any),
    (broken.WriterDies, Rule.ENDS, _poisoned),
    (broken.HidesNothing, Rule.SECRET, _poisoned),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("build", "rule", "fleet"), _BROKEN, ids=[f"{each[0].__name__}-{each[1].name}" for each in _BROKEN]
)
def test_a_broken_executor_is_found_out(build: type[Build], rule: Rule, fleet: Callable[[int], Fleet]) -> None:
    for seed in range(_MOST_TRIALS):
        if rule in {violation.rule for violation in judge(run_trial(fleet(seed), build()))}:
            return
    pytest.fail(f"{build.__name__} broke nothing that the oracle noticed in {_MOST_TRIALS} trials")


@pytest.mark.slow
def test_an_exception_that_is_not_caught_at_its_bulkhead_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async def let_through(_state: TargetState, _session: Session, error: Exception) -> None:
        raise error

    monkeypatch.setattr(serving, "break_off", let_through)
    for seed in range(_MOST_TRIALS):
        evidence = run_trial(troubled(_any(seed), Death(RAISING[seed % len(RAISING)], 1)))
        if Rule.ENDS in {violation.rule for violation in judge(evidence)}:
            return
    pytest.fail(f"no exception in {_MOST_TRIALS} trials ended anything that the oracle noticed")


@pytest.mark.slow
def test_anothers_id_in_an_answer_is_forgiven_only_where_no_job_is_shown_and_the_report_says_so() -> None:
    hidden = world(7, Profile(lists=Lists(jobs_hidden=1.0)))
    good = run_trial(replace(hidden, dose=Dose(crossed=0.5), ordeals=()))
    assert judge(good) == []
    silent = [other(each, evidence=None) for each in good.report.targets]
    seen = {violation.rule for violation in judge(_with_report(good, targets=silent))}
    assert seen == {Rule.TRUE, Rule.FOUND}


def test_every_rule_has_its_proof() -> None:
    tampered = {rule for _, _, rule in _tampered()}

    assert {rule for _, rule, _ in _BROKEN} | tampered == set(Rule)


def _with_report(evidence: Evidence, **changes: Any) -> Evidence:
    return replace(evidence, report=other(evidence.report, **changes))


def _tampered() -> Iterator[tuple[str, Evidence, Rule]]:
    """A good trial, and what somebody might do to its report."""
    good = run_trial(random_fleet(_GOOD, "small"))
    assert judge(good) == []
    targets = good.report.targets
    sent = next(place for place, target in enumerate(targets) if target.workflow_ids and not target.evidence)

    def but(**changes: Any) -> list[TargetReport]:
        return [*targets[:sent], other(targets[sent], **changes), *targets[sent + 1 :]]

    yield "a target is missing", _with_report(good, targets=targets[1:]), Rule.REPORT
    yield "an outcome is another", _with_report(good, targets=but(outcome="rejected")), Rule.TRUE
    yield "a workflow_id is missing", _with_report(good, targets=but(workflow_ids=[])), Rule.FOUND
    yield "a workflow_id is made up", _with_report(good, targets=but(workflow_ids=["made-up"])), Rule.TRUE
    yield "an attempt is missing", _with_report(good, targets=but(attempts=[])), Rule.REPORT
    yield "totals", _with_report(good, totals=other(good.report.totals, upgrade_calls=0)), Rule.REPORT
    beside = run_trial(_one_poisoned(_GOOD))
    assert judge(beside) == []
    spoiled = [other(each, outcome="failed") for each in beside.report.targets]
    yield "others are harmed", _with_report(beside, targets=spoiled), Rule.HARM
    yield "it never ends", replace(good, endless=True), Rule.ENDS


def test_a_report_that_was_tampered_with_is_found_out() -> None:
    for what, evidence, rule in _tampered():
        assert rule in {violation.rule for violation in judge(evidence)}, what
