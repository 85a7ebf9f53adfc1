"""The words of `orchestrator limit`."""

import pytest

from orchestrator.errors import UsageError
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.limit_change import LimitChange
from orchestrator.planner.plan_file.limit_words import limit_change


def test_they_are_read_as_the_plan_reads_them() -> None:
    words = ["in_flight=5%", "rate=300/min", "concurrency=1_0", "per_window=200"]
    change = LimitChange(in_flight=Amount(5, percent=True), rate=5.0, concurrency=10, per_window=200)

    assert limit_change(words) == change
    assert limit_change([]) == LimitChange()


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("in_fligt=4", "in_fligt: cannot be changed while a run goes on; did you mean in_flight?"),
        ("ramp=false", "ramp: cannot be changed while a run goes on; "),
        ("in_flight", "in_flight: expected in_flight=NUMBER such as in_flight=4, got 'in_flight'"),
        ("rate=auto", "rate: expected rate=NUMBER such as rate=2/s"),
        ("rate=5", "rate: expected a rate such as 10/s"),
        ("in_flight=0", "in_flight: expected a number from 1 to"),
        ("per_window=-1", "per_window: expected a whole number from 1 to"),
        ("concurrency=", "concurrency: expected a whole number from 1 to"),
    ],
)
def test_what_cannot_be_meant_is_named(word: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        limit_change([word])
    assert says in str(caught.value)


def test_a_limit_is_changed_once() -> None:
    with pytest.raises(UsageError, match="rate: is there twice"):
        limit_change(["rate=1/s", "rate=2/s"])
