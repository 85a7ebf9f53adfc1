"""Versions are compared as tuples of integers and kept as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.reply import version as versions
from orchestrator.model.reply.version import at_least, is_short_for, is_version, same_version, version_key


@pytest.mark.parametrize("text", ["2.24.03.000", "2", "0.0", "2.24.3", "1.2.3.4.5.6.7.8"])
def test_versions(text: str) -> None:
    assert is_version(text)


@pytest.mark.parametrize(
    "text", ["", "2.", ".2", "2..4", "v2.24", "2.24.x", "2.24 ", "٢.24", "1.2.3.4.5.6.7.8.9", "-1"]
)
def test_no_versions(text: str) -> None:
    assert not is_version(text)
    with pytest.raises(ValueError, match="not a version"):
        version_key(text)


def test_leading_zeros_do_not_count() -> None:
    assert same_version("2.24.03.000", "2.24.3.0")
    assert version_key("2.24.03.000") == (2, 24, 3, 0)


@pytest.mark.parametrize(
    ("version", "wanted", "reached"),
    [
        ("2.24.03.000", "2.24.03.000", True),
        ("2.24.09.020", "2.24.03.000", True),
        ("2.9.0.0", "2.24.03.000", False),
        ("2.24.03.000", "2.24.03", True),
        ("2.24.03", "2.24.03.000", False),
        ("unknown", "2.24.03.000", False),
        ("unknown", "unknown", True),
        ("2.24.03.000", "unknown", False),
    ],
)
def test_at_least(version: str, wanted: str, reached: bool) -> None:  # a column of the table
    assert at_least(version, wanted) is reached


def test_texts_that_are_no_versions_are_compared_as_they_are() -> None:
    assert same_version("x", "x")
    assert not same_version("x", "2.0")


@given(
    st.lists(st.integers(0, 10**9 - 1), min_size=1, max_size=8), st.lists(st.integers(0, 999), min_size=1, max_size=8)
)
def test_order_is_that_of_the_integers(one: list[int], other: list[int]) -> None:
    left, right = ".".join(map(str, one)), ".".join(map(str, other))
    assert at_least(left, right) is (one >= other)
    assert same_version(left, right) is (one == other)


@pytest.mark.parametrize(
    ("text", "version", "short"),
    [
        ("2.24.3", "2.24.03.000", True),
        ("2.24", "2.24.0.0", True),
        ("2.24.3", "2.24.03.001", False),
        ("2.24.03.000", "2.24.3.0", False),
        ("2.24.03.000", "2.24.3", False),
        ("2.24.4", "2.24.03.000", False),
        ("x", "2.24", False),
    ],
)
def test_zeros_left_out_at_the_end_make_another_name(text: str, version: str, short: bool) -> None:
    assert is_short_for(text, version) is short


def test_each_text_is_parsed_once() -> None:
    versions._integers.cache_clear()
    for _ in range(10):
        assert at_least("2.24.03.000", "2.24.3")
        assert not same_version("2.24.03.000", "no version")
    assert versions._integers.cache_info().misses == 3
