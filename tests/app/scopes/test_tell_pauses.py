"""A verb without a journal says what it waits for: each pause once, however many calls met it."""

from datetime import timedelta

from fakes.clock import START
from msgspec.structs import replace

from orchestrator.app.scopes.tell_pauses import telling_pauses
from orchestrator.model.record import record as r

PAUSE = r.ScopeThrottled(at=START, scope="bj4", until=START + timedelta(seconds=40), why="too many requests")
TOLD = "scope bj4: the cloud asks for a pause, waiting 40 s, until 22:00:40 UTC: too many requests"


def said(*records: r.Record) -> list[str]:
    lines: list[str] = []
    note = telling_pauses(lines.append)
    for record in records:
        note(record)
    return lines


def test_a_pause_is_told_once_however_many_calls_met_it() -> None:
    met_too = replace(PAUSE, at=START + timedelta(seconds=1), until=PAUSE.until + timedelta(seconds=1))
    assert said(PAUSE, met_too, PAUSE) == [TOLD]


def test_a_longer_one_is_told_again_and_each_scope_for_itself() -> None:
    later = replace(PAUSE, at=PAUSE.until, until=PAUSE.until + timedelta(seconds=40))
    other = replace(PAUSE, scope="sh1")
    assert [line.split(":")[0] for line in said(PAUSE, later, other)] == ["scope bj4", "scope bj4", "scope sh1"]


def test_a_pause_that_nobody_notices_is_not_told_nor_what_the_verb_ends_with() -> None:
    short = replace(PAUSE, until=START + timedelta(seconds=1))
    paused = r.ScopePaused(at=START, scope="bj4", why="connection refused")
    assert said(short, paused) == []


def test_of_a_pause_too_long_to_be_believed_the_next_probe_is_told() -> None:
    (line,) = said(replace(PAUSE, until=START + timedelta(hours=9), probe_at=START + timedelta(hours=1)))
    assert "waiting 1 h 00 min, until 23:00:00 UTC" in line
