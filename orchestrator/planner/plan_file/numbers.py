"""Texts of a plan that are numbers: durations, rates, amounts, counts, switches. Out of range is an error."""

import math
import sys
from typing import Any

from orchestrator.model.plan.amount import Amount, Rate
from orchestrator.pattern import pattern
from orchestrator.planner.plan_file.patterns import ABOVE_ZERO, decimal, decimal_below, whole
from orchestrator.planner.reading.shapes import Leaf

_INTEGER = pattern(r"[0-9]+(_[0-9]+)*")
_DECIMAL = r"([0-9]+(?:_[0-9]+)*(?:\.[0-9]+)?|\.[0-9]+)"
_DURATION = pattern(_DECIMAL + r"(ms|s|m|h|d)")
_RATE = pattern(_DECIMAL + r"/(s|min|h)")
_PERCENT = pattern(_DECIMAL + "%")

UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_PER_S = {"s": 1.0, "min": 60.0, "h": 3600.0}
MAX_RATE = 1_000_000.0
#: Python refuses to read a number of some thousand digits.
_MOST_DIGITS = 40

_SWITCH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_SWITCH_TEXTS = [form for word in _SWITCH for form in (word, word.title(), word.upper())]


def _switch(text: str) -> bool:
    if text not in _SWITCH_TEXTS:
        raise ValueError
    return _SWITCH[text.lower()]


#: How `true` may be written, in quotes too.
TRUE_TEXTS = tuple(text for text in _SWITCH_TEXTS if _SWITCH[text.lower()])

SWITCH = Leaf(
    expected="true or false (or yes, no, on, off)",
    parse=_switch,
    schema={"enum": [True, False, *_SWITCH_TEXTS]},
)


def integer(least: int, most: int) -> Leaf:
    """A whole number in a range; `1_000` is a thousand."""
    expected = f"a whole number from {least:,} to {most:,}"

    def parse(text: str) -> int:
        number = _whole(text)
        if number is None or not least <= number <= most:
            raise ValueError
        return number

    number = {"type": "integer", "minimum": least, "maximum": most}
    return Leaf(expected=expected, parse=parse, schema={"anyOf": [number, _text(whole(least, most))]})


def _whole(text: str) -> int | None:
    """The whole number that is written there, if it is one; a longer one than any range takes is `sys.maxsize`."""
    if not _INTEGER.fullmatch(text):
        return None
    return int(text) if len(text) <= _MOST_DIGITS else sys.maxsize


def duration(least: str = "0s", most: str = "30d") -> Leaf:
    """A length of time with its unit, in seconds."""
    low_s, high_s = _seconds(least), _seconds(most)

    def parse(text: str) -> float:
        if _INTEGER.fullmatch(text):
            raise ValueError(f"expected a duration with its unit, such as {text}s or {text}m")
        value_s = _seconds(text)
        if not low_s <= value_s <= high_s:
            raise ValueError(f"expected a duration from {least} to {most}")
        return value_s

    return Leaf(
        expected="a duration such as 500ms, 15s, 10m, 1h or 2d", parse=parse, schema=_text(_durations(low_s, high_s))
    )


def _durations(low_s: float, high_s: float) -> str:
    """The durations of a range. Where a bound is no whole number of a unit, a little more passes in that unit."""
    ways = []
    for unit, unit_s in UNITS_S.items():
        low, high = round(low_s / unit_s, 6), round(high_s / unit_s, 6)
        short = f"(?!({decimal_below(int(low))}){unit}$)" if low >= 1 else ""
        upper = decimal(int(high)) if high.is_integer() else decimal_below(math.ceil(high))
        ways.append(f"{short}({upper}){unit}")
    return (ABOVE_ZERO if low_s else "") + f"({'|'.join(ways)})"


def _seconds(text: str) -> float:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError
    return round(_number(match[1]) * UNITS_S[match[2]], 6)


def _rate(text: str) -> Rate:
    if text == "auto":
        return "auto"
    match = _RATE.fullmatch(text)
    if match is None:
        raise ValueError
    per_s = _number(match[1]) / _PER_S[match[2]]
    if not 0 < per_s <= MAX_RATE:
        raise ValueError(f"expected a rate above 0 and up to {MAX_RATE:,.0f}/s")
    return per_s


#: Rates above 0, in each unit up to the highest.
_RATES = f"{ABOVE_ZERO}({'|'.join(f'({decimal(round(MAX_RATE * unit_s))})/{unit}' for unit, unit_s in _PER_S.items())})"

RATE = Leaf(
    expected="a rate such as 10/s, 300/min or 100/h, or auto",
    parse=_rate,
    schema={"type": "string", "pattern": f"^({_RATES}|auto)$"},
)


def amount(*, least: int) -> Leaf:
    """A count or a percentage: a budget may be 0 (`least=0`), a cap may not (`least=1`)."""
    bound = "from 0% to 100%" if least == 0 else "above 0% and up to 100%"

    def parse(text: str) -> Amount:
        number = _whole(text)
        if number is not None:
            if not least <= number <= _MOST:
                raise ValueError(f"expected a number from {least} to {_MOST:,}, or a percentage {bound}")
            return Amount(number)
        match = _PERCENT.fullmatch(text)
        if match is None:
            raise ValueError
        return _percentage(_number(match[1]), least, bound)

    schema: dict[str, Any] = {"anyOf": [{"type": "integer", "minimum": least, "maximum": _MOST}]}
    percents = (ABOVE_ZERO if least else "") + f"({decimal(100)})%"
    schema["anyOf"].append(_text(f"({whole(least, _MOST)}|{percents})"))
    return Leaf(expected="a number such as 10, or a percentage such as 10%", parse=parse, schema=schema)


_MOST = 10_000_000


def _percentage(value: float, least: int, bound: str) -> Amount:
    if value > 100 or (least and value == 0):  # noqa: PLR2004  # per cent
        raise ValueError(f"expected a percentage {bound}")
    return Amount(value, percent=True)


def _number(text: str) -> float:
    return float(text.replace("_", ""))


def _text(pattern: str) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^({pattern})$"}


def written_duration(seconds: float) -> str:
    """Seconds as a plan would write them, in the largest unit that leaves a whole number: `10m`."""
    for unit in ("d", "h", "m", "s"):
        count = seconds / UNITS_S[unit]
        if count >= 1 and count == int(count):
            return f"{int(count)}{unit}"
    return f"{seconds * 1000:g}ms" if 0 < seconds < 1 else f"{seconds:g}s"
