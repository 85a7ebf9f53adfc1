"""Everything that is measured, side by side in one run: a table with a row per goal, as Markdown and as JSON.

Usage: python -m benchmarks [--long] [NAME ...]: the groups of these names; all without a name; `--long`: of a million.
"""

import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from benchmarks import disk, several_hosts, startup, taking_up, throughput
from benchmarks.cloud import BUILT
from benchmarks.table import Row, as_json, markdown

SHORT = (*throughput.GROUPS, *startup.GROUPS, *disk.GROUPS, *taking_up.GROUPS, *several_hosts.GROUPS)
LONG = (*startup.LONG, *taking_up.LONG, *several_hosts.LONG)


def main() -> None:
    words = sys.argv[1:]
    groups = {group.__name__: group for group in (LONG if "--long" in words else SHORT)}
    names = [word for word in words if word != "--long"] or list(groups)
    rows: list[Row] = []
    for name in names:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            rows += groups[name](Path(folder))
    keep(rows)
    print(markdown(rows))


def keep(rows: Iterable[Row]) -> None:
    """The table as files beside the compiled server."""
    kept = list(rows)
    BUILT.mkdir(parents=True, exist_ok=True)
    (BUILT / "table.md").write_text(markdown(kept) + "\n")
    (BUILT / "table.json").write_text(as_json(kept) + "\n")


if __name__ == "__main__":
    main()
