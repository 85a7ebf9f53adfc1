"""The options of every verb, typed: after the parser nothing is a string that should be something else.

Not a dataclass, because `dataclasses` alone would take longer to import than all of the command line.
"""

from __future__ import annotations

from orchestrator.errors import ExitCode

TYPE_CHECKING = False  # as `typing` has it, whose import would take longer than the rest
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any, Literal


#: With `--quiet`, exits that say nothing.
_SILENT = frozenset({ExitCode.DONE, ExitCode.LOCKED, ExitCode.MORE_TO_DO})


class Options:
    """What the command line asks for. Options that a verb does not have keep their defaults."""

    verb: str
    plan: Path
    state: Path | str | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console", "lines", "auto"] = "auto"
    log_file: Path | None = None
    no_progress: bool = False
    quiet: bool = False

    simulate: bool = False
    seed: int = 1
    speed: float = 60.0
    faults: str = "light"

    offline: bool = False
    forecast: bool = False
    out: Path | None = None
    format: str | None = None
    watch: bool = False
    raw: bool = False
    dry_run: bool = False
    report: Path | None = None
    metrics: Path | None = None
    until: str | None = None
    max_duration: str | None = None
    success_codes: frozenset[int] = frozenset()
    wait: str = "1h"
    new: bool = False
    only_outcome: frozenset[str] | None = None
    overrides: Mapping[str, str]

    run_id: str | None = None
    compare: str | None = None
    output: Path | None = None
    proxy_id: str = ""
    wave: str | None = None
    note: str = ""
    changes: Sequence[str] = ()
    reset: bool = False
    outcome: Literal["succeeded", "failed", "not_sent"] = "failed"
    moved_from: Path
    what: str | None = None
    first: str | None = None
    second: str | None = None
    print_only: bool = False
    keep: str = "400d"
    name: str | None = None
    fleet: str | None = None
    once: bool = False
    key: str | None = None

    region: str | None = None
    endpoint: str | None = None

    port: int = 0
    instances: int = 20
    proxies: int = 2
    project_id: str | None = None
    token: str | None = None
    user: str | None = None
    password: str | None = None
    access_key: str | None = None
    secret_key: str | None = None
    regression: Sequence[str] = ()
    write_plan: Path | None = None

    def __init__(self, **given: Any) -> None:
        vars(self).update(given)

    @property
    def has_plan(self) -> bool:
        """Whether the command line names a plan."""
        return vars(self).get("plan") is not None

    def silences(self, code: ExitCode) -> bool:
        """Whether an end with this code says nothing: with `--quiet`, when it is healthy or counts as success."""
        return self.quiet and (code in _SILENT or code in self.success_codes)
