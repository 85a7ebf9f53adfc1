"""Read JSON that others wrote: bounded before it is decoded, with one error for all that can be wrong with it. Pure.

Answers of the cloud, lines of an inventory and files of the state folder, which a stranger may have damaged, come
through here. Depth and number of values are counted on the bytes, so that no decoder meets what it cannot bear.
"""

import re
from collections.abc import Callable
from itertools import accumulate
from typing import TypeVar

import msgspec

from orchestrator.pattern import pattern

T = TypeVar("T")

#: Deepest nesting that is decoded. The API's answers have six levels; decoders in C recurse, and end at about 1,000.
MAX_DEPTH = 64

#: Most values in one text; the largest pages of the API, a hundred instances with all details, have some 30,000.
MAX_VALUES = 200_000

#: Every string, also one that never ends, so that each byte is looked at once.
STRINGS = pattern(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_NOT_STRUCTURE = bytes(byte for byte in range(256) if byte not in b"[]{},")
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1, ord(","): 0}


class Unreadable(ValueError):
    """What stands there is not JSON, or beyond what is read; the message says which, for a person."""


def read_json(data: bytes, decode: Callable[[bytes], T], *, most_values: float = MAX_VALUES) -> T:
    """What a JSON text holds.

    Args:
        data: the text; how long it may be is for those to bound who read it from a file or a connection.
        decode: of a `msgspec.json.Decoder`.
        most_values: infinite for files that this program wrote, as long as they may be.

    Raises:
        Unreadable: it is nested too deep, holds too many values, or the decoder refuses it.
    """
    _check_bounds(data, most_values)
    try:
        return decode(data)
    except UnicodeDecodeError as error:
        raise Unreadable("not UTF-8") from error
    except (msgspec.MsgspecError, OverflowError) as error:
        raise Unreadable(str(error)) from error


def _check_bounds(data: bytes, most_values: float) -> None:
    """Counts of bytes bound depth and number from above, which is enough for nearly every text."""
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH and data.count(b",") < most_values - MAX_DEPTH:
        return
    structure = STRINGS.sub(b"", data).translate(None, _NOT_STRUCTURE)
    if len(structure) - structure.count(b"]") - structure.count(b"}") >= most_values:
        raise Unreadable(f"more than {most_values:,} values")
    if max(accumulate(map(_STEP.__getitem__, structure)), default=0) > MAX_DEPTH:
        raise Unreadable(f"nested more than {MAX_DEPTH} levels deep")
