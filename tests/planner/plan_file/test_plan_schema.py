"""The JSON Schema for editors, and the declaration that it comes from: they say the same as the program does."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import PlanError
from orchestrator.model.plan.plan import Expect, Failures, Follow, Http, Limits, Plan, Retry, Wave
from orchestrator.planner.plan_file.json_schema import plan_schema
from orchestrator.planner.plan_file.load import load_plan
from orchestrator.planner.plan_file.schema import PLAN
from orchestrator.planner.plan_file.schemas.schema_rollout import FAILURES, FOLLOW, HTTP, LIMITS, RETRY, WAVE
from orchestrator.planner.plan_file.schemas.schema_targets import EXPECT
from orchestrator.planner.reading.mapping import Record
from orchestrator.planner.reading.problems import Problems
from orchestrator.planner.reading.yaml_nodes import read_yaml

PLANS = Path(__file__).parents[3] / "plans"
FILES = sorted(PLANS.glob("*.yaml"))
VALIDATOR = jsonschema.Draft202012Validator(plan_schema())


def records(record: Record) -> Iterator[Record]:
    yield record
    for entry in record.fields:
        shape: Any = entry.shape
        while shape is not None:
            if isinstance(shape, Record):
                yield from records(shape)
                break
            shape = getattr(shape, "item", None) or getattr(shape, "other", None)


def test_it_is_a_schema_of_the_2020_draft() -> None:
    schema = plan_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)


def test_the_file_for_editors_is_up_to_date() -> None:
    """Write it anew with `orchestrator schema plan > plans/plan.schema.json`."""
    assert json.loads((PLANS / "plan.schema.json").read_text(encoding="utf-8")) == plan_schema()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_plan_fits_the_schema_and_names_it(file: Path, as_editor: Callable[[str], Any]) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=plan.schema.json\n")
    VALIDATOR.validate(as_editor(text))


def test_every_key_has_a_description() -> None:
    for record in records(PLAN):
        for entry in record.fields:
            assert entry.doc.endswith("."), entry.key


@pytest.mark.parametrize(
    ("record", "default"),
    [
        (LIMITS, Limits()),
        (FAILURES, Failures()),
        (FOLLOW, Follow()),
        (RETRY, Retry()),
        (HTTP, Http()),
        (EXPECT, Expect()),
        (WAVE, Wave(name="x")),
    ],
)
def test_the_defaults_that_are_told_are_the_defaults_that_hold(record: Record, default: Any) -> None:
    told = {entry.key: entry.default for entry in record.fields if entry.default is not None}
    if record is WAVE:
        told["name"] = "x"
    problems = Problems("defaults")
    node = read_yaml(json.dumps(told).encode())
    assert node is not None
    assert record.read(node, None, problems) == default
    assert problems.lines() == []


def test_the_defaults_of_the_top_level_hold_too(load: Callable[..., Plan]) -> None:
    told = {entry.key: entry.default for entry in PLAN.fields if entry.default is not None}
    written, default = load(_block(told)), load()
    assert msgspec.structs.replace(written, written=frozenset(), sha256="") == msgspec.structs.replace(
        default, written=frozenset(), sha256=""
    )


def _block(told: dict[str, Any]) -> str:
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in told.items())


def test_examples_can_be_read() -> None:
    for record in records(PLAN):
        for entry in record.fields:
            if entry.example is None:
                continue
            problems = Problems("examples")
            node = read_yaml(json.dumps(entry.example).encode())
            assert node is not None
            entry.shape.read(node, (None, entry.key), problems)
            assert problems.lines() == []
            VALIDATOR.evolve(schema=entry.json()).validate(entry.example)


def good() -> dict[str, Any]:
    return {
        "version": 1,
        "region": "cn-north-4",
        "project_id": "0" * 32,
        "target_version": "2.24.03.000",
        "proxies": [{"instance_id": "1" * 32 + "in07", "proxy_id": "2" * 32 + "po01", "labels": {"app": "x"}}],
        "waves": [{"name": "a", "size": 1, "select": {"labels": {"app": "x"}}}, {"name": "b"}],
        "limits": {"rate": "5/s"},
        "failures": {"max": 1},
        "follow": {"poll": "1s"},
        "retry": {"attempts": 2},
        "http": {"timeout": "1s"},
        "auth": {"token_env": "T"},
        "windows": [{"from": "22:00", "to": "05:00", "timezone": "UTC"}],
        "freezes": [{"from": "2026-01-01", "to": "2026-01-02", "timezone": "UTC"}],
        "expect": {"max": 5},
        "exclude": [{"scope": "default"}],
        "discover": [{"instances": {"name": "x"}}],
    }


def mappings(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        if path[-1:] not in (("labels",), ("tags",)):
            yield path
        for key, inner in value.items():
            yield from mappings(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from mappings(inner, (*path, index))


def accepts(document: dict[str, Any], folder: Path) -> bool:
    file = folder / "plan.yaml"
    file.write_text(json.dumps(document), encoding="utf-8")
    try:
        load_plan(file)
    except PlanError:
        return False
    return True


def test_a_good_document_is_good_for_both(tmp_path: Path) -> None:
    assert VALIDATOR.is_valid(good())
    assert accepts(good(), tmp_path)


@given(where=st.sampled_from(list(mappings(good()))), key=st.text("abcdefghijklmnop_", min_size=3, max_size=12))
def test_an_unknown_key_anywhere_is_refused_by_both(
    where: tuple[Any, ...], key: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    document = good()
    place: Any = document
    for step in where:
        place = place[step]
    if f'"{key}"' in json.dumps(plan_schema()):
        return
    place[key] = 1
    assert not VALIDATOR.is_valid(document)
    assert not accepts(document, tmp_path_factory.getbasetemp())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("version", 2),
        ("project_id", "short"),
        ("limits", {"rate": "fast"}),
        ("limits", {"concurrency": 0}),
        ("limits", {"in_flight": "x%"}),
        ("limits", {"ramp": "maybe"}),
        ("follow", {"poll": "15"}),
        ("follow", {"to": "done"}),
        ("waves", []),
        ("windows", "never"),
        ("freezes", [{"from": "2026-01-01"}]),
        ("scopes", {"a": {"region": "cn-north-4"}}),
        ("endpoint", "ftp://x"),
        ("name", "a/b"),
        ("exclude", [{}]),
    ],
)
def test_bad_values_are_refused_by_both(key: str, value: Any, tmp_path: Path) -> None:
    document = {**good(), key: value}
    assert not VALIDATOR.is_valid(document)
    assert not accepts(document, tmp_path)
