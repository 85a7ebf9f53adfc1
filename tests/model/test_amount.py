"""Counts and percentages: caps round down and are at least 1, budgets round down and may be 0."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.plan.amount import Amount


@pytest.mark.parametrize(
    ("amount", "total", "cap", "budget"),
    [
        (Amount(10), 3, 10, 10),
        (Amount(0), 3, 1, 0),
        (Amount(1, percent=True), 40, 1, 0),
        (Amount(1, percent=True), 100, 1, 1),
        (Amount(1, percent=True), 199, 1, 1),
        (Amount(7, percent=True), 100, 7, 7),
        (Amount(29, percent=True), 100, 29, 29),
        (Amount(0.1, percent=True), 1000, 1, 1),
        (Amount(33.3, percent=True), 1000, 333, 333),
        (Amount(100, percent=True), 7, 7, 7),
        (Amount(50, percent=True), 0, 1, 0),
    ],
)
def test_rounding(amount: Amount, total: int, cap: int, budget: int) -> None:
    assert (amount.cap(total), amount.budget(total)) == (cap, budget)


@given(tenths=st.integers(0, 1000), total=st.integers(0, 1_000_000))
def test_a_percentage_is_the_exact_decimal_rounded_down(tenths: int, total: int) -> None:
    exact = Fraction(tenths, 1000) * total
    assert Amount(tenths / 10, percent=True).budget(total) == exact.numerator // exact.denominator


def test_it_is_told_as_it_was_written() -> None:
    assert (str(Amount(10)), str(Amount(10, percent=True)), str(Amount(0.5, percent=True))) == ("10", "10%", "0.5%")
