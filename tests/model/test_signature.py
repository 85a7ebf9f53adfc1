"""Texts of the cloud that say the same of different things have one signature."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.reply.signature import signature


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The subnet has 1 free IP. Needed: 4.", "The subnet has 12 free IP. Needed: 40."),
        ("job 7746802e-11d0-4f6a Failed: disk", "job 54ce7ec3-771e-d053 Failed: disk"),
        ("no room in 10.0.0.0/24", "no room in fe80::1/64"),
        ("nodes 1, 2, 3 are down", "nodes 4, 5 are down"),
        ("db-0011  is busy", "db-0012 is busy"),
        ("delta -5", "delta 17"),
        ("delta +5.", "delta \u22125."),
        ("off by -1, -2 and 3", "off by 1, 2 and -3"),
        ("delta -#", "delta 4"),  # as an older version wrote it down
    ],
)
def test_numbers_ids_and_addresses_make_no_difference(one: str, other: str) -> None:
    assert signature(one) == signature(other)


def test_words_make_a_difference() -> None:
    assert signature("subnet is full: 4") != signature("quota is full: 4")


def test_a_sign_that_is_none_of_a_number_makes_a_difference() -> None:
    assert signature("a -b") != signature("a b")
    assert signature("disk-5 - full") == "# - full"


@pytest.mark.parametrize("character", ["x", "-"])
def test_a_long_word_takes_no_long_time(character: str) -> None:
    assert signature(character * 1_000_000) == character * 1_000_000


@given(st.text())
def test_a_signature_is_its_own_signature(text: str) -> None:
    assert signature(signature(text)) == signature(text)


@given(st.lists(st.integers(min_value=0), min_size=3, max_size=3), st.lists(st.uuids(), min_size=1, max_size=1))
def test_texts_that_are_equal_up_to_what_they_name_have_one_signature(numbers: list[int], ids: list[object]) -> None:
    one, needed, left = numbers
    text = f"Proxy {ids[0]} of {one} nodes: {needed} addresses needed, {left} left"
    assert signature(text) == "Proxy # of # nodes: # addresses needed, # left"
