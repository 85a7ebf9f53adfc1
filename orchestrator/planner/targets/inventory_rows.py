"""Lines of CSV and NDJSON as names and texts: what can be wrong with a file before its meaning is looked at."""

import csv
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import msgspec
from msgspec import Struct

from orchestrator.host import path_of
from orchestrator.model.foreign import Unreadable, read_json
from orchestrator.planner.plan_file.schema_targets import PROXY
from orchestrator.planner.reading.problems import Problems, nearest, quote

#: The columns with a meaning; every other one is a label.
KNOWN = [entry.key for entry in PROXY.fields if entry.key != "labels"]
REQUIRED = sorted(PROXY.required)

_MAX_LINE = 1024 * 1024

#: Columns of a CSV file, and keys of a JSON object: each becomes a label that every target carries.
MAX_COLUMNS = 200

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Row(Struct, gc=False):
    """One line: where it begins, and its texts by column. A cell without text is not there."""

    line: int
    texts: dict[str, str]


def csv_rows(path: str, problems: Problems) -> Iterator[Row]:
    """The rows of a CSV file with a header line; UTF-8, a byte order mark and any line ends are fine."""
    try:
        with open(path_of(path), encoding="utf-8-sig", newline="") as file:  # noqa: PTH123  # streams beside its binary twin
            yield from _csv_rows(file, problems)
    except UnicodeDecodeError:
        problems.at_place(_bad_line(path), 0, "not UTF-8")
    except OSError as error:
        problems.at_place(1, 0, f"cannot be read: {error.strerror}")


def _csv_rows(file: Iterable[str], problems: Problems) -> Iterator[Row]:
    reader = csv.reader(file, strict=True)
    begins = 1
    try:
        header = [name.strip() for name in next(reader, [])]
        if not _header_is_good(header, problems):
            return
        begins = reader.line_num + 1
        for cells in reader:
            if len(cells) == len(header):
                texts = {name: text for name, cell in zip(header, cells, strict=True) if (text := cell.strip())}
                if texts:
                    yield Row(begins, texts)
            elif any(cell.strip() for cell in cells):
                problems.at_place(begins, 0, f"has {len(cells)} cells where the header has {len(header)}")
            begins = reader.line_num + 1
    except csv.Error as error:
        problems.at_place(begins, 0, f"not readable as CSV: {error}")


def _header_is_good(header: list[str], problems: Problems) -> bool:
    before = len(problems)
    if len(header) > MAX_COLUMNS:
        problems.at_place(1, 0, f"the header has {len(header):,} columns, more than {MAX_COLUMNS}")
        return False
    for column in REQUIRED:
        if column not in header:
            hint = "; separate the columns by commas" if len(header) == 1 and ";" in header[0] else ""
            problems.at_place(1, 0, f"the header has no column {column}{hint}")
    for index, name in enumerate(header):
        if not name:
            problems.at_place(1, 0, f"column {index + 1} has no name")
        elif name in header[:index]:
            problems.at_place(1, 0, f"two columns are called {name}")
        elif wrong := doubtful_label(name):
            problems.at_place(1, 0, wrong)
    return len(problems) == before


def doubtful_label(name: str) -> str | None:
    """Why a column would better not become a label: it looks like one with a meaning, whose guard would be lost."""
    if name in KNOWN:
        return None
    if name == "labels":
        return "labels: write one column for each label"
    near = nearest(name, KNOWN)
    if near and _much_alike(name, near):
        return f"{name}: looks like {near} and would become a label; call it otherwise"
    return None


def _much_alike(name: str, known: str) -> bool:
    from difflib import SequenceMatcher  # noqa: PLC0415  # `nearest` has just found this worth a closer look

    return SequenceMatcher(None, name.lower().replace("-", "_").replace(" ", "_"), known).ratio() > 0.85  # noqa: PLR2004


def ndjson_rows(path: str, problems: Problems) -> Iterator[Row]:
    """The rows of a file with one JSON object a line; blank lines are skipped. Labels may also stand in `labels`."""
    known = set(KNOWN)
    try:
        with open(path_of(path), "rb") as file:  # noqa: PTH123  # bytes, for msgspec decodes them faster than text
            for number, line in enumerate(iter(partial(file.readline, _MAX_LINE), b""), 1):
                row = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                if row.isspace() or not row:
                    continue
                try:
                    yield Row(number, _texts(read_json(row, _decode), row, known))
                except ValueError as error:
                    problems.at_place(number, 0, _reason(error, row))
    except OSError as error:
        problems.at_place(1, 0, f"cannot be read: {error.strerror}")


def _reason(error: ValueError, row: bytes) -> str:
    if isinstance(error, Unreadable):
        return "is longer than 1 MiB" if len(row) >= _MAX_LINE else f"expected one JSON object: {error}"
    return str(error)


def _texts(found: dict[str, Any], line: bytes, known: set[str]) -> dict[str, str]:
    """The texts of an object. `known` collects the keys that may be there, so that each is looked at once."""
    keys = len(found)
    if "labels" in found:
        keys += _spread_labels(found)
    if keys > MAX_COLUMNS:
        raise ValueError(f"has {keys:,} keys, more than {MAX_COLUMNS}")
    if line.count(b'":') != keys:
        _refuse_repeated_keys(line)
    if not found.keys() <= known:
        _learn(found, known)
    for value in found.values():
        if type(value) is not str or not value:
            return {name: text for name, given in found.items() if (text := _as_text(name, given))}
    return found


def _learn(found: dict[str, Any], known: set[str]) -> None:
    for name in found:
        if wrong := doubtful_label(name):
            raise ValueError(wrong)
        known.add(name)


def _spread_labels(found: dict[str, Any]) -> int:
    """Move the labels of an object up into it. How many there are."""
    labels = found.pop("labels")
    if not isinstance(labels, dict):
        raise ValueError("labels: expected names and values")  # noqa: TRY004  # a problem of the file, as the others
    for name, value in labels.items():
        if name in found or name in KNOWN:
            raise ValueError(f"labels.{name}: stands beside labels too, or is no name for a label")
        found[name] = value
    return len(labels)


def _refuse_repeated_keys(line: bytes) -> None:
    """The fast decoder keeps the last of equal keys; where the count of keys looks wrong, look once more."""

    def check(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        if len(set(names)) < len(names):
            raise ValueError(f"duplicate key {next(name for name in names if names.count(name) > 1)}")
        return dict(pairs)

    from json import loads  # noqa: PLC0415  # a rare second look

    loads(line.decode("utf-8-sig"), object_pairs_hook=check)


def _as_text(name: str, value: Any) -> str:
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case _:
            raise ValueError(f"{name}: expected text, got {quote(str(value))}")


def _bad_line(path: str) -> int:
    with open(path_of(path), "rb") as file:  # noqa: PTH123  # as above
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8-sig")
            except UnicodeDecodeError:
                return number
    return 1
