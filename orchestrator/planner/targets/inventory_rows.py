"""Lines of CSV and NDJSON as names and texts: what can be wrong with a file before its meaning is looked at."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct

from orchestrator.host import is_lasting, open_to_read, path_of
from orchestrator.model.reply.foreign import Unreadable, read_json
from orchestrator.planner.reading.problems import Problems, quote
from orchestrator.planner.reading.yaml_problems import utf16
from orchestrator.planner.targets.inventory_header import KNOWN, MAX_COLUMNS, doubtful_label, header_is_good
from orchestrator.planner.targets.inventory_lines import bounded_lines

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Row(Struct, gc=False):
    """One line: where it begins, and its texts by column. A cell without text is not there."""

    line: int
    texts: dict[str, str]


def csv_rows(path: str, problems: Problems) -> Iterator[Row]:
    """The rows of a CSV file with a header line; UTF-8, a byte order mark and any line ends are fine."""
    try:
        with open(path_of(path), encoding="utf-8-sig", newline="", opener=open_to_read) as file:
            yield from _csv_rows(bounded_lines(file.readline, problems), problems)
    except UnicodeDecodeError:
        problems.at_place(*_bad_line(path))
    except OSError as error:
        problems.at_place(1, 0, f"cannot be read: {error.strerror}")


def _csv_rows(file: Iterable[str], problems: Problems) -> Iterator[Row]:
    reader = csv.reader(file, strict=True)
    begins = 1
    try:
        header = [name.strip() for name in next(reader, [])]
        if not header_is_good(header, problems):
            return
        begins = reader.line_num + 1
        for cells in reader:
            if len(cells) == len(header):
                texts = {name: text for name, cell in zip(header, cells, strict=True) if (text := cell.strip())}
                if texts:
                    yield Row(begins, texts)
            elif any(cell.strip() for cell in cells):
                wrong = f"has {len(cells):,} cells where the header has {len(header)}{_no_comment(cells)}"
                problems.at_place(begins, 0, wrong)
            begins = reader.line_num + 1
    except csv.Error as error:
        problems.at_place(begins, 0, f"not readable as CSV: {error}")


def ndjson_rows(path: str, problems: Problems) -> Iterator[Row]:
    """The rows of a file with one JSON object a line; blank lines are skipped. Labels may also stand in `labels`."""
    known = set(KNOWN)
    try:
        # Bytes, for msgspec decodes them faster than text.
        with open(path_of(path), "rb", opener=open_to_read) as file:
            for number, line in enumerate(bounded_lines(file.readline, problems), 1):
                row = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                if row.isspace() or not row:
                    continue
                try:
                    yield Row(number, _texts(read_json(row, _decode), row, known))
                except ValueError as error:
                    problems.at_place(number, 0, _reason(error))
    except OSError as error:
        problems.at_place(1, 0, f"cannot be read: {error.strerror}")


def _reason(error: ValueError) -> str:
    return f"expected one JSON object: {error}" if isinstance(error, Unreadable) else str(error)


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


def _no_comment(cells: list[str]) -> str:
    return "; CSV has no comments, so remove the line" if cells[0].lstrip().startswith("#") else ""


def _bad_line(path: str) -> tuple[int, int, str]:
    if not is_lasting(path_of(path)):  # what was read from a pipe is gone
        return 1, 0, "not UTF-8"
    with open(path_of(path), "rb") as file:  # noqa: PTH123  # as above
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8-sig")
            except UnicodeDecodeError:
                return number, 0, f"not UTF-8{utf16(line) or '; save it as CSV UTF-8'}"
    return 1, 0, "not UTF-8"
