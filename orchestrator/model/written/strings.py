"""Every string of a value, wherever it stands: in a field, a nested value, a list, a key. Pure.

What a class holds is read from its annotations, so a field or a class that is new needs no line here.
"""

from collections.abc import Callable
from datetime import datetime
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from msgspec import Raw, Struct
from msgspec.structs import replace

from orchestrator.model.record.record_base import KEYS

T = TypeVar("T")

#: Types that hold no text of others: numbers, instants, words of our own.
_WITHOUT_TEXT = (NoneType, bool, int, float, datetime, Enum)


def with_strings(value: T, change: Callable[[str], str]) -> T:
    """The value with every string in it changed; the same object when none was.

    Left alone are closed sets of our own words (enums and literals) and the fields of `KEYS`.
    """
    changed: Any = _changed(value, change)
    return changed  # type: ignore[no-any-return]  # of the type that came in


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    if value is None or type(value) is str:
        return None if value is None else change(value)
    match value:
        case Raw():
            text = bytes(value).decode("utf-8", "surrogateescape")
            new = change(text)
            return value if new is text else Raw(new.encode("utf-8", "surrogateescape"))
        case Struct():
            return _changed_struct(value, change)
        case dict():
            pairs = {_changed(key, change): _changed(each, change) for key, each in value.items()}
            return value if _same(pairs.values(), value.values()) and _same(pairs, value) else pairs
        case list() | tuple() | set() | frozenset():
            items = [_changed(each, change) for each in value]
            return value if _same(items, value) else type(value)(items)
        case _:
            return value


def _changed_struct(value: Struct, change: Callable[[str], str]) -> Struct:
    changes = {}
    for name in _fields_with_text(type(value)):
        old = getattr(value, name)
        if old is None:  # most fields are empty, and every record comes by here
            continue
        new = change(old) if type(old) is str else _changed(old, change)
        if new is not old:
            changes[name] = new
    return replace(value, **changes) if changes else value


def _same(these: Any, those: Any) -> bool:
    return all(this is that for this, that in zip(these, those, strict=False))


@cache  # one entry for each class that there is
def _fields_with_text(kind: type[Struct]) -> tuple[str, ...]:
    hints = get_type_hints(kind)
    return tuple(name for name in kind.__struct_fields__ if name not in KEYS and _may_hold_text(hints[name]))


def _may_hold_text(hint: Any) -> bool:
    if get_origin(hint) is Literal:
        return False
    if get_origin(hint) in (Union, UnionType):
        return any(_may_hold_text(each) for each in get_args(hint))
    return not (isinstance(hint, type) and issubclass(hint, _WITHOUT_TEXT))
