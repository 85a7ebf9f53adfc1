"""Whether each doubt, follow and soak lasted as long as it had to, by this host's monotonic clock and by the cloud's
`Date`, both. What a line does not tell is not judged.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple, TypeAlias

from auditor.journal import Book, Line

#: Readings are written with milliseconds.
_TINY_S = 0.01

#: Clocks as a line tells them.
Clocks: TypeAlias = Line

#: What ends a time that has to last, by the lines that begin it.
_BEGINS = {
    "attempt_disproved": ("intent", "doubt_renewed"),
    "follow_timed_out": ("intent",),
    "wave_done": ("wave_soaking",),
}


class Begun(NamedTuple):
    """Where a time begins that has to last: number of the line, its session, and the line itself."""

    number: int
    session: Line | None
    line: Line


def elapsed_problems(book: Book) -> Iterator[str]:
    """Conclusions for which too little time had passed."""
    session: Line | None = None
    since: dict[tuple[str, str], Begun] = {}
    for number, line in enumerate(book.lines):
        key = line["target"] or line.get("wave") or ""
        session = line if line["record"] == "session_started" else session
        since[line["record"], key] = Begun(number, session, line)
        begun = [since[name, key] for name in _BEGINS.get(line["record"], ()) if (name, key) in since]
        if begun and line.get("clocks"):
            first = max(begun)
            later = session if first.session is not session else None
            for problem in _too_early(first.line, line, later):
                yield f"{key}: {problem}"


def _too_early(first: Line, last: Line, later: Line | None) -> Iterator[str]:
    """`later`: the session that the time ended in, when it is not that in which it began."""
    least_s = _least_s(first, last)
    for passed_s, clock in _passed(first, last, later):
        if passed_s < least_s - _TINY_S:
            yield f"{last['record']} {passed_s:.1f} s after {first['record']} by {clock}, not {least_s:.1f} s"


def _least_s(first: Line, last: Line) -> float:
    """How long it had to last; 0 when no line tells."""
    if first["record"] == "wave_soaking":
        return (datetime.fromisoformat(first["until"]) - datetime.fromisoformat(first["at"])).total_seconds()
    return float(last.get("period_s", 0.0))


def _passed(first: Line, last: Line, later: Line | None) -> Iterator[tuple[float, str]]:
    """Seconds by each clock that tells."""
    clouds_s = [_cloud_s(clocks, last["clocks"]) for clocks in _clouds(first)]
    known_s = [seconds for seconds in clouds_s if seconds is not None]
    if known_s:
        yield max(known_s), "the cloud's time"
    begins = first if later is None else None if known_s else later
    if begins is not None and begins.get("clocks"):
        yield last["clocks"]["monotonic_s"] - begins["clocks"]["monotonic_s"], "monotonic time"


def _clouds(line: Line) -> list[Clocks]:
    """The clocks of each scope, where it concerns several."""
    return list((line.get("clouds") or {}).values()) or [line.get("clocks") or {}]


def _cloud_s(then: Clocks, now: Clocks) -> float | None:
    """By the cloud, at most: its `Date` has whole seconds."""
    if then.get("cloud_at") is None or now["cloud_at"] is None:
        return None
    passed = datetime.fromisoformat(now["cloud_at"]) - datetime.fromisoformat(then["cloud_at"])
    return passed.total_seconds() + float(now["within_s"])
