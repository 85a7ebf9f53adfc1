"""One record of each kind; of a kind that only sometimes restricts starts, one for each thing that it may say."""

import typing
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, Union

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import AnswerSeen, GateAnswered, Record, Reverified, Settled, Verdict

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_SAYS: dict[type[Record], tuple[str, tuple[object, ...]]] = {
    AnswerSeen: ("verdict", typing.get_args(Verdict)),
    GateAnswered: ("open", (True, False)),
    Reverified: ("healthy", (True, False)),
    Settled: ("outcome", tuple(Outcome)),
}
#: What would be there if a string could pass for a field: quotes, and a character that no text of PostgreSQL holds.
_TEXT = '"verdict":"accepted","open":true,"healthy":true,"outcome":"succeeded" \0'


def every_record(target: str) -> Iterator[Record]:
    """Each of them; those of a proxy are of this one."""
    for kind in typing.get_args(Record):
        record = replace(_full(kind), target=target)
        field, values = _SAYS.get(kind, ("at", (_NOW,)))
        yield from (replace(record, **{field: value}) for value in values)


def _full(kind: type[Struct]) -> Any:
    hints = typing.get_type_hints(kind)
    return kind(**{name: _filled(hints[name]) for name in kind.__struct_fields__})


def _filled(hint: Any) -> Any:
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
    return {bool: True, int: 1, float: 1.0, datetime: _NOW}.get(hint, _TEXT)
