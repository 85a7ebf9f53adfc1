"""docs/plan-file.md has every key of the plan, with the default that the schema has, and no other."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from fakes.documents import read, rows, section

from orchestrator.planner.plan_file.overrides import CHANGEABLE
from orchestrator.planner.plan_file.schema import PLAN
from orchestrator.planner.reading.mapping import Field, Record
from orchestrator.planner.reading.shapes import ListOf, MapOf, Shape, Words

PAGE = read("docs/plan-file.md")
#: Keys that mean the same in two places are documented once.
SAME = {"waves[].select.": "exclude[].", "gates[].select.": "exclude[]."}
SAME |= {
    f"scopes.NAME.{key}": key for key in ("region", "project_id", "endpoint", "iam_endpoint", "vpc_endpoint", "auth")
}


def _walk(shape: Shape, at: str = "") -> Iterator[tuple[str, Field]]:
    match shape:
        case Record(fields=fields):
            for field in fields:
                key = f"{at}.{field.key}".lstrip(".")
                yield key, field
                yield from _walk(field.shape, key)
        case ListOf(item=item):
            yield from _walk(item, f"{at}[]")
        case MapOf(item=item):
            yield from _walk(item, f"{at}.NAME")
        case Words(other=other):
            yield from _walk(other, at)
        case _:  # a leaf has no keys
            pass


def _documented_as(key: str) -> str:
    same = next((part for part in SAME if key.startswith(part)), "")
    return SAME[same] + key.removeprefix(same) if same else key


KEYS = {_documented_as(key): field for key, field in _walk(PLAN)}
ROWS = {
    row[0].strip("`"): row[1] for row in rows(PAGE.partition("## The fleet")[2].partition("## A complete example")[0])
}


def test_the_page_has_every_key_and_no_other() -> None:
    assert set(ROWS) == set(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_the_default_is_that_of_the_schema(key: str) -> None:
    field, cell = KEYS[key], ROWS[key]
    assert (cell == "required") == field.required
    if field.default is not None:
        told = yaml.load(cell.strip("`"), yaml.BaseLoader)  # noqa: S506  # the loader that makes nothing but text
        assert told == _as_text(field.default)
    elif not field.required:
        assert not (cell.startswith("`") and cell.endswith("`"))


def _as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_text(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_keys_that_can_be_set_for_a_session_are_told() -> None:
    cell = next(row[1] for row in rows(section(read("docs/commands.md"), "run")) if row[0].startswith("`--set"))
    assert all(f"`{key}`" in cell for key in CHANGEABLE)
