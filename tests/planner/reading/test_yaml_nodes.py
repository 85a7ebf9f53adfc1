"""YAML becomes positioned text, and what could hurt is refused with its place."""

import pytest

from orchestrator.planner.reading import yaml_nodes as yaml_tree
from orchestrator.planner.reading.nodes import Folded, Mapping, Node, Scalar, Sequence, find, written_keys
from orchestrator.planner.reading.yaml_nodes import read_yaml
from orchestrator.planner.reading.yaml_problems import YamlProblem


def plain(node: Node | None) -> object:
    match node:
        case Scalar(text=text):
            return text
        case Mapping(entries=entries):
            return {key.text: plain(value) for key, value in entries}
        case Sequence(items=items):
            return [plain(item) for item in items]
        case _:
            return node


def problem(text: str | bytes) -> tuple[int, int, str]:
    with pytest.raises(YamlProblem) as caught:
        read_yaml(text if isinstance(text, bytes) else text.encode())
    return caught.value.line, caught.value.column, str(caught.value)


def test_every_scalar_stays_the_text_that_was_written() -> None:
    text = "a: 2.10\nb: 0541e29\nc: 22:00\nd: no\ne: 1_000\nf: '1'\ng: ~\nh: 2026-12-20\ni:\n"
    expected = {"a": "2.10", "b": "0541e29", "c": "22:00", "d": "no", "e": "1_000", "f": "1", "g": "~"}
    assert plain(read_yaml(text.encode())) == {**expected, "h": "2026-12-20", "i": ""}


def test_lines_and_columns_count_characters_from_one() -> None:
    root = read_yaml("名: x\nb: {äö: [1, zwei]}\n".encode())
    assert isinstance(root, Mapping)
    inner = find(root, "b")
    assert isinstance(inner, Mapping)
    items = find(inner, "äö")
    assert isinstance(items, Sequence)
    assert (items.items[1].line, items.items[1].column) == (2, 13)


def test_byte_order_mark_and_crlf_are_fine() -> None:
    assert plain(read_yaml(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")) == {"a": "1", "b": "2"}


@pytest.mark.parametrize("text", ["", "# nothing\n", "\n\n"])
def test_an_empty_text_has_no_document(text: str) -> None:
    assert read_yaml(text.encode()) is None


def test_anchors_and_aliases_work() -> None:
    assert plain(read_yaml(b"a: &x {k: v}\nb: *x\nc: [*x, &y z, *y]\n*y : key\n")) == {
        "a": {"k": "v"},
        "b": {"k": "v"},
        "c": [{"k": "v"}, "z", "z"],
        "z": "key",
    }


def test_written_keys_leave_out_indexes() -> None:
    root = read_yaml(b"limits: {rate: 1}\nwaves: [{name: a}, {soak: 1m}]\n")
    assert isinstance(root, Mapping)
    assert written_keys(root) == {"limits", "limits.rate", "waves", "waves.name", "waves.soak"}


def test_a_fold_takes_the_items_of_a_sequence_one_by_one() -> None:
    seen: list[tuple[object, int]] = []
    root = read_yaml(b"a: &x 1\nlong: [1, *x, {b: 2}]\nother: [1]\n", {"long": lambda n, i: seen.append((plain(n), i))})
    assert seen == [("1", 0), ("1", 1), ({"b": "2"}, 2)]
    assert isinstance(root, Mapping)
    assert isinstance(find(root, "long"), Folded)
    assert isinstance(find(root, "other"), Sequence)


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ("a: [1, 2\n", 2, 1, "not readable as YAML"),
        ("a:\n\t- b\n", 2, 1, "spaces, not tabs"),
        ("a: 1\n---\nb: 2\n", 2, 1, "second document"),
        ("a: 1\n---\n", 2, 1, "second document"),
        ("a: !!python/object/apply:os.system [ls]\n", 1, 4, "tags such as"),
        ("a: !!str b\n", 1, 4, "tags such as"),
        ("a: !mine {}\n", 1, 4, "tags such as !mine"),
        ("!x k: 1\n", 1, 1, "tags such as"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", 3, 3, "merge keys"),
        ("a: *nothing\n", 1, 4, "no anchor &nothing"),
        ("a: &x [*x]\n", 1, 8, "inside its own anchor"),
        ("? [a, b]\n: 1\n", 1, 3, "a key must be plain text"),
        ("a: &x [1]\n*x : 1\n", 2, 1, "a key must be plain text"),
        ("%YAML 9.1\n---\na: 1\n", 1, 1, "not readable as YAML"),
        ("a: \x00\n", 1, 4, "U+0000"),
        ("a: 1\nb: \x07\n", 2, 4, "U+0007"),
        (b"a: 1\nb: \xc3\xa4\xff\n", 2, 5, "not UTF-8: byte 0xff"),
    ],
)
def test_what_is_not_plain_yaml_is_refused_with_its_place(text: str | bytes, line: int, column: int, says: str) -> None:
    found = problem(text)
    assert found[:2] == (line, column)
    assert says in found[2]


def test_deep_nesting_is_refused() -> None:
    assert "levels deep" in problem("[" * 100_000)[2]
    assert "levels deep" in problem("".join(f"{' ' * depth}a:\n" for depth in range(200)))[2]


def test_an_alias_bomb_is_refused_before_it_costs_anything() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    assert "far larger" in problem("\n".join(lines))[2]


def test_a_quadratic_alias_bomb_is_refused() -> None:
    text = "a: &a [" + "x, " * 20_000 + "]\nb: [" + "*a, " * 20_000 + "]\n"
    assert "far larger" in problem(text)[2]


def test_an_anchor_used_a_hundred_thousand_times_is_no_bomb() -> None:
    text = "a: &a {app: billing, tier: gold}\nb: [" + "*a, " * 20_000 + "]\n"
    root = read_yaml(text.encode())
    assert isinstance(root, Mapping)


def test_the_pure_python_parser_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = b"a: &x {k: 'v'}\nb: [*x, \"2\", 3]\n"
    fast = read_yaml(text)
    from yaml.loader import BaseLoader  # noqa: PLC0415  # the fallback, taken on purpose

    monkeypatch.setattr(yaml_tree, "_parser", BaseLoader)
    assert read_yaml(text) == fast
    assert problem(b"a: \xff\n")[:2] == (1, 4)
    assert problem("a:\n\t- b\n")[0] == 2
