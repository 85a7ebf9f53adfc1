"""Lengths of time, numbers of things and words that were meant: one form each, for every line that people read."""

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
#: From so many days on, hours say nothing.
_MANY_DAYS = 10


def spoken(seconds: float) -> str:
    """A length of time in its two largest units: `40 s`, `12 min`, `2 h 05 min`, `2 d 7 h`, `23,046 d`."""
    if seconds < _MINUTE:
        return f"{seconds:.0f} s" if seconds >= 1 or seconds == 0 else "less than 1 s"
    if seconds < _HOUR - _MINUTE / 2:
        return f"{round(seconds / _MINUTE)} min"
    hours, minutes = divmod(round(seconds / _MINUTE), 60)
    days, hours_left = divmod(hours, 24)
    if days >= _MANY_DAYS:
        return f"{round(seconds / _DAY):,} d"
    return f"{days} d {hours_left} h" if days else f"{hours} h {minutes:02d} min"


def counted(number: int, one: str, many: str = "") -> str:
    """`1 upgrade`, `2,000 upgrades`; `many` where an s is not enough."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def nearest(word: str, known: list[str]) -> str | None:
    """The known word that was probably meant, if one is near enough."""
    from difflib import get_close_matches  # noqa: PLC0415  # only needed when something is wrong

    folded = {name.lower().replace("-", "_"): name for name in known}
    matches = get_close_matches(word.lower().replace("-", "_"), list(folded), n=1, cutoff=0.6)
    return folded[matches[0]] if matches else None
