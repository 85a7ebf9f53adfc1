"""Hosts that die, stand still and wake up too late keep every promise, and who takes a protection out is found out."""

from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from fakes.shared_log import SharedLog
from judge.rule import Rule
from soak.hosts import run_hosts_trial
from soak.hosts_fleet import late
from soak.oracle import judge
from soak.oracle_starts import effective_starts, slept_through
from soak.plans import doubt_period_s
from soak.runner import replay, try_fleet, try_seed

from orchestrator.executor.ledger import Ledger
from orchestrator.executor.target import reconcile
from orchestrator.model.record.record import Record
from orchestrator.model.run.state import TargetState
from orchestrator.tracker.journal.group_commit import JournalWriter

_HOSTS = 3
#: Trials that a program without a protection may take to be found out.
_MOST_TRIALS = 40


@pytest.mark.slow
def test_hosts_keep_every_promise_and_take_each_others_place() -> None:
    met: Counter[str] = Counter()
    for seed in range(8):
        verdict = try_seed(seed, "small", hosts=_HOSTS)
        assert not verdict.violations, "\n".join([replay(seed, "small", hosts=_HOSTS), *verdict.violations[:10]])
        met += verdict.hits
    assert met["process: replaced"]
    assert met["server: ended"]
    assert met["record: TurnGiven"]
    assert sum(number for name, number in met.items() if name.startswith("death"))


@pytest.mark.slow
def test_answers_that_come_at_the_worst_instant_break_no_promise() -> None:
    for seed in (2, 4, 10, 13):
        verdict = try_fleet(late(seed), _HOSTS)
        assert not verdict.violations, (seed, verdict.violations)


@pytest.mark.slow
def test_only_a_call_that_left_after_the_doubt_period_may_start_what_was_disproved() -> None:
    evidence = run_hosts_trial(late(20), _HOSTS)
    asleep = {start.sent_s for start in effective_starts(evidence) if slept_through(evidence, start)}
    assert asleep
    assert judge(evidence) == []
    for post in evidence.wire.posts:
        post.sent_s -= doubt_period_s(evidence.fleet.plan) / 2 if post.sent_s in asleep else 0.0
    assert {violation.rule for violation in judge(evidence)} == {Rule.DISPROVED}


def _looks_for_no_answer(patch: pytest.MonkeyPatch) -> SharedLog:
    """What another host writes while we reconcile is not looked for."""
    patch.setattr(reconcile, "_known", lambda _state: False)
    return SharedLog()


def _believes_a_late_disproof(patch: pytest.MonkeyPatch) -> SharedLog:
    """A disproof counts although an answer that accepts stands before it."""

    def questions(state: TargetState, record: Record) -> bool:
        return state.is_open and record.attempt == len(state.attempts)

    patch.setattr(TargetState, "questions", questions)
    return SharedLog()


def _sends_without_knowing(patch: pytest.MonkeyPatch) -> SharedLog:
    """An intent is added whatever else there is of its target."""

    def hear(writer: JournalWriter, records: Sequence[Record]) -> None:
        for record in records:
            writer._on_others(record)

    patch.setattr(JournalWriter, "_hear", hear)
    patch.setattr(Ledger, "_unknown", lambda *_arguments, **_named: None)
    return SharedLog(knows_all=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("take_out", "rich"), [(_looks_for_no_answer, 4), (_believes_a_late_disproof, 13), (_sends_without_knowing, 2)]
)
def test_who_takes_out_a_protection_against_late_answers_is_found_out(
    monkeypatch: pytest.MonkeyPatch, take_out: Callable[[pytest.MonkeyPatch], SharedLog], rich: int
) -> None:
    seeds = dict.fromkeys((rich, *range(_MOST_TRIALS)))
    assert any(judge(run_hosts_trial(late(seed), _HOSTS, log=take_out(monkeypatch))) for seed in seeds)
