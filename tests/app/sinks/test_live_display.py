"""What a person sees of a run on a terminal: of one height, never wider, nothing that wraps, nothing that is not so."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from fakes.rollouts import LENIENT, failing, stage_of
from fakes.screen import Screen
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from rich.cells import cell_len

from orchestrator.app.sinks.live_display import LiveDisplay
from orchestrator.app.sinks.live_frame import Picture, WaveLine, frame
from orchestrator.app.sinks.progress_words import checked_words
from orchestrator.app.sinks.tee import RecordSink
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Wave
from orchestrator.model.record.record import Record

#: The colours that themes make readable on dark and on light.
THEMED = {"default", "green", "red", "brown"}  # pyte's name of the yellow of old terminals
WAVES = (
    Wave(name="金丝雀", size=Amount(2), soak_s=60.0),
    Wave(name="early", size=Amount(3)),
    Wave(name="rest", approve=True),
)
LONG = "早期的波次 which nobody would ever call a wave, but who knows " * 3


class Watched(RecordSink):
    """A live display of a session on a screen of its own."""

    name: ClassVar = "the display"

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self._display: LiveDisplay | None = None

    def take(self, record: Record) -> None:
        if self._display is not None:
            self._display.take(record)

    async def serve(self, dispatcher: Dispatcher) -> None:
        self._display = LiveDisplay(dispatcher.session.run, "支付 orders", self.screen.console(), refresh_s=10.0)
        await self._display.serve(dispatcher)


def pictures(screen: Screen, **changes: Any) -> list[list[str]]:
    """Of a session that ends at the approval of the last wave; one target of it fails."""
    stage = stage_of(8, failing(0), waves=WAVES, **changes)
    replace(stage, sinks=(Watched(screen),)).play()
    return screen.pictures


@pytest.fixture(scope="module")
def night() -> Screen:
    screen = Screen()
    pictures(screen)
    return screen


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 40), (40, 12), (20, 5)])
def test_a_run_has_one_height_from_its_first_picture_to_its_last(columns: int, rows: int) -> None:
    screen = Screen(columns, rows)
    shown = pictures(screen)
    titles = [[number for number, line in enumerate(picture) if "支" in line.replace(" ", "")] for picture in shown]
    assert all(found == [0] for found in titles), "the title stands once, at the top"
    assert screen.scrolled == 0
    last = min(rows - 1, 11)
    heights = {len(picture) for picture in shown}
    assert heights == {last} if rows > last + 1 else max(heights) <= last


def test_what_matters_stands_in_the_tail(night: Screen) -> None:
    tail = "\n".join(night.pictures[-1][-4:-1])
    assert "HELD: wave rest waits for approval" in tail
    assert "failed: job" in "\n".join(line for picture in night.pictures for line in picture)


def test_a_held_fleet_says_what_holds_it_and_no_time_left(night: Screen) -> None:
    picture = "\n".join(night.pictures[-1])
    assert "HELD" in night.pictures[-1][0]
    assert "now     HELD: wave rest waits for approval; nothing starts" in picture
    assert "left" not in night.pictures[-1][0]
    assert "waits for the" not in picture


def test_what_is_about_to_be_sent_is_counted_in_words() -> None:
    assert [checked_words(count) for count in (0, 1, 1200)] == [
        "",
        ", 1 being checked before it is sent",
        ", 1,200 being checked before they are sent",
    ]


def test_a_soak_changes_no_bar_and_no_column(night: Screen) -> None:
    soaking = next(picture for picture in night.pictures if any("soaks to" in line for line in picture))
    for line, other in zip(soaking[1:4], night.pictures[0][1:4], strict=True):
        assert line.index("/") == other.index("/")


def test_only_colours_that_light_and_dark_themes_have_are_used(night: Screen) -> None:
    assert night.colours <= THEMED
    assert "green" in night.colours


def test_without_colours_the_bars_say_the_same() -> None:
    screen = Screen()
    console = screen.console({"NO_COLOR": "1"})
    wave = WaveLine(name="one", well=3, ill=1, open=2, total=12, state="open", words="failed 1")
    console.print(*frame(shown_of([wave]), 80, 24), sep="\n")
    assert screen.colours == {"default"}
    assert "###x>>......" in screen.lines[1]


def test_of_more_waves_than_lines_those_that_are_not_done_are_shown() -> None:
    waves = [
        WaveLine(name=f"w{number}", well=int(number < 30), ill=0, open=0, total=1, state="open", words="")
        for number in range(50)
    ]
    lines = [line.plain for line in frame(shown_of(waves), 80, 24)]
    assert len(lines) == 23
    assert lines[1].startswith("w30 ")
    assert "and 36 more waves" in lines[15]


@settings(max_examples=40, deadline=timedelta(seconds=5))
@given(
    st.integers(1, 130),
    st.integers(1, 50),
    st.lists(st.tuples(st.text(max_size=30), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)), max_size=20),
    st.text(max_size=200),
)
def test_no_line_is_ever_wider_than_the_terminal(
    columns: int, rows: int, waves: list[tuple[str, int, int, int]], words: str
) -> None:
    said = "".join(char for char in words if char.isprintable()) + LONG
    lines = [
        WaveLine(name=name, well=well, ill=ill, open=still, total=30, state=said, words=said)
        for name, well, ill, still in waves
    ]
    shown = Picture(title=said, progress=said, waves=lines, now=said, speed=said, tail=[said] * 5)
    made = frame(shown, columns, rows)
    assert max(cell_len(line.plain) for line in made) <= columns
    assert len(made) == len(frame(shown_of(lines), columns, rows)) <= rows


def shown_of(waves: list[WaveLine]) -> Picture:
    return Picture(title="fleet -> 2", progress="3 of 9 settled", waves=waves, now="waits", speed="2/s", tail=["one"])


def test_a_budget_that_is_used_up_holds_and_is_told_at_once() -> None:
    screen = Screen()
    strict = structs.replace(LENIENT, max=Amount(0), mode="strict")
    assert isinstance(strict, Failures)
    shown = pictures(screen, failures=strict)
    assert "HELD: " in "\n".join(shown[-1][-4:-1])
