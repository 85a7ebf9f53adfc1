"""The `risk` of proxy-version: what the simulated cloud foretells of an upgrade, in one of the forms that texts take.

Fields: huaweicloudsdkgaussdb `proxy_engine_risk.py`. All are free text there, so each proxy has its own form.
"""

from typing import Any

from orchestrator.simulator.chance import below, unit
from orchestrator.simulator.profile import Risks, Timing
from orchestrator.simulator.world.world import Proxy

#: For how long the applications of a proxy feel the switch of each of its nodes, seconds.
IMPACT_S = 3.0

_NONSENSE = ("", "soon", "12", "see the console", "-3 s", "10 fortnights")


class Foretold:
    """Says of each proxy what its upgrade will be like: right on average, as the true durations scatter."""

    def __init__(self, risks: Risks, timing: Timing, seed: int, speed: float) -> None:
        self._risks = risks
        self._timing = timing
        self._seed = seed
        self._speed = speed

    def risk(self, proxy: Proxy) -> dict[str, Any] | None:
        """The object of one proxy; None when the cloud says nothing."""
        share = unit(self._seed, "risk", proxy.proxy_id)
        if share < self._risks.missing:
            return None
        if share < self._risks.missing + self._risks.nonsense:
            upgrade, impact = (self._pick(_NONSENSE, what, proxy) for what in ("upgrade", "impact"))
        else:
            upgrade = self._written(self._timing.node_s * proxy.node_num, "upgrade", proxy)
            impact = self._written(IMPACT_S * proxy.node_num, "impact", proxy)
        return {
            "level": 1,
            "suggest": "A newer version is available.",
            "influence": "Connections are interrupted for a moment.",
            "guidance": "Upgrade during off-peak hours.",
            "service_impact_duration": impact,
            "upgrade_duration": upgrade,
        }

    def _written(self, seconds: float, what: str, proxy: Proxy) -> str:
        seconds /= self._speed
        plain = f"{seconds:.3f}".rstrip("0").rstrip(".")
        minutes = f"{seconds / 60:.3f}".rstrip("0").rstrip(".")
        forms = (f"{plain}s", f"{plain} seconds", f"about {minutes} minutes", f"{minutes}分钟")
        return self._pick(forms, what, proxy)

    def _pick(self, forms: tuple[str, ...], what: str, proxy: Proxy) -> str:
        return forms[below(len(forms), self._seed, "risk", what, proxy.proxy_id)]
