"""Plays the cases of several hosts, each as often as its row says, and prints what came of them as a table.

`python -m hosts.proof [--times N] [ROW …]`: at most N times each; only these rows. It ends with 1 when one failed.
"""

import argparse
import sys
from time import monotonic

from fakes.postgres_server import Server, new_server

from hosts.rows import ROWS, Figures, Row

_HEAD = "| row | case | played | failed | seconds | figures (the worst) |\n|---|---|---|---|---|---|\n"


def play(row: Row, server: Server, times: int) -> bool:
    """Play one row, and print it; whether it held each time."""
    began_s, failed, worst = monotonic(), list[str](), Figures()
    for seed in range(1, times + 1):
        try:
            figures = row.play(server, seed)
        except Exception as error:  # noqa: BLE001  # whatever it is, the case has failed
            failed.append(f"row {row.number}, seed {seed}: {type(error).__name__}: {str(error)[:600]}")
        else:
            worst |= {name: max(value, worst.get(name, 0.0)) for name, value in figures.items()}
    told = ", ".join(f"{name}: {value:g}" for name, value in worst.items())
    _say(f"| {row.number} | {row.what} | {times} | {len(failed)} | {monotonic() - began_s:.0f} | {told} |\n")
    for why in failed:
        sys.stderr.write(f"{why}\n")
    return not failed


def main() -> int:
    """Play the rows that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=1000)
    parser.add_argument("rows", nargs="*", metavar="ROW", choices=[[], *(row.number for row in ROWS)])
    asked = parser.parse_args()
    server = new_server()
    try:
        server.start()
        _say(_HEAD)
        wanted = [row for row in ROWS if not asked.rows or row.number in asked.rows]
        failed = [row for row in wanted if not play(row, server, min(row.times, asked.times))]
        return int(bool(failed))
    finally:
        server.remove()


def _say(words: str) -> None:
    sys.stdout.write(words)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
