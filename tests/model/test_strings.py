"""Every string of every record is reached, by whatever class and field it comes."""

import typing
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, Union

import msgspec
import pytest
from msgspec import Raw, Struct

from orchestrator.model.record.record import Record
from orchestrator.model.record.record_base import KEYS, Base
from orchestrator.model.record.target_record import AnswerSeen
from orchestrator.model.reply import reply
from orchestrator.model.written.strings import with_strings

SECRET = "hush-hush"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
RECORDS = typing.get_args(Record)
REPLIES = [each for each in vars(reply).values() if isinstance(each, type) and issubclass(each, Struct)]


def _hide(text: str) -> str:
    return text.replace(SECRET, "***")


def _filled(hint: Any) -> Any:
    """A value of this type that holds the secret wherever it can."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, UnionType):
        return _filled(next(each for each in inner if each is not NoneType))
    if origin in (tuple, dict):
        parts = tuple(_filled(each) for each in inner if each is not ...)
        return dict([parts]) if origin is dict else parts
    if origin is Literal or (isinstance(hint, type) and issubclass(hint, Enum)):
        return next(iter(inner or hint))
    if isinstance(hint, type) and issubclass(hint, Struct):
        return _full(hint)
    plain = {bool: True, int: 1, float: 1.0, datetime: NOW, Raw: Raw(msgspec.json.encode({"a": SECRET}))}
    return plain.get(hint, SECRET)


def _full(kind: type[Struct]) -> Any:
    hints = typing.get_type_hints(kind)
    return kind(**{name: _filled(hints[name]) for name in kind.__struct_fields__})


def _fields_with(value: Any) -> Iterator[str]:
    for name in value.__struct_fields__:
        if SECRET in repr(getattr(value, name)) + repr(bytes(getattr(value, name, b"")) if name == "entry" else ""):
            yield name


@pytest.mark.parametrize("kind", [*RECORDS, *REPLIES])
def test_every_string_of_every_record_and_reply_is_searched(kind: type[Struct]) -> None:
    full = _full(kind)
    assert set(_fields_with(with_strings(full, _hide))) <= KEYS
    assert not isinstance(full, Base) or set(_fields_with(full)) >= {"target", "step"}


def test_a_class_and_a_field_that_are_new_are_searched_too() -> None:
    class Inner(Struct, frozen=True):
        words: list[dict[str, tuple[str, ...]]]

    class New(Base, frozen=True, kw_only=True):
        inner: Inner
        anything: Any = None

    record = New(at=NOW, inner=Inner([{SECRET: (SECRET, "x")}]), anything={"a": [SECRET]})
    found = with_strings(record, _hide)
    assert found == New(at=NOW, inner=Inner([{"***": ("***", "x")}]), anything={"a": ["***"]})


def test_what_needs_no_change_is_the_same_object() -> None:
    record = AnswerSeen(at=NOW, target="p", verdict="accepted", update_result=(reply.Entry(workflow_id="w"),))
    assert with_strings(record, _hide) is record


def test_words_of_our_own_are_left_alone() -> None:
    record = AnswerSeen(at=NOW, target="p", verdict="accepted", reason="accepted")
    found = with_strings(record, lambda _text: "***")
    assert (found.target, found.step, found.verdict, found.reason) == ("p", "attempt", "accepted", "***")
