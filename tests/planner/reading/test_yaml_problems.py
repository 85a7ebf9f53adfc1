"""What people paste into a plan and YAML does not take: the message has place, cause and what to do."""

from collections.abc import Callable

import pytest

from orchestrator.planner.reading.problems import Problems
from orchestrator.planner.reading.yaml_nodes import read_yaml
from orchestrator.planner.reading.yaml_problems import YamlProblem


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("a:\n\u00a0 - b: c\n", (2, 1), "U+00A0, which is no space to YAML; indent with spaces"),
        ("a:\n  b: c\n\u00a0 d: e\n", (3, 1), "U+00A0"),
        ("a: b\n \u00a0c: d\n", (2, 4), "U+00A0"),
        ("a:\n\u3000b: c\n", (2, 1), "U+3000"),
        ("a: b\n\tc: d\n", (2, 1), "indent with spaces, not tabs"),
        ("a: {{ region }}\n", (1, 5), "templates and variables are not filled in here"),
        ("{% if prod %}\na: b\n", (1, 2), "templates and variables are not filled in here"),
        ("a: b\n<% x %>: {\n", (3, 1), "not readable as YAML"),
        ("a: - 5\n", (1, 4), "a dash with a blank after it begins an entry of a list: write a number or a duration"),
        ("a: {b: - 5s}\n", (1, 8), "a dash with a blank after it begins an entry of a list"),
    ],
)
def test_the_message_names_place_and_cause(text: str, place: tuple[int, int], told: str) -> None:
    with pytest.raises(YamlProblem) as caught:
        read_yaml(text.encode())
    assert (caught.value.line, caught.value.column) == place
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a:\n  b: 2\n   c: 3\n", "begins in column 4, and line 2 in column 3: keys side by side begin in one column"),
        ("a:\n  - b: 2\n\n     # why\n     c: 3\n", "begins in column 6, and line 2 in column 5"),
        ("a:\n  b: 2\n c: 3\n", "begins in column 2, in which no line above begins"),
        ("a:\n  - b: 2\n - b: 3\n", "begins in column 2, in which no line above begins"),
        ("a: b: c\n", None),
        ("# first\na: b: c\n", None),
        ("a: {b: c\nd:\n  x: 1\n", None),
        ("a:\n  b: c: d\n", None),
        ("a: 'b\nc: d\n", None),
    ],
)
def test_a_line_that_begins_beside_the_others_is_told_where(text: str, told: str | None) -> None:
    with pytest.raises(YamlProblem) as caught:
        read_yaml(text.encode())
    assert (told in str(caught.value)) if told else ("column" not in str(caught.value))


def test_an_odd_space_in_quotes_or_within_a_text_is_a_character_as_any_other() -> None:
    assert read_yaml("a: '\u00a0b'\nc: d\u00a0e\n".encode()) is not None


@pytest.mark.parametrize("data", ["a: b\n".encode("utf-16-le"), "a: b\n".encode("utf-16-be")])
def test_utf_16_without_a_mark_is_named(data: bytes) -> None:
    with pytest.raises(YamlProblem, match="looks like UTF-16: save it as UTF-8"):
        read_yaml(data)


def test_utf_16_with_a_mark_is_read_and_its_mistakes_are_explained() -> None:
    assert read_yaml("a: b\n".encode("utf-16")) is not None
    with pytest.raises(YamlProblem, match="not filled in here"):
        read_yaml("a: {{ b }}\n".encode("utf-16"))


def test_bytes_of_an_old_encoding_are_named() -> None:
    with pytest.raises(YamlProblem, match="byte 0xe9 cannot be read; save it as UTF-8"):
        read_yaml(b"a: caf\xe9\n")


def test_a_variable_in_a_value_is_explained(refused: Callable[..., list[str]]) -> None:
    lines = refused("name: ${FLEET}")
    assert len(lines) == 1
    assert lines[0].startswith("fleet.yaml:5:7: name: expected a name")
    assert "templates and variables are not filled in here" in lines[0]


def test_messages_of_problems_that_are_only_counted_are_never_made() -> None:
    made = []

    def message() -> str:
        made.append(1)
        return "x"

    problems, nowhere = Problems("plan", shown=2), YamlProblem(1, 1, "")
    for _ in range(1_000):
        problems.add(nowhere, None, message)
    assert len(made) == 2
    assert problems.lines() == ["plan:1:1: x", "plan:1:1: x", "plan: and 998 more problems"]


def test_no_target_carries_more_labels_than_an_inventory_may_have_columns(refused: Callable[..., list[str]]) -> None:
    labels = ", ".join(f"l{number}: x" for number in range(201))
    entry = f"{{instance_id: {'1' * 32}in07, proxy_id: {'2' * 32}po01, labels: {{{labels}}}}}"
    assert refused(f"proxies: [{entry}]", proxies=0) == [
        "fleet.yaml:5:119: proxies[0].labels: has 201 names, more than 200"
    ]
