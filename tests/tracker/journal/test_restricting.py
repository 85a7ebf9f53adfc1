"""What restricts starts: everything for which an intent may be refused that was allowed before."""

from collections.abc import Sequence

import pytest
from fakes.every_record import every_record

from orchestrator.executor.decide.one_target.intent_gate import may_trip
from orchestrator.model.plan.plan import Failures
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import (
    AnswerSeen,
    GateAnswered,
    JobSeen,
    PreflightDone,
    Record,
    Reverified,
    Settled,
)
from orchestrator.tracker.journal.restricting import overtakes, restricts

RECORDS: Sequence[Record] = [*every_record("p")]
#: Everything that a plan can count as a failure.
_COUNTS = Failures(
    counts=("failed", "timed_out", "mismatch", "in_doubt", "deferred", "rejected", "partial"), new_reject="hold"
)


def test_whatever_may_hold_the_fleet_restricts() -> None:
    harm = [record for record in RECORDS if may_trip(_COUNTS, record)]
    assert len(harm) > 5
    assert [record for record in harm if not restricts(record)] == []


@pytest.mark.parametrize("kind", [JobSeen, PreflightDone])
def test_what_comes_of_every_upgrade_restricts_nothing(kind: type[Record]) -> None:
    assert not any(restricts(record) for record in RECORDS if isinstance(record, kind))


def test_what_is_good_restricts_nothing() -> None:
    free = [
        record
        for record in RECORDS
        if isinstance(record, AnswerSeen | GateAnswered | Reverified | Settled) and not restricts(record)
    ]
    outcomes = {record.outcome for record in free if isinstance(record, Settled)}
    assert {record.verdict for record in free if isinstance(record, AnswerSeen)} == {"accepted"}
    assert outcomes == {Outcome.SUCCEEDED, Outcome.ACCEPTED, Outcome.ALREADY, Outcome.SKIPPED}
    assert [record.open for record in free if isinstance(record, GateAnswered)] == [True]
    assert [record.healthy for record in free if isinstance(record, Reverified)] == [True]


def test_a_record_of_its_own_target_overtakes_an_intent_whatever_it_says() -> None:
    (seen,) = [record for record in RECORDS if isinstance(record, JobSeen)]
    assert overtakes([seen], frozenset({"p"}))
    assert not overtakes([seen], frozenset({"another"}))
    assert not overtakes(RECORDS, frozenset())
