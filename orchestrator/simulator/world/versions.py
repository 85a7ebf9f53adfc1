"""Kernel versions of proxies: `2.YY.MM.NNN`, ordered as tuples of integers (user guide taurusdb_03_2101)."""

from functools import lru_cache

from orchestrator.simulator.chance import unit

#: Published so far, oldest first.
PUBLISHED = (
    "2.23.02.007",
    "2.23.06.000",
    "2.23.06.001",
    "2.23.09.000",
    "2.23.09.001",
    "2.23.09.002",
    "2.23.12.000",
    "2.24.03.000",
    "2.24.06.000",
    "2.24.09.020",
    "2.24.12.000",
    "2.25.03.000",
    "2.25.06.000",
    "2.25.09.000",
    "2.26.06.000",
)
OLDEST = "1.0.0.000"


@lru_cache(maxsize=1024)
def key(version: str) -> tuple[int, ...] | None:
    """What versions are compared by; None when the text is no version."""
    parts = version.split(".")
    return tuple(map(int, parts)) if all(part.isascii() and part.isdigit() for part in parts) else None


def older_than(version: str) -> list[str]:
    """The published versions below this one, the newest first; never empty."""
    limit = key(version) or ()
    return [known for known in reversed(PUBLISHED) if (key(known) or ()) < limit] or [OLDEST]


def running_before(version: str, seed: int, proxy_id: str) -> str:
    """The version that a proxy runs before its upgrade to this one: mostly the last one, else one before that."""
    candidates = older_than(version)[:3]
    share = unit(seed, "source_version", proxy_id)
    return candidates[min(len(candidates) - 1, 0 if share < 0.7 else 1 if share < 0.9 else 2)]  # noqa: PLR2004 - shares
