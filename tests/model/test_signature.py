"""Texts of the cloud that say the same of different things have one signature."""

import pytest

from orchestrator.model.signature import signature


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The subnet has 1 free IP. Needed: 4.", "The subnet has 12 free IP. Needed: 40."),
        ("job 7746802e-11d0-4f6a Failed: disk", "job 54ce7ec3-771e-d053 Failed: disk"),
        ("no room in 10.0.0.0/24", "no room in fe80::1/64"),
        ("nodes 1, 2, 3 are down", "nodes 4, 5 are down"),
        ("db-0011  is busy", "db-0012 is busy"),
    ],
)
def test_numbers_ids_and_addresses_make_no_difference(one: str, other: str) -> None:
    assert signature(one) == signature(other)


def test_words_make_a_difference() -> None:
    assert signature("subnet is full: 4") != signature("quota is full: 4")


def test_a_long_word_takes_no_long_time() -> None:
    assert signature("x" * 1_000_000) == "x" * 1_000_000
