import json
from math import inf
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.reply.foreign import MAX_DEPTH, MAX_VALUES, Unreadable, read_json

decode = msgspec.json.Decoder().decode


def never(_data: bytes) -> Any:
    raise AssertionError("the decoder was asked although the text is beyond the bounds")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"[" * 1_100 + b"]" * 1_100, "nested more than 64 levels deep"),
        (b'{"a":' * 1_100 + b"1" + b"}" * 1_100, "nested more than 64 levels deep"),
        (b"[" * 100_000, "nested more than 64 levels deep"),
        (b'["\\\\",' + b"[" * (MAX_DEPTH + 1), "nested more than 64 levels deep"),
        (b"[" + b"1," * MAX_VALUES + b"1]", "more than 200,000 values"),
        (b"[" + b"[]," * MAX_VALUES + b"1]", "more than 200,000 values"),
    ],
)
def test_what_is_beyond_the_bounds_never_reaches_the_decoder(data: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        read_json(data, never)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"<html>",
        b"\xff",
        b'"\xff"',
        b'"\\ud800"',
        b"9" * 5_000,
        b"-" + b"9" * 5_000,
        b"1e999",
        b"NaN",
        b"[1,]",
    ],
)
def test_what_is_no_json_or_no_number_is_one_kind_of_error(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read_json(data, decode)


@pytest.mark.parametrize(
    "data",
    [
        b"[" * MAX_DEPTH + b"]" * MAX_DEPTH,
        json.dumps(["[" * 5_000, '\\"[[', "{" * 500]).encode(),
        json.dumps([[]] * 5_000).encode(),
        json.dumps({"a": "," * (2 * MAX_VALUES)}).encode(),
    ],
)
def test_within_the_bounds_it_is_read_and_brackets_in_strings_count_nothing(data: bytes) -> None:
    assert read_json(data, decode) == json.loads(data)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(alphabet='[]{},"\\é'),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(alphabet='"\\[{'), inner),
    )
)
def test_any_value_comes_back(value: Any) -> None:
    data = json.dumps([[]] * 100 + [value]).encode()
    assert read_json(data, json.loads) == [[]] * 100 + [value]


@given(st.binary(), st.sampled_from([b"[", b"{", b'"', b"\\", b"[,", b'"\\']))
def test_any_bytes_are_read_or_refused(data: bytes, much: bytes) -> None:
    for each in (data, data + much * 2_000, much * 2_000 + data):
        try:
            read_json(each, decode)
        except Unreadable as error:
            assert str(error)  # noqa: PT017 - both ways are right, a third one is not


def test_a_file_of_our_own_may_be_as_long_as_it_is() -> None:
    data = b"[" + b"[]," * MAX_VALUES + b"1]"
    assert len(read_json(data, decode, most_values=inf)) == MAX_VALUES + 1
    with pytest.raises(Unreadable, match="nested"):
        read_json(b"[" * 65, never, most_values=inf)
