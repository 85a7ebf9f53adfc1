"""A terminal that shows what a program writes to it, as a person would see it."""

import io
from collections.abc import Mapping

import pyte
from rich.console import Console


class Screen(io.StringIO):
    """Takes what is written, and keeps each picture that was shown.

    Attributes:
        pictures: the lines of the screen after each flush, without blanks at their ends.
    """

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        super().__init__()
        self.columns, self.rows = columns, rows
        self.pictures: list[list[str]] = []
        self._screen = pyte.HistoryScreen(columns, rows, ratio=0.001)
        self._screen.set_mode(pyte.modes.LNM)
        self._stream = pyte.Stream(self._screen)

    def write(self, text: str) -> int:
        self._stream.feed(text)
        return len(text)

    def flush(self) -> None:
        picture = self.lines
        if any(picture) and (not self.pictures or self.pictures[-1] != picture):
            self.pictures.append(picture)

    @property
    def lines(self) -> list[str]:
        """What it shows now, without empty lines at the end."""
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip().split("\n")

    @property
    def scrolled(self) -> int:
        """How many lines have left it at the top."""
        return len(self._screen.history.top)

    @property
    def colours(self) -> set[str]:
        """Of all letters that it shows now."""
        return {char.fg for row in self._screen.buffer.values() for char in row.values()}

    def console(self, environ: Mapping[str, str] | None = None) -> Console:
        """A console on it."""
        return Console(
            file=self,
            force_terminal=True,
            width=self.columns,
            height=self.rows,
            color_system="256",
            highlight=False,
            _environ={"TERM": "xterm-256color", **(environ or {})},
        )
