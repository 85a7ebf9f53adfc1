"""What makes a start cheaper before anything is loaded: no look for cycles, and no module that nothing needs."""

from __future__ import annotations

import sys

from orchestrator.app.process.collector import collect_seldom

TYPE_CHECKING = False  # as `typing` has it, whose import would take longer than the rest
if TYPE_CHECKING:
    from types import ModuleType

_UNNEEDED = "typing_extensions"


def start_lightly() -> None:
    """Call it first."""
    collect_seldom()
    _import_msgspec()


def _import_msgspec() -> None:
    """Import msgspec without `typing_extensions`: it takes `typing` then, which has all that it asks for since 3.11.

    Half of the time that msgspec takes to import, a twentieth of a small preview, would go into that module and what it
    brings along: inspect, ast, dis, tokenize.
    """
    modules: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]  # None: it cannot be imported
    if _UNNEEDED in modules:
        return
    modules[_UNNEEDED] = None
    try:
        import msgspec  # noqa: F401, PLC0415  # for those that import it later
    finally:
        del modules[_UNNEEDED]
