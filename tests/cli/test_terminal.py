"""What kind of terminal gets a live display."""

import io

import pytest

from orchestrator.cli.terminal import can_redraw, live


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
