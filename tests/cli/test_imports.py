"""What a command line imports is what it waits for first: no test here asserts a time, each says what is left alone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
before = set(sys.modules)
from orchestrator.__main__ import main
sys.argv[0:2] = []
sys.argv.insert(0, "orchestrator")
code = main()
found = sorted(set(sys.modules) - before)
import json
with open({kept!r}, "w") as file:
    json.dump(found, file)
sys.exit(code)
"""
#: What takes longer than all the rest of an answer.
SLOW = {"argparse", "re", "enum", "signal", "typing", "dataclasses", "pathlib", "json", "msgspec", "yaml", "datetime"}
PROXY = "0f46fc46396e4fb19a0cb52f578e9511po01"
PLAN = {
    "version": "1",
    "name": "prod",
    "region": "cn-north-4",
    "project_id": "054e292c9880d4992f02c0196d3ea468",
    "target_version": "2.24.03.000",
    "proxies": [{"instance_id": "517ea793ab91438cbfcd9c4b1c958b1ein07", "proxy_id": PROXY}],
}


def imported(line: str, folder: Path, code: int) -> set[str]:
    """The modules that a command line imports beyond those of the interpreter."""
    (folder / "prod.yaml").write_text(json.dumps(PLAN), encoding="utf-8")
    kept = folder / "modules.json"
    command = [sys.executable, "-c", PROGRAM.format(kept=str(kept)), "-", *line.split()]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == code, ended.stderr
    return set(json.loads(kept.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("line", "code"), [("--help", 0), ("run --help", 0), ("--version", 0), ("run --ofline", 2), ("", 2), ("hold x", 2)]
)
def test_an_answer_imports_next_to_nothing(line: str, code: int, tmp_path: Path) -> None:
    found = imported(line, tmp_path, code)
    assert not SLOW & found
    ours = {name for name in found if name.startswith("orchestrator")}
    assert len(ours) <= 14
    assert len(found - ours) <= 6


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("plan prod.yaml --offline", 0),
        ("plan odd.yaml", 2),
        ("run prod.yaml --dry-run --offline", 0),
        ("run odd.yaml", 2),
        ("run odd.yaml --dry-run", 2),
        ("run missing.yaml", 2),
        ("run prod.yaml --until never", 2),
        ("run prod.yaml --wait never", 2),
        ("run prod.yaml --max-duration never", 2),
        ("run prod.yaml --report nowhere/report.json", 2),
        ("status prod.yaml", 2),
        ("report prod.yaml", 2),
        ("runs prod.yaml", 2),
        ("hold prod.yaml --note later", 0),
        ("release prod.yaml --note now", 0),
        (f"settle prod.yaml {PROXY} --outcome succeeded --note seen", 2),
        ("explain failures.max", 0),
        ("schema plan", 0),
    ],
)
def test_what_only_reads_or_is_wrong_leaves_the_network_the_log_and_the_display_alone(
    line: str, code: int, tmp_path: Path
) -> None:
    (tmp_path / "odd.yaml").write_text("version: 1\nnme: prod\n", encoding="utf-8")
    left_alone = {"aiohttp", "asyncio", "structlog", "rich", "ssl", "logging", "uvloop", "prometheus_client", "jinja2"}
    left_alone |= {"dataclasses"}  # a struct is made in C
    assert not left_alone & imported(line, tmp_path, code)


def test_a_small_preview_imports_what_it_asks_and_no_more(tmp_path: Path) -> None:
    """Each module takes as long as 20 upgrades to rehearse; what writes, reports, waits or compresses is not asked."""
    found = imported("plan prod.yaml --offline", tmp_path, 0)
    assert len([name for name in found if name.startswith("orchestrator")]) <= 270
    left_alone = {"typing_extensions", "inspect", "anyio", "shutil", "tempfile", "json", "csv", "zoneinfo", "secrets"}
    assert not left_alone & found
    ours = {
        "tracker.report.schema",
        "tracker.runs.checkpoint",
        "executor.rate.lanes",
        "executor.session",
        "cloud.client",
    }
    assert not {f"orchestrator.{name}" for name in ours} & found
