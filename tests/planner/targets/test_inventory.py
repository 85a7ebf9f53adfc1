"""Inventory files, CSV and NDJSON, become targets; what is wrong is told with file and line."""

from pathlib import Path

import pytest

from orchestrator.model.plan.target import Target
from orchestrator.planner.reading.problems import Problems
from orchestrator.planner.targets import inventory_lines
from orchestrator.planner.targets.inventory import read_inventory

I1, I2 = "1" * 32 + "in07", "2" * 32 + "in07"
P1, P2 = "a" * 32 + "po01", "b" * 32 + "po01"


def read(path: Path, scopes: set[str] | None = None) -> tuple[list[tuple[int, Target]], list[str]]:
    problems = Problems(path.name, shown=20)
    names = frozenset(scopes or {"default"})
    found = list(read_inventory(str(path), scopes=names, target_version="2.24.03.000", problems=problems))
    return found, problems.lines()


def csv(
    tmp_path: Path, text: str | bytes, scopes: set[str] | None = None
) -> tuple[list[tuple[int, Target]], list[str]]:
    file = tmp_path / "fleet.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(file, scopes)


def ndjson(
    tmp_path: Path, text: str | bytes, scopes: set[str] | None = None
) -> tuple[list[tuple[int, Target]], list[str]]:
    file = tmp_path / "fleet.ndjson"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(file, scopes)


def test_a_csv_row_is_a_target_and_further_columns_are_labels(tmp_path: Path) -> None:
    text = f"instance_id,app,proxy_id,source_version,owner\n{I1},billing,{P1},2.23.12.000,dba\n{I2},,{P2},,\n"
    assert csv(tmp_path, text) == (
        [
            (
                2,
                Target(
                    scope="default",
                    instance_id=I1,
                    proxy_id=P1,
                    source_version="2.23.12.000",
                    labels={"app": "billing", "owner": "dba"},
                ),
            ),
            (3, Target(scope="default", instance_id=I2, proxy_id=P2)),
        ],
        [],
    )


def test_csv_from_a_spreadsheet(tmp_path: Path) -> None:
    """A byte order mark, CRLF, quotes, blank lines, rows of empty cells, line breaks within a cell."""
    text = (
        "\ufeffscope, instance_id ,proxy_id,note\r\n\r\n"
        f'bj4,"{I1}",{P1},"a, ""b""\r\nc"\r\n,,,\r\nsh1,{I2}, {P2} ,x\r\n'
    )
    found, problems = csv(tmp_path, text, {"bj4", "sh1"})
    assert problems == []
    assert [(line, target.scope, target.labels) for line, target in found] == [
        (3, "bj4", {"note": 'a, "b"\r\nc'}),
        (6, "sh1", {"note": "x"}),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "fleet.csv:1: is blank, and the first line must be the header: write instance_id,proxy_id there"),
        ("instance_id\n", "fleet.csv:1: the header has no column proxy_id"),
        ("instance_id;proxy_id\n", "the columns are separated by semicolons; separate the columns by commas"),
        ("instance_id,proxy_id,,x\n", "fleet.csv:1: column 3 has no name"),
        ("instance_id,proxy_id,app,app\n", "fleet.csv:1: two columns are called app"),
        ("instance_id,proxy_id,source_verison\n", "source_verison: looks like source_version and would become a label"),
        ("instance_id,proxy_id,labels\n", "labels: write one column for each label"),
        (f"instance_id,proxy_id\n{I1}\n", "fleet.csv:2: has 1 cells where the header has 2"),
        (f"instance_id,proxy_id\n\nx,{P1}\n", "fleet.csv:3: instance_id: expected an instance id"),
        (f"instance_id,proxy_id\n{I1},\n", "fleet.csv:2: proxy_id: expected a proxy id of 36 letters and digits"),
        (f'instance_id,proxy_id\n{I1},"{P1}\n', "fleet.csv:2: not readable as CSV: unexpected end of data"),
        (f"scope,instance_id,proxy_id\nx,{I1},{P1}\n", "fleet.csv:2: scope: no scope is called x"),
        (f"source_version,instance_id,proxy_id\n2.x,{I1},{P1}\n", "fleet.csv:2: source_version: expected a version"),
        (f"source_version,instance_id,proxy_id\n2.25,{I1},{P1}\n", "2.25 is newer than target_version 2.24.03.000"),
        (f"instance_id,proxy_id,a\n{I1},{P1},x\n{I2},{P2},".encode() + b"\xff\n", "fleet.csv:3: not UTF-8"),
    ],
)
def test_bad_csv(tmp_path: Path, text: str | bytes, says: str) -> None:
    _, problems = csv(tmp_path, text)
    assert any(says in line for line in problems), problems


def test_an_ndjson_object_is_a_target_and_further_keys_are_labels(tmp_path: Path) -> None:
    text = (
        f'\ufeff{{"instance_id": "{I1}", "proxy_id": "{P1}", "app": "x", "count": 3, "live": true, "none": null}}\r\n\n'
        f'  {{"proxy_id":"{P2}","instance_id":"{I2}","source_version":"2.23","labels":{{"app":"y"}}}}'
    )
    found, problems = ndjson(tmp_path, text)
    assert problems == []
    assert [(line, target.proxy_id, target.source_version, target.labels) for line, target in found] == [
        (1, P1, None, {"app": "x", "count": "3", "live": "true"}),
        (3, P2, "2.23", {"app": "y"}),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[1]\n", "fleet.ndjson:1: expected one JSON object"),
        ("\n\nnope\n", "fleet.ndjson:3: expected one JSON object"),
        ('{"a": 1} {"b": 2}\n', "fleet.ndjson:1: expected one JSON object"),
        (f'{{"instance_id": "{I1}"}}\n', "fleet.ndjson:1: proxy_id: expected a proxy id"),
        (f'{{"instance_id": "{I1}", "proxy_id": "{P1}", "proxy_id": "{P2}"}}\n', "duplicate key proxy_id"),
        (f'{{"instance_id": "{I1}", "proxy_id": 7}}\n', "proxy_id: expected a proxy id of 36 letters and digits"),
        (f'{{"instance_id": "{I1}", "proxy_id": "{P1}", "v": 2.10}}\n', 'v: expected text, got "2.1"'),
        (f'{{"instance_id": "{I1}", "proxy_id": "{P1}", "v": {{}}}}\n', "v: expected text"),
        (f'{{"instance_id": "{I1}", "proxy_id": "{P1}", "labels": "x"}}\n', "labels: expected names and values"),
        (f'{{"instance_id": "{I1}", "proxy_id": "{P1}", "a": "1", "labels": {{"a": "2"}}}}\n', "labels.a: stands"),
        (f'{{"instance_id": "{I1}", "proxy_id": "{P1}", "proxyid": "1"}}\n', "proxyid: looks like proxy_id"),
        (b'{"instance_id": "\xff"}\n', "fleet.ndjson:1: "),
        (
            '{"labels": ' + "[" * 1_100 + "]" * 1_100 + "}",
            "fleet.ndjson:1: expected one JSON object: nested more than 64",
        ),
        (
            "\n" + '{"labels": ' * 1_100 + "1" + "}" * 1_100,
            "fleet.ndjson:2: expected one JSON object: nested more than 64",
        ),
        (f'{{"shard": {"9" * 5_000}}}', "fleet.ndjson:1: expected one JSON object: Integer value out of range"),
        (f'{{"shard": [{"1," * 250_000}1]}}', "fleet.ndjson:1: expected one JSON object: more than 200,000 values"),
        ("{" + ",".join(f'"k{n}": "x"' for n in range(201)) + "}", "fleet.ndjson:1: has 201 keys, more than 200"),
        (b'{"a": "' + b"x" * 1_100_000 + b'"}\n', "is longer than 1 MiB"),
    ],
)
def test_bad_ndjson(tmp_path: Path, text: str | bytes, says: str) -> None:
    found, problems = ndjson(tmp_path, text)
    assert not found
    assert any(says in line for line in problems), problems


@pytest.mark.parametrize("name", ["fleet.ndjson", "fleet.csv"])
def test_a_file_without_any_line_end_is_read_no_further_than_one_line(tmp_path: Path, name: str) -> None:
    """Such as a link to a device, which never ends."""
    (tmp_path / name).symlink_to("/dev/zero")
    found, problems = read(tmp_path / name)
    assert not found
    assert f"{name}:1: is longer than 1 MiB; what follows is not read" in problems


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("fleet.csv", "instance_id,proxy_id\n"),
        ("fleet.csv", "instance_id,proxy_id\r"),
        ("fleet.ndjson", "\n"),
        ("fleet.ndjson", "{}\n"),
    ],
)
@pytest.mark.parametrize(
    ("bound", "most", "says"), [("MOST_LINES", 30, "30 lines"), ("MOST_SIZE", 300, "GiB"), ("MOST_LINES", 31, "")]
)
def test_a_file_without_an_end_is_read_up_to_a_bound_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, line: str, bound: str, most: int, says: str
) -> None:
    monkeypatch.setattr(inventory_lines, bound, most)
    (tmp_path / name).write_bytes(line.encode() * (31 if bound == "MOST_LINES" else 301))
    _, problems = read(tmp_path / name)
    told = [each for each in problems if f"{says}, of which an inventory may have no more; what follows" in each]
    assert len(told) == bool(says), problems


def test_a_million_targets_are_within_the_bounds() -> None:
    assert inventory_lines.MOST_LINES >= 1_000_000
    assert inventory_lines.MOST_SIZE >= 1_000_000 * 2048


def test_colons_and_quotes_within_texts_are_no_further_keys(tmp_path: Path) -> None:
    text = f'{{"instance_id" : "{I1}", "proxy_id": "{P1}", "note": "say \\"x\\": {{}}", "labels": {{}}}}\n'
    found, problems = ndjson(tmp_path, text)
    assert problems == []
    assert found[0][1].labels == {"note": 'say "x": {}'}


def test_problems_are_cut_with_their_count(tmp_path: Path) -> None:
    _, problems = ndjson(tmp_path, '{"instance_id": "x"}\n' * 50)
    assert len(problems) == 21
    assert problems[-1] == "fleet.ndjson: and 80 more problems"


def test_a_scope_is_required_where_there_are_several(tmp_path: Path) -> None:
    _, problems = ndjson(tmp_path, f'{{"instance_id": "{I1}", "proxy_id": "{P1}"}}\n', {"bj4", "sh1"})
    assert problems == ["fleet.ndjson:1: scope: is required, for the plan has scopes: bj4, sh1"]


def test_a_missing_file_is_a_problem(tmp_path: Path) -> None:
    assert read(tmp_path / "no.csv")[1] == ["no.csv:1: cannot be read: No such file or directory"]
    assert read(tmp_path / "no.ndjson")[1] == ["no.ndjson:1: cannot be read: No such file or directory"]


def test_equal_texts_are_kept_once(tmp_path: Path) -> None:
    rows = "".join(
        f'{{"instance_id": "{I1}", "proxy_id": "{number:032x}po01", "source_version": "2.23", "app": "x"}}\n'
        for number in range(3)
    )
    one, *others = (target for _, target in ndjson(tmp_path, rows)[0])
    for other in others:
        assert other.labels is one.labels
        assert other.source_version is one.source_version
        assert other.instance_id is one.instance_id
        assert other.scope is one.scope


def test_a_csv_file_has_bounds(tmp_path: Path) -> None:
    assert csv(tmp_path, ",".join(f"c{number}" for number in range(201)))[1] == [
        "fleet.csv:1: the header has 201 columns, more than 200"
    ]
    cell = f'instance_id,proxy_id,app\n{I1},{P1},"{"x" * 200_000}"\n'
    assert csv(tmp_path, cell)[1] == ["fleet.csv:2: not readable as CSV: field larger than field limit (131072)"]
