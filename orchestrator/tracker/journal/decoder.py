"""Decoders that are made when the first value is read: to make that of all records takes as long as ten modules."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")


class Decoder(Generic[T]):
    """Reads values of one kind; `kind`: a type as msgspec takes it."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind

    @cached_property
    def decode(self) -> Callable[[bytes], T]:
        """One value.

        Raises:
            msgspec.DecodeError: it is none of this kind.
        """
        decoder: msgspec.json.Decoder[T] = msgspec.json.Decoder(self._kind)
        return decoder.decode

    @cached_property
    def decode_lines(self) -> Callable[[bytes], list[T]]:
        """One value of each line.

        Raises:
            msgspec.DecodeError: one is none of this kind.
        """
        decoder: msgspec.json.Decoder[T] = msgspec.json.Decoder(self._kind)
        return decoder.decode_lines
