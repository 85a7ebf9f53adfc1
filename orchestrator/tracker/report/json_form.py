"""The report on disk: JSON that a person can read and a line-based tool can search, streamed, and written atomically.

The head is indented; then comes one target per line.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import msgspec

from orchestrator.model.plan.plan import Plan
from orchestrator.model.run.run import Run
from orchestrator.tracker.disk import put_file
from orchestrator.tracker.report.build import Story, build_report

_CHUNK = 1000
_encode = msgspec.json.Encoder().encode


def write_report(run: Run, plan: Plan, path: Path, *, exit_code: int | None = None) -> Story:
    """Write the report of a run as it stands: completely, or not at all.

    Args:
        run: with at least its first record.
        plan: as in force.
        path: of the report; its folder must exist.
        exit_code: of the session that is about to end; None for what the journal says.

    Returns:
        The report with its targets yet to be read, for who wants to tell of it.

    Raises:
        StateError: it cannot be written; what was there before still is.
    """
    put_file(path, report_chunks(build_report(run, plan, exit_code=exit_code)))
    return build_report(run, plan, exit_code=exit_code)


def report_chunks(story: Story) -> Iterator[bytes]:
    """The report as JSON, a thousand targets at a time. It reads the targets of `story`."""
    head = msgspec.json.format(_encode(story.head), indent=2)
    yield head.removesuffix(b"\n}") + b',\n  "targets": ['
    yield from _rows(story.targets)
    yield b"\n  ]\n}\n"


def _rows(targets: Iterable[msgspec.Struct]) -> Iterator[bytes]:
    rest, before = iter(targets), b"\n    "
    while chunk := list(islice(rest, _CHUNK)):
        yield before + b",\n    ".join([_encode(target) for target in chunk])
        before = b",\n    "
