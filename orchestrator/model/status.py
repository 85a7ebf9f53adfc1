"""Where waves and scopes stand: what is known of the parts of a run beside its targets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.model.moment import Moment


@dataclass(slots=True)
class WaveStatus:
    """Where a wave stands.

    Attributes:
        soaks_until: by the clock of the session in which its soak began.
        soaking: when that was, by the clouds of all scopes.
        soak_s: how long it has to soak.
        passed: it was held because nothing succeeded, and a person released it.
    """

    name: str
    opened_at: datetime | None = None
    soaks_until: datetime | None = None
    soaking: Mapping[str, Moment] = field(default_factory=dict)
    soak_s: float = 0.0
    done_at: datetime | None = None
    approved: bool = False
    passed: bool = False
    sent: int = 0
    targets: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ScopeStatus:
    """Where a scope stands, and how much it was used.

    Attributes:
        opened: it was reached in the present session.
        got_through: attempts that were answered, and not turned away.
    """

    name: str
    project_id: str | None = None
    opened: bool = False
    paused: str | None = None
    given_up: str | None = None
    throttled_until: datetime | None = None
    probe_at: datetime | None = None
    got_through: int = 0
    calls: int = 0
    throttled: int = 0
    rate_limit: float | None = None
    seconds: float = 0.0
