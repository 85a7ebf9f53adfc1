"""Durations that the cloud writes as free text, such as `30s`, `about 10 minutes`, `5-10 min`, `1h30m`, `10分钟`. Pure.

No source says in which form or unit they come (SDK, `proxy_engine_risk.py`: two strings). So a number counts only with
its unit; of a range the end counts; a text with anything else in it says nothing.
"""

import re

from orchestrator.pattern import pattern

_UNITS_S = {
    1.0: ("s", "sec", "secs", "second", "seconds", "秒", "秒钟"),
    60.0: ("m", "min", "mins", "minute", "minutes", "分", "分钟"),
    3600.0: ("h", "hr", "hrs", "hour", "hours", "小时", "时"),
    0.001: ("ms", "millisecond", "milliseconds", "毫秒"),
}
_UNIT_S = {word: seconds for seconds, words in _UNITS_S.items() for word in words}

_NUMBER = r"\d{1,7}(?:\.\d{1,3})?"
_WORDS = "|".join(sorted(map(re.escape, _UNIT_S), key=len, reverse=True))
_PART = rf"{_NUMBER}(?:{_WORDS})"
_ROUGHLY = r"(?:about|approx\.?|approximately|around|upto|atmost|lessthan|within|<=?|≤|~|≈|约|大约|不超过|小于)?"
_FROM = rf"(?:{_NUMBER}(?:{_WORDS})?(?:-|~|to|至|到))?"
_WHOLE = pattern(rf"{_ROUGHLY}{_FROM}(?P<end>(?:{_PART}){{1,4}})(?:左右)?\.?")
_EACH = pattern(rf"({_NUMBER})({_WORDS})")

_TWO_NUMBERS = pattern(r"\d\s\d")

_LONGEST_TEXT = 80
#: No upgrade that anyone would begin takes longer.
_MOST_S = 24 * 3600.0


def seconds_in(written: str | None) -> float | None:
    """The seconds that a text names; None when it names none, or more than a day."""
    if written is None or len(written) > _LONGEST_TEXT or _TWO_NUMBERS.search(written):
        return None
    plain = "".join(written.lower().replace(", ", " ").split())
    if (found := _WHOLE.fullmatch(plain)) is None:
        return None
    seconds = sum(float(number) * _UNIT_S[unit] for number, unit in _EACH.findall(found["end"]))
    return seconds if seconds <= _MOST_S else None
