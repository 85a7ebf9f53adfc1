"""Whatever a file holds, it becomes a plan or a PlanError: never a traceback."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import PlanError
from orchestrator.planner.plan_file.load import load_plan
from orchestrator.planner.reading.problems import Problems
from orchestrator.planner.targets.inventory import read_inventory

PRODUCTION = (Path(__file__).parents[3] / "plans" / "staged-production.yaml").read_text(encoding="utf-8")
PIECES = [
    "{",
    "}",
    "[",
    "]",
    ":",
    "- ",
    "&a ",
    "*a",
    "<<: ",
    "!!x ",
    "'",
    '"',
    "\t",
    "\n",
    "|",
    "9" * 5000,
    "~",
    "\x00",
    "?",
]


def reads(data: bytes, folder: Path) -> None:
    file = folder / "fuzz.yaml"
    file.write_bytes(data)
    with contextlib.suppress(PlanError):
        load_plan(file)


@given(data=st.binary(max_size=200))
def test_any_bytes(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    reads(data, tmp_path_factory.getbasetemp())


@given(at=st.integers(0, len(PRODUCTION)), cut=st.integers(0, 40), piece=st.sampled_from(PIECES))
def test_a_good_plan_damaged_anywhere(at: int, cut: int, piece: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    reads((PRODUCTION[:at] + piece + PRODUCTION[at + cut :]).encode(), tmp_path_factory.getbasetemp())


@given(key=st.text(max_size=12), value=st.text(max_size=20))
def test_any_override(key: str, value: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.getbasetemp() / "good.yaml"
    file.write_text(PRODUCTION, encoding="utf-8")
    with contextlib.suppress(PlanError):
        load_plan(file, {f"limits.{key}": value, key: value, "follow": value})


@given(data=st.binary(max_size=120), name=st.sampled_from(["x.csv", "x.ndjson"]))
def test_any_inventory(data: bytes, name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.getbasetemp() / name
    file.write_bytes(b"instance_id,proxy_id,a\n" * name.endswith("csv") + data)
    problems = Problems(name)
    list(read_inventory(str(file), scopes=frozenset({"default"}), target_version="2.24", problems=problems))
