"""A run told in lines: one for each event, one every half minute, none that matters less than was asked for."""

from dataclasses import replace
from typing import ClassVar

from fakes.clock import START
from fakes.rollouts import failing, stage_of

from orchestrator.app.sinks.event_lines import EventLines
from orchestrator.app.sinks.tee import RecordSink
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.log import Level
from orchestrator.model.record.record import Record


class Heard(RecordSink):
    name: ClassVar = "the log"

    def __init__(self, level: Level) -> None:
        self.lines: list[str] = []
        self._level = level
        self._sink: EventLines | None = None

    def take(self, record: Record) -> None:
        if self._sink is not None:
            self._sink.take(record)

    async def serve(self, dispatcher: Dispatcher) -> None:
        self._sink = EventLines(dispatcher.session.run, self.lines.append, self._level)
        await self._sink.serve(dispatcher)


def heard(level: Level = "info") -> list[str]:
    listener = Heard(level)
    replace(stage_of(3, failing(0)), sinks=(listener,)).play()
    return listener.lines


def test_each_event_is_one_short_line_that_names_the_proxy() -> None:
    lines = heard()
    assert all(line[2] == line[5] == ":" for line in lines)
    (failed,) = (line for line in lines if "failed: job" in line)
    assert failed.split("  ")[1] == "app=a0 00000000"
    assert any(line.endswith("  the cloud accepted it") for line in lines)


def test_every_half_minute_a_line_says_where_the_run_stands() -> None:
    beats = [line for line in heard() if " settled, " in line]
    assert beats[0].startswith(f"{START:%H:%M}:30  0 of 3 settled, 3 in flight, about ")
    assert all("; waits for " in line for line in beats)


def test_what_matters_less_than_was_asked_for_is_not_told() -> None:
    events = [line for line in heard("warning") if " settled, " not in line]
    assert events
    assert all("failed: " in line or "HELD" in line for line in events)
