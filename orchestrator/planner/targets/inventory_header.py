"""The header of a CSV inventory: which columns have a meaning, and what stands in its place by mistake."""

from orchestrator.pattern import pattern
from orchestrator.planner.plan_file.schemas.schema_targets import MOST_LABELS, PROXY
from orchestrator.planner.reading.problems import Problems
from orchestrator.spoken import nearest

#: The columns with a meaning; every other one is a label.
KNOWN = [entry.key for entry in PROXY.fields if entry.key != "labels"]
REQUIRED = sorted(PROXY.required)

#: Columns of a CSV file, and keys of a JSON object: each becomes a label that every target carries.
MAX_COLUMNS = MOST_LABELS

#: What spreadsheets write in place of commas, by its name.
_MARKS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_ID = pattern(r"[A-Za-z0-9]{32}(in07|po01)")


def header_is_good(header: list[str], problems: Problems) -> bool:
    """Whether the first line of a CSV file names columns that can be read; what is wrong with them is recorded."""
    before = len(problems)
    if len(header) > MAX_COLUMNS:
        problems.at_place(1, 0, f"the header has {len(header):,} columns, more than {MAX_COLUMNS}")
        return False
    if wrong := _no_header(header):
        problems.at_place(1, 0, wrong)
        return False
    for column in REQUIRED:
        if column not in header:
            problems.at_place(1, 0, f"the header has no column {column}")
    for index, name in enumerate(header):
        if not name:
            problems.at_place(1, 0, f"column {index + 1} has no name")
        elif name in header[:index]:
            problems.at_place(1, 0, f"two columns are called {name}")
        elif wrong := doubtful_label(name):
            problems.at_place(1, 0, wrong)
    return len(problems) == before


def _no_header(cells: list[str]) -> str | None:
    """Why the first line is not the line of column names that must stand there; None when it may be."""
    first = cells[0] if cells else ""
    if not any(cells):
        return f"is blank, and the first line must be the header: write {','.join(REQUIRED)} there"
    if first.startswith("#"):
        return "is a comment, and the first line must be the header: CSV has no comments, so remove it"
    if first.lower().startswith("sep="):
        return "is a note for spreadsheets, and the first line must be the header: remove it"
    for mark, name in _MARKS.items():
        if set(REQUIRED) <= set(first.split(mark)):
            return f"the columns are separated by {name}; separate the columns by commas"
    if any(map(_ID.fullmatch, cells)):
        return f"holds an id, and the first line must be the header: write {','.join(REQUIRED)} above it"
    return None


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
