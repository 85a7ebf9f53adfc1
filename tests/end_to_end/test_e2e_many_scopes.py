"""A small edition of the benchmark of many scopes: plan, run and audit make the calls that the documents say."""

import os
import subprocess
import sys

import pytest
from fakes.documents import ROOT, read, rows, section


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_six_scopes_cost_the_calls_of_the_sums() -> None:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(ROOT / "benchmarks" / "many_scopes.py"), "130", "100"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=800)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "(6 scopes, 132 instances, each scope at 100 calls/s at most)" in done.stdout
    assert [line.partition(":")[0] for line in done.stdout.splitlines() if ": exit 0, " in line] == [
        "plan",
        "run",
        "audit",
    ]


def test_the_documented_sums_add_up() -> None:
    """5,004 instances in 6 scopes, 834 in each; 3,988 of them have a proxy."""
    table = {row[0]: [int(cell.replace(",", "")) for cell in row[1:]] for row in rows(_sums())}
    tried, lists, details, versions, upgrades, health, in_all = zip(*table.values(), strict=True)
    assert list(table) == ["plan", "run", "audit"]
    assert tried == (12, 12, 12)
    assert lists == (6 * -(-834 // 100),) * 3
    assert set(details) == {203}
    assert versions == (3988, 2 * 3988, 3988)
    assert (upgrades, health) == ((0, 3988, 0), (0, 3988, 0))
    assert in_all == tuple(map(sum, zip(tried, lists, details, versions, upgrades, health, strict=True)))


def _sums() -> str:
    return section(read("docs/discovery.md"), "A fleet of 5,000")
