"""What kind of terminal gets a live display."""

import io
import os
import pty
import sys
import termios

import pytest

from orchestrator.cli.terminal import can_redraw, columns, folded, live, tell, tells_people


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("term", "shown"), [("xterm", True), ("dumb", False), (None, True)])
def test_a_terminal_that_cannot_go_back_gets_no_display(
    monkeypatch: pytest.MonkeyPatch, term: str | None, shown: bool
) -> None:
    monkeypatch.setattr("sys.stderr", Terminal())
    monkeypatch.setattr("sys.stdout", Terminal())
    if term is None:
        monkeypatch.delenv("TERM", raising=False)
    else:
        monkeypatch.setenv("TERM", term)
    assert live(no_progress=False, quiet=False) is shown
    assert can_redraw() is shown
    assert not live(no_progress=True, quiet=False)


ROW = "    default  5e684f9633fddcd922d7bd7f5d9f3480in07  9fa71a5963243c73430e07f524329a26po01  app=sandbox tier=bronze"


def test_a_long_line_is_broken_between_words_and_no_id_is_torn() -> None:
    lines = folded(ROW, 80).split("\n")
    assert all(len(line) <= 80 for line in lines)
    assert lines[1].startswith("        9fa71a5963243c73430e07f524329a26po01  app=sandbox")
    assert " ".join(" ".join(lines).split()) == " ".join(ROW.split())


@pytest.mark.parametrize(
    ("line", "width"),
    [
        (ROW, 120),
        (ROW, 0),
        (f"{ROW} redo: orchestrator run plans/prod.yaml --only-outcome failed", 80),
        ("x" * 100, 80),
    ],
)
def test_a_line_that_fits_a_command_and_a_long_word_stay_whole(line: str, width: int) -> None:
    assert folded(line, width) == line


def test_letters_of_double_width_take_two_columns() -> None:
    assert [columns(text) for text in ("abc", "金丝雀", "e\u0301", "支付 1")] == [3, 6, 1, 6]
    lines = folded("  " + "金丝雀 " * 20, 40).split("\n")
    assert len(lines) > 1
    assert max(map(columns, lines)) <= 40


def test_what_is_told_on_a_terminal_is_broken_between_words(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 40))
    with os.fdopen(theirs, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        tell("a mistake that takes " + "more words than fit " * 3)
        stream.flush()
        lines = os.read(ours, 1000).decode().replace("\r", "").split("\n")
    os.close(ours)
    assert len(lines) > 2
    assert max(map(columns, lines)) <= 40


@pytest.mark.parametrize(
    ("form", "level", "file", "people"),
    [
        ("auto", "info", None, True),
        ("json", "info", None, False),
        ("auto", "debug", None, False),
        ("auto", "info", "f", False),
        ("console", "info", None, False),
        ("lines", "info", None, True),
        ("lines", "debug", None, False),
        ("lines", "info", "f", False),
    ],
)
def test_short_lines_are_for_a_person_who_asked_for_nothing_else(
    monkeypatch: pytest.MonkeyPatch, form: str, level: str, file: str | None, *, people: bool
) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert tells_people(form, level, file) is people
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert tells_people(form, level, file) is (people and form == "lines"), "a pipe gets them when it asks for them"
