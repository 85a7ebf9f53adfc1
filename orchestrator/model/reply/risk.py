"""What the cloud itself foretells of an upgrade: the `risk` of proxy-version, with its durations in seconds."""

from msgspec import Struct


class Risk(Struct, frozen=True, gc=False, kw_only=True):
    """The cloud's forecast of one upgrade; None where it said nothing, or nothing that can be understood.

    Attributes:
        level: its number; 1 is the highest (SDK, `proxy_engine_risk.py`).
        service_impact_s: for how long applications are affected.
        upgrade_s: how long the upgrade takes.
        guidance: its advice, word for word.
    """

    level: int | None = None
    service_impact_s: float | None = None
    upgrade_s: float | None = None
    guidance: str | None = None
