"""Why a text is not YAML: the place, and where it can be known, the cause and what to do."""

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Sequence

from yaml.error import MarkedYAMLError
from yaml.reader import ReaderError

from orchestrator.pattern import pattern

#: What looks like a space and is none to YAML, as it comes with text from web pages and word processors.
ODD_SPACES = frozenset("\u00a0\u1680\u202f\u205f\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200C))))

#: What a template tool, a shell or a launcher was to fill in.
_UNFILLED = pattern(r"\{\{|\{%|<%|\$\{|\$\(")
_LINE_END = pattern(r"\r\n|[\r\n]")
#: After a line that ends so, the next one begins further to the right.
_GOES_ON = (":", "|", ">", ",", "[", "{")
#: Dashes and signs that are none of a number, as word processors write them.
_DASHES = {ord(dash): "-" for dash in "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"}
_NO_ENTRY = "; a dash with a blank after it begins an entry of a list: write a number or a duration without it"
_FILL_IN = "; templates and variables are not filled in here: do it before, as with `envsubst < in.yaml > plan.yaml`"


class YamlProblem(Exception):
    """The text is not YAML, or YAML of a kind that is refused. Line and column count from 1."""

    def __init__(self, line: int, column: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


def unfilled(text: str) -> str:
    """The end of a message about a text in which a template or variable still stands; else nothing."""
    return _FILL_IN if _UNFILLED.search(text) else ""


def look_alike(text: str) -> str:
    """The end of a message about a text with full-width digits, typographic dashes and the like; else nothing."""
    if text.isascii():
        return ""
    from unicodedata import normalize  # noqa: PLC0415  # only when something is wrong

    plain = normalize("NFKC", text).translate(_DASHES)
    return f'; it has characters that only look like "{plain}"' if plain.isascii() and plain.isprintable() else ""


def odd_space(text: str) -> str:
    """Why a text that begins with one of `ODD_SPACES` is refused."""
    return f"begins with the character U+{ord(text[0]):04X}, which is no space to YAML; indent with spaces"


def utf16(data: bytes) -> str:
    """The end of a message about bytes that are UTF-16, as some editors and spreadsheets write; else nothing."""
    if data.startswith((BOM_UTF16_BE, BOM_UTF16_LE)) or b"\0" in data[:2]:
        return "; it looks like UTF-16: save it as UTF-8"
    return ""


def refused_problem(data: bytes, problem: YamlProblem) -> YamlProblem:
    """YAML of a kind that is refused; `{{ region }}` is read as a mapping in a mapping."""
    return YamlProblem(problem.line, problem.column, str(problem) + unfilled(_line(data, problem.line)))


def syntax_problem(data: bytes, error: MarkedYAMLError, too_deep: str) -> YamlProblem:
    """What the parser could not make sense of; `too_deep` is the message about too deep nesting."""
    mark = error.problem_mark or error.context_mark
    problem = " ".join(part for part in (error.context, error.problem) if part)
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    if "maximum nesting depth" in problem:  # LibYAML's own bound, met before ours when it reads ahead
        return YamlProblem(line, column, too_deep)
    cause = _cause(_line(data, line)) or _no_entry(_line(data, line), column) or shifted(_lines(data), line)
    return YamlProblem(line, column, f"not readable as YAML: {problem}{cause}")


def shifted(lines: Sequence[str], number: int) -> str:
    """The end of a message about a line that begins in a column of its own, as after one space too many; else nothing.

    Args:
        lines: of the text.
        number: of the line, from 1.
    """
    above = [(place, line) for place, line in enumerate(lines[: number - 1], 1) if _says_something(line)]
    if not above or number > len(lines) or not _says_something(lines[number - 1]):
        return ""
    (place, before), own = above[-1], _margin(lines[number - 1])
    if own > _content(before) and not before.rstrip().endswith(_GOES_ON):
        beside = f"line {place} in column {_content(before) + 1}"
        return f"; it begins in column {own + 1}, and {beside}: keys side by side begin in one column"
    if own < _content(before) and not any(own in (_margin(line), _content(line)) for _, line in above):
        return f"; it begins in column {own + 1}, in which no line above begins"
    return ""


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _margin(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _content(line: str) -> int:
    """Where the first key of a line begins, from 0: after the dash of an entry."""
    return len(line) - len(line.lstrip(" -"))


def _line(data: bytes, number: int) -> str:
    lines = _lines(data)
    return lines[number - 1] if number <= len(lines) else ""


def _lines(data: bytes) -> list[str]:
    """The lines of the text, as far as they can be read."""
    coding = "utf-16" if data.startswith((BOM_UTF16_BE, BOM_UTF16_LE)) else "utf-8-sig"
    return _LINE_END.split(data.decode(coding, "replace"))


def _cause(line: str) -> str:
    indentation = line[: len(line) - len(line.lstrip())]
    odd = ODD_SPACES.intersection(indentation)
    if odd:
        return f"; the line {odd_space(min(odd))}"
    return "; indent with spaces, not tabs" if "\t" in indentation else unfilled(line)


def _no_entry(line: str, column: int) -> str:
    """That a dash behind a key was taken for an entry of a list."""
    before, rest = line[: column - 1], line[column - 1 :]
    return _NO_ENTRY if rest.startswith("- ") and before.strip(" -") else ""


def text_problem(data: bytes, error: ReaderError) -> YamlProblem:
    """LibYAML counts bytes, PyYAML characters; the place of bad UTF-8 is found by decoding once more."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as broken:
        before = data[: broken.start]
        line, start = before.count(b"\n") + 1, before.rfind(b"\n") + 1
        column = len(before[start:].decode("utf-8", "replace")) + 1
        hint = utf16(data) or "; save it as UTF-8"
        return YamlProblem(line, column, f"not UTF-8: byte 0x{data[broken.start]:02x} cannot be read{hint}")
    return _bad_character(text, error, utf16(data))


def _bad_character(text: str, error: ReaderError, hint: str) -> YamlProblem:
    for number, line in enumerate(text.split("\n"), 1):
        for column, char in enumerate(line, 1):
            if not (char.isprintable() or char in "\t\r\x85" or ord(char) >= 0xA0):  # noqa: PLR2004  # YAML's own bound
                return YamlProblem(number, column, f"a YAML text must not hold the character U+{ord(char):04X}{hint}")
    return YamlProblem(1, 1, f"not readable as YAML: {error.reason}")
