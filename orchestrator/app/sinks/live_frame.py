"""The live display as lines of a fixed number, none wider than the terminal, whatever is in them. Pure.

Only the colours that a terminal has for light and dark are used, and no letter of the frame has a width that depends on
the font: bars are of plain ASCII, and say without colours what they say with them.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec
from rich.cells import cell_len, chop_cells, set_cell_size
from rich.text import Text

#: What is left for the waves is the height without title, two lines of what is waited for, speed, tail and legend.
_OTHER_LINES = 8
TAIL = 3
_NOW = 2
_LABEL = 8
#: From so many columns on there is room for long bars and long states.
_WIDE = 100
_LEGEND = "Ctrl-C: no new starts, what is in flight goes on.  # well  x ill  > in flight"


class WaveLine(msgspec.Struct, frozen=True):
    """What is shown of a wave: how many of its targets ended well or not, are open, and are to come; its state."""

    name: str
    well: int
    ill: int
    open: int
    total: int
    state: str
    words: str

    @property
    def settled(self) -> int:
        """Targets that have ended."""
        return self.well + self.ill


class Picture(msgspec.Struct, frozen=True):
    """Everything that one picture shows, in words.

    Attributes:
        title: fleet and version.
        progress: how far it has come, in numbers.
        now: what is waited for.
        speed: what bounds it.
        tail: the latest things that mattered, the newest last.
    """

    title: str
    progress: str
    waves: Sequence[WaveLine]
    now: str
    speed: str
    tail: Sequence[str]


def frame(shown: Picture, columns: int, rows: int) -> list[Text]:
    """The lines of one picture: as many for one run and one terminal, whatever has happened.

    Args:
        shown: what is on it.
        columns: of the terminal.
        rows: of the terminal; what does not fit is left out from below.
    """
    width = max(1, columns - 1)  # a letter in the last column would make some terminals go on to the next line
    lines = [
        _title(shown, width),
        *_waves(shown.waves, width, max(1, rows - 1 - _OTHER_LINES)),
        *_labelled("now", _padded(list(islice(_folded(shown.now, width - _LABEL), _NOW + 1)), _NOW), width),
        *_labelled("speed", [shown.speed], width),
        *(Text(_fitted(line, width)) for line in _padded(list(shown.tail[-TAIL:]), TAIL)),
        Text(_fitted(_LEGEND, width), style="dim"),
    ]
    for line in lines:
        line.truncate(width)  # what keeps its columns at any usual width
    return lines[: max(1, rows - 1)]


def _title(shown: Picture, width: int) -> Text:
    least = min(cell_len(shown.title), width // 3)
    right = min(cell_len(shown.progress), max(0, width - least - 2))
    line = Text.assemble((_fitted(shown.title, max(0, width - right - 2)), "bold"), "  ")
    line.append(_fitted(shown.progress, right))
    return line


def _waves(waves: Sequence[WaveLine], width: int, room: int) -> Iterator[Text]:
    """All of them, or those from the first on that is not done, and how many more there are."""
    if len(waves) <= room:
        yield from (_wave(wave, waves, width) for wave in waves)
        return
    current = next((number for number, wave in enumerate(waves) if wave.settled < wave.total), len(waves))
    first = max(0, min(current, len(waves) - room + 1))
    yield from (_wave(wave, waves, width) for wave in waves[first : first + room - 1])
    yield Text(_fitted(f"and {len(waves) - room + 1} more waves", width), style="dim")


def _wave(wave: WaveLine, waves: Sequence[WaveLine], width: int) -> Text:
    wide = width >= _WIDE
    named = min(max(cell_len(each.name) for each in waves), width // 4)
    digits = max(len(f"{each.total}") for each in waves)
    count = f"{wave.settled:>{digits}}/{wave.total:<{digits}}"
    line = Text.assemble(_fitted(wave.name, named), "  ", *_bar(wave, 30 if wide else 12), f"  {count}  ")
    line.append(_fitted(wave.state, 21 if wide else 17) + "  ")
    line.append(_fitted(wave.words, max(0, width - line.cell_len)))
    return line


def _bar(wave: WaveLine, width: int) -> Iterator[tuple[str, str]]:
    """Each part as long as its share; together never longer than the bar."""
    total, end, drawn = max(1, wave.total), 0, 0
    for number, letter, style in ((wave.well, "#", "green"), (wave.ill, "x", "red"), (wave.open, ">", "yellow")):
        end += number
        length = min(width, width * end // total) - drawn
        yield letter * length, style
        drawn += length
    yield "." * (width - drawn), "dim"


def _labelled(label: str, lines: Sequence[str], width: int) -> Iterator[Text]:
    for number, line in enumerate(lines):
        yield Text(f"{label if not number else '':<{_LABEL}}" + _fitted(line, width - _LABEL))


def _padded(lines: list[str], number: int) -> list[str]:
    """Exactly so many; the last one says when more would follow."""
    if len(lines) > number:
        lines[number - 1] += " …"
    return [*lines, *[""] * number][:number]


def _folded(text: str, width: int) -> Iterator[str]:
    """Broken between words, and within a word that is wider than a line."""
    line = ""
    for word in text.split(" "):
        for part in chop_cells(word, max(2, width)) or [""]:
            longer = f"{line} {part}" if line else part
            if line and cell_len(longer) > width:
                yield line
                line = part
            else:
                line = longer
    yield line


def _fitted(text: str, width: int) -> str:
    """In exactly so many columns: filled up, or cut with a mark."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1) + "…" if width > 1 else set_cell_size(text, max(0, width))
