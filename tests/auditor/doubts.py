"""Whether each doubt lasted as long as it had to, by this host's monotonic clock and by the cloud's `Date`, both."""

from collections.abc import Iterator
from datetime import datetime

from auditor.journal import Book, Line

#: Readings are written with milliseconds.
_TINY_S = 0.01


def doubt_problems(book: Book) -> Iterator[str]:
    """Disproofs that came before the doubt period had passed. What a line does not tell is not judged."""
    session: Line | None = None
    since: dict[str, tuple[Line | None, Line]] = {}
    for line in book.lines:
        match line["record"]:
            case "session_started":
                session = line
            case "intent" | "doubt_renewed":
                since[line["target"]] = (session, line)
            case "attempt_disproved" if line["target"] in since and line.get("clocks"):
                began, first = since[line["target"]]
                least_s = line.get("period_s", 0.0) - _TINY_S
                yield from _too_early(first, line, least_s, session if began is not session else None)


def _too_early(first: Line, last: Line, least_s: float, later: Line | None) -> Iterator[str]:
    """`later`: the session of the disproof, when it is not that of the attempt."""
    cloud_s = _cloud_s(first, last)
    if cloud_s is not None and cloud_s < least_s:
        yield f"{last['target']}: disproved {cloud_s:.1f} s after its attempt by the cloud's time, not {least_s:.1f} s"
    begins = first if later is None else later if cloud_s is None else None
    if begins is None or not begins.get("clocks"):
        return
    steady_s = last["clocks"]["monotonic_s"] - begins["clocks"]["monotonic_s"]
    if steady_s < least_s:
        yield f"{last['target']}: disproved {steady_s:.1f} s after its attempt by monotonic time, not {least_s:.1f} s"


def _cloud_s(first: Line, last: Line) -> float | None:
    """By the cloud, at most: its `Date` has whole seconds."""
    then, now = (first.get("clocks") or {}).get("cloud_at"), last["clocks"]["cloud_at"]
    if then is None or now is None:
        return None
    passed = datetime.fromisoformat(now) - datetime.fromisoformat(then)
    return passed.total_seconds() + float(last["clocks"]["within_s"])
