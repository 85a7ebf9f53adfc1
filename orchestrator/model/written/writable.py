"""Records that can be written: what no encoder takes is escaped or left out, and the rest of the record stands.

Text from outside may hold what UTF-8 has no form for: a lone surrogate, as the byte 0xFF in a header becomes one.
"""

from typing import Any, TypeVar

import msgspec
from msgspec import structs

T = TypeVar("T", bound=msgspec.Struct)

#: What no encoder takes raises one of these.
_UNWRITABLE = (UnicodeError, TypeError, ValueError, OverflowError, RecursionError)
_encode = msgspec.json.Encoder().encode


def encoded(value: msgspec.Struct) -> bytes:
    """A value as JSON, without what cannot be written; such fields are named in one more field, `unwritable`."""
    try:
        return _encode(value)
    except _UNWRITABLE:
        names = unwritable(value)
        return _encode(writable(value))[:-1] + b',"unwritable":' + _encode(names) + b"}"


def unwritable(value: msgspec.Struct) -> list[str]:
    """Names of the fields that cannot be written as they are."""
    return [name for name in value.__struct_fields__ if not _fits(getattr(value, name))]


def writable(value: T) -> T:
    """The same value when it can be written; else one that can: text escaped, other fields as if they were not there.

    Raises:
        TypeError: a field that every such value has cannot be written, and is no text.
    """
    if _fits(value):
        return value
    defaults = {field.name: field for field in structs.fields(value)}
    changes = {}
    for name in unwritable(value):
        escaped = _escaped(getattr(value, name))
        changes[name] = escaped if _fits(escaped) else _default(defaults[name])
    return structs.replace(value, **changes)


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, msgspec.Struct):
        return writable(value)
    if isinstance(value, tuple):
        return tuple(_escaped(each) for each in value)
    if isinstance(value, dict):
        return {_escaped(key): _escaped(each) for key, each in value.items()}
    return value


def _default(field: structs.FieldInfo) -> Any:
    if field.default is not msgspec.NODEFAULT:
        return field.default
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    raise TypeError(f"the field {field.name} cannot be written, and no record is without it")


def _fits(value: object) -> bool:
    try:
        _encode(value)
    except _UNWRITABLE:
        return False
    return True
