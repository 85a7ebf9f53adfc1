"""Lengths of time as people say them."""


def spoken(seconds: float) -> str:
    """A length of time in the two largest units: `2 h 05 min`."""
    if seconds < 60:  # noqa: PLR2004  # seconds of a minute
        return f"{seconds:.0f} s" if seconds >= 1 or seconds == 0 else "less than 1 s"
    minutes = round(seconds / 60)
    if minutes < 60:  # noqa: PLR2004  # minutes of an hour
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    days, hours_left = divmod(hours, 24)
    return f"{days} d {hours_left} h" if days else f"{hours} h {minutes:02d} min"
