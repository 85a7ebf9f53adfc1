"""What kind of terminal gets a live display."""

import io

import pytest

from orchestrator.cli.terminal import can_redraw, folded, live


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
