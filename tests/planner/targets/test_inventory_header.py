"""What stands in place of the header of a CSV inventory: named, with what to do."""

from pathlib import Path

import pytest

from orchestrator.planner.reading.problems import Problems
from orchestrator.planner.targets.inventory_rows import csv_rows

ROW = "1" * 32 + "in07," + "2" * 32 + "po01\n"
GOOD = "instance_id,proxy_id\n" + ROW


def lines(tmp_path: Path, data: bytes) -> list[str]:
    file = tmp_path / "fleet.csv"
    file.write_bytes(data)
    problems = Problems("fleet.csv")
    list(csv_rows(str(file), problems))
    return problems.lines()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sep=,\n" + GOOD, "is a note for spreadsheets, and the first line must be the header: remove it"),
        ("SEP=;\n" + GOOD, "is a note for spreadsheets, and the first line must be the header: remove it"),
        ("\n" + GOOD, "is blank, and the first line must be the header: write instance_id,proxy_id there"),
        (",,\n" + GOOD, "is blank, and the first line must be the header: write instance_id,proxy_id there"),
        ("", "is blank, and the first line must be the header: write instance_id,proxy_id there"),
        ("# ours\n" + GOOD, "is a comment, and the first line must be the header: CSV has no comments, so remove it"),
        (ROW, "holds an id, and the first line must be the header: write instance_id,proxy_id above it"),
        (GOOD.replace(",", ";"), "the columns are separated by semicolons; separate the columns by commas"),
        (GOOD.replace(",", "\t"), "the columns are separated by tabs; separate the columns by commas"),
    ],
)
def test_the_first_line_is_named(text: str, told: str, tmp_path: Path) -> None:
    assert lines(tmp_path, text.encode()) == [f"fleet.csv:1: {told}"]


def test_a_comment_between_rows_is_named(tmp_path: Path) -> None:
    told = "fleet.csv:2: has 1 cells where the header has 2; CSV has no comments, so remove the line"
    assert lines(tmp_path, GOOD.replace(ROW, "# ours\n" + ROW).encode()) == [told]


@pytest.mark.parametrize(
    ("coding", "told"),
    [("utf-16", "it looks like UTF-16: save it as UTF-8"), ("latin-1", "save it as CSV UTF-8")],
)
def test_another_encoding_is_named(coding: str, told: str, tmp_path: Path) -> None:
    assert lines(tmp_path, GOOD.replace("id\n", "id,é\n").encode(coding)) == [f"fleet.csv:1: not UTF-8; {told}"]
