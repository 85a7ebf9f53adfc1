"""What is printed: as it is into files and pipes, and harmless on a terminal."""

import io
import json
import sys

import pytest

from orchestrator.cli.terminal import write_file

#: An escape, one that is a single character, and one that turns the direction of what follows.
ODD = "a\x1b[2Jb\x9bc\u202ed"


class Screen(io.TextIOWrapper):
    """A standard output that says it is a terminal, or not."""

    def __init__(self, *, terminal: bool) -> None:
        self.bytes = io.BytesIO()
        super().__init__(self.bytes, encoding="utf-8")
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


def printed(form: str, text: str, monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> str:
    screen = Screen(terminal=terminal)
    monkeypatch.setattr(sys, "stdout", screen)
    write_file([text.encode()], form)
    return screen.bytes.getvalue().decode()


@pytest.mark.parametrize("form", ["json", "csv"])
def test_a_document_on_a_terminal_moves_no_cursor(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"{json.dumps({'reason': ODD}, ensure_ascii=False)}\n" if form == "json" else f"1,{ODD}\n2,ü\n"
    shown = printed(form, text, monkeypatch, terminal=True)
    assert all(character.isprintable() or character == "\n" for character in shown)
    if form == "json":
        assert json.loads(shown) == {"reason": ODD}
    else:
        assert shown.endswith("\n2,ü\n")


@pytest.mark.parametrize("form", ["json", "csv"])
def test_a_document_in_a_pipe_is_as_in_a_file(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert printed(form, f"1,{ODD}\n", monkeypatch, terminal=False) == f"1,{ODD}\n"
