"""What a key of the plan means, from the declaration that reads it: a sentence, what it takes, default, example."""

import json
from collections.abc import Iterator
from typing import Any, TypeAlias

from orchestrator.errors import UsageError
from orchestrator.pattern import pattern
from orchestrator.planner.plan_file.schema import PLAN
from orchestrator.planner.reading.mapping import Field, Record
from orchestrator.planner.reading.problems import quote
from orchestrator.planner.reading.shapes import Leaf, ListOf, MapOf, Shape, Words
from orchestrator.spoken import nearest

Path: TypeAlias = tuple[str, ...]

_INDEX = pattern(r"\[[^\[\]]{0,9}\]|\.[0-9]{1,9}(?=\.|$)")

#: In the path of a key: a name that the plan's author chooses.
ANY_NAME = "NAME"


def explain(key: str | None) -> Iterator[str]:
    """The lines about a key, written as in messages: `limits.in_flight`, `waves[0].size`, `scopes.north.auth`.

    Args:
        key: None for the top level.

    Raises:
        UsageError: the plan has no such key.
    """
    if key is None:
        return _keys_of(PLAN)
    path = tuple(part for part in _INDEX.sub("", key).split(".") if part)
    return _about(".".join(path), _field(path, key))


def keys(shape: Shape = PLAN, above: Path = ()) -> Iterator[Path]:
    """The path of every key that a plan can have."""
    inner = _inside(shape)
    if isinstance(inner, MapOf):
        yield from keys(inner.item, (*above, ANY_NAME))
    elif isinstance(inner, Record):
        for field in inner.fields:
            yield (*above, field.key)
            yield from keys(field.shape, (*above, field.key))


def _inside(shape: Shape) -> Shape:
    """What has the keys: the entries of a list, or what may stand in place of a word."""
    while isinstance(shape, ListOf | Words):
        shape = shape.item if isinstance(shape, ListOf) else shape.other
    return shape


def _field(path: Path, key: str) -> Field:
    field, shape = None, _inside(PLAN)
    for part in path:
        if isinstance(shape, MapOf):
            shape = _inside(shape.item)
            continue
        field = shape.by_key.get(part) if isinstance(shape, Record) else None
        if field is None:
            raise _unknown(path, key)
        shape = _inside(field.shape)
    if field is None:
        raise _unknown(path, key)
    return field


def _unknown(path: Path, key: str) -> UsageError:
    known = [".".join(each) for each in keys()]
    ends = [each for each in known if path and each.rpartition(".")[2] == path[-1]]
    guess = " or ".join(ends[:3]) or nearest(".".join(path), known)
    return UsageError(
        f"explain {quote(key)}: a plan has no such key" + (f"; did you mean {guess}?" if guess else ""),
        hint="orchestrator explain: the keys of the top level",
    )


def _about(name: str, field: Field) -> Iterator[str]:
    yield f"{name}: {field.doc}"
    yield f"  takes    {_takes(field.shape)}"
    yield f"  default  {_default(field)}"
    if field.example is not None:
        yield f"  example  {field.key}: {_written(field.example)}"
    inner = _inside(field.shape)
    inner = _inside(inner.item) if isinstance(inner, MapOf) else inner
    if isinstance(inner, Record):
        yield "  keys"
        yield from ("    " + line for line in _keys_of(inner))


def _keys_of(record: Record) -> Iterator[str]:
    width = max(len(field.key) for field in record.fields)
    for field in record.fields:
        default = "" if field.default is None else f" Default {_written(field.default)}."
        yield f"{field.key:{width}}  {field.doc}{default}{' Required.' if field.required else ''}"


def _default(field: Field) -> str:
    if field.default is not None:
        return _written(field.default)
    return "none: the key is required" if field.required else "none"


def _takes(shape: Shape) -> str:
    match shape:
        case Leaf(expected=expected):
            return expected
        case ListOf(item=item, one=one):
            return f"{_takes(item)}, or a list of such" if one else f"a list; each entry: {_takes(item)}"
        case MapOf(item=item):
            return f"names, and for each: {_takes(item)}"
        case Words(words=words, other=other):
            return f"{', '.join(words)}, or {_takes(other)}"
        case Record():
            return "the keys below"
        case _:
            return "a value"


def _written(value: Any) -> str:
    """A value on one line, as a plan may write it: JSON is YAML."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
