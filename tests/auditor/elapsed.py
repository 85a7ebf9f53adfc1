"""Whether each doubt, follow and soak lasted as long as it had to, by this host's monotonic clock and by the cloud's
`Date`, both. What a line does not tell is not judged.

A cloud's clock that is set, far or near, forth or back, is no time that passes: the lines tell by how much it was set,
and within which while. Only that while may be lost.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
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


class Shown(NamedTuple):
    """What a cloud's clock showed at both ends."""

    first: datetime
    last: datetime


class Begun(NamedTuple):
    """Where a time begins that has to last: number of the line, number of that which began its session, the line."""

    number: int
    session: int
    line: Line


def elapsed_problems(book: Book) -> Iterator[str]:
    """Conclusions for which too little time had passed."""
    session = 0
    since: dict[tuple[str, str], Begun] = {}
    for number, line in enumerate(book.lines):
        key = line["target"] or line.get("wave") or ""
        session = number if line["record"] == "session_started" else session
        since[line["record"], key] = Begun(number, session, line)
        begun = [since[name, key] for name in _BEGINS.get(line["record"], ()) if (name, key) in since]
        if begun and line.get("clocks"):
            for problem in _too_early(book.lines, max(begun), Begun(number, session, line)):
                yield f"{key}: {problem}"


def _too_early(lines: Sequence[Line], first: Begun, last: Begun) -> Iterator[str]:
    least_s = _least_s(first.line, last.line)
    for passed_s, clock in _passed(lines, first, last):
        if passed_s < least_s - _TINY_S:
            names = last.line["record"], first.line["record"]
            yield f"{names[0]} {passed_s:.1f} s after {names[1]} by {clock}, not {least_s:.1f} s"


def _least_s(first: Line, last: Line) -> float:
    """How long it had to last; 0 when no line tells."""
    if first["record"] == "wave_soaking":
        return _seconds(_at(first), datetime.fromisoformat(first["until"]))
    return float(last.get("period_s", 0.0))


def _passed(lines: Sequence[Line], first: Begun, last: Begun) -> Iterator[tuple[float, str]]:
    """Seconds by each clock that tells."""
    here = first.session == last.session
    clouds_s = [_cloud_s(lines, clocks, first, last) for clocks in _clouds(first.line)]
    known_s = [seconds for seconds in clouds_s if seconds is not None]
    if known_s:
        yield max(known_s), "the cloud's time"
    if known_s and not here:
        host_s = [
            _seconds(_at(line), _at(last.line))
            for line in (first.line, lines[last.session])
            if line.get("at") and last.line.get("at")
        ]
        if host_s:  # one that went back tells of this session alone
            yield max(host_s), "this host's clock"
    begins = first.line if here else None if known_s else lines[last.session]
    if begins is not None and begins.get("clocks"):
        yield last.line["clocks"]["monotonic_s"] - begins["clocks"]["monotonic_s"], "monotonic time"


def _clouds(line: Line) -> list[Clocks]:
    """The clocks of each scope, where it concerns several."""
    return list((line.get("clouds") or {}).values()) or [line.get("clocks") or {}]


def _cloud_s(lines: Sequence[Line], then: Clocks, first: Begun, last: Begun) -> float | None:
    """By the cloud, at most: its `Date` has whole seconds. Lines do not tell which scope's cloud it was."""
    now = last.line["clocks"]
    if then.get("cloud_at") is None or now["cloud_at"] is None:
        return None
    shown = Shown(datetime.fromisoformat(then["cloud_at"]), datetime.fromisoformat(now["cloud_at"]))
    told = [line for line in lines[last.session : last.number] if line["record"] == "cloud_time_learned"]
    tales = [[line for line in told if line["scope"] == scope] for scope in {line["scope"] for line in told}]
    here = first.session == last.session
    seconds = [_by_tale(shown, tale, _at(first.line) if here else None) for tale in tales] or [_seconds(*shown)]
    return max(seconds) + float(now["within_s"])


def _by_tale(shown: Shown, tale: Sequence[Line], since: datetime | None) -> float:
    """What passed by a clock of which a session tells this; `since`: None when it began in another session."""
    if since is not None:
        return _seconds(*shown) - _set_s(tale, since)
    known = _at(tale[0])
    least = known + timedelta(seconds=min(line["offset_s"] for line in tale))
    began = known + timedelta(seconds=tale[0]["offset_s"])
    return max(0.0, _seconds(shown.first, least)) + _seconds(began, shown.last) - _set_s(tale, known)


def _set_s(tale: Sequence[Line], since: datetime) -> float:
    """By how much the clock was set since then, in no time at all."""
    set_s = 0.0
    for before, line in pairwise(tale):
        by_s, lost_s = line["offset_s"] - before["offset_s"], _seconds(since, _at(line))
        if line.get("unsure_s") is not None:
            lost_s = min(lost_s, line["unsure_s"])
        if lost_s >= 0:
            set_s += by_s if by_s > 0 else min(0.0, by_s + lost_s)
    return set_s


def _at(line: Line) -> datetime:
    return datetime.fromisoformat(line["at"])


def _seconds(first: datetime, last: datetime) -> float:
    return (last - first).total_seconds()
