"""The values of a preview: waves, steps, gates, numbers. Plain JSON as they stand."""

from datetime import datetime
from typing import Literal

from msgspec import Struct, field

from orchestrator.model.plan.health_gate import GateAnswer, GatePoint
from orchestrator.model.plan.target import Target
from orchestrator.model.reply.cloud_event import CloudEvent
from orchestrator.model.reply.risk import Risk
from orchestrator.planner.preview.audit import Audit
from orchestrator.planner.preview.estimate import AssumedRate
from orchestrator.planner.preview.forecast_values import Rehearsed
from orchestrator.planner.waves import ScopeShare


class ImpactForecast(Struct, kw_only=True):
    """What the cloud foretells of the upgrades of a wave.

    Attributes:
        proxies: of so many it foretells how long applications are affected.
        service_impact_s: of all of them together.
        upgrade_s: the longest upgrade that it foretells.
    """

    proxies: int
    service_impact_s: float
    upgrade_s: float | None


class StepGroup(Struct, kw_only=True):
    """Targets of a wave that make the same step.

    Attributes:
        source_version: the version that they run; None when it was not read.
        expected: the versions from which they may be upgraded; empty for any.
        problem: why the version could not be read, if that was tried.
        risks: what the cloud foretells of their upgrades, by proxy_id; of some or all.
    """

    source_version: str | None
    target_version: str
    expected: tuple[str, ...]
    problem: str | None
    targets: list[Target]
    risks: dict[str, Risk] = field(default_factory=dict)


class LeftOut(Struct, kw_only=True):
    """Targets that are not sent for the same reason: an outcome of the report, or `excluded` by the plan.

    Attributes:
        may_be_sent: whether they are sent all the same once evidence shows that their upgrade never began.
    """

    outcome: str
    reason: str
    why: str
    targets: list[Target]
    may_be_sent: bool = False


class WavePreview(Struct, kw_only=True):
    """One wave: its numbers, how long it should take, and its targets by version.

    Attributes:
        at_once: how many of it may be in flight together, by `in_flight` and by what instances and labels allow.
        approve: whether a person must still approve it before it begins.
        release: the command that approves it; None where nobody has to.
        waits: how many of it have no outcome, also those that the run will find to need no upgrade.
        impact: what the cloud foretells of it; None when it says nothing.
    """

    name: str
    sends: int
    size: int | None
    in_flight: int
    at_once: int
    max_failures: int | None
    max_rejected: int | None
    soak_s: float
    approve: bool
    release: str | None = None
    duration_s: float
    limited_by: str
    groups: list[StepGroup]
    impact: ImpactForecast | None = None
    waits: int = 0

    @property
    def awaits_approval(self) -> bool:
        """Whether a run stops before it: what its targets run is read only once it has begun."""
        return self.approve and self.waits > 0


class GatePreview(Struct, kw_only=True):
    """A gate, and what it said when it was asked once for the preview.

    Attributes:
        answer: None when it was not asked.
        keeps: what it keeps from starting by that answer: all targets, or some; None for nothing.
    """

    name: str
    at: tuple[GatePoint, ...]
    answer: GateAnswer | None
    keeps: Literal["all", "some"] | None = None
    status: int | None = None
    value: float | None = None
    evidence: str = ""


class SubnetPreview(Struct, kw_only=True):
    """A subnet of proxies that are sent, with the addresses that it has left.

    Attributes:
        free: None when that was not told.
        needed: by the upgrade there that needs most; `at_least`: it, and what is missing, may be more, as the nodes of
            some proxies there are not known.
        missing: so many for that one, beside the reserve; 0 when it could start now.
        why: it was not told.
    """

    scope: str
    subnet_id: str
    proxies: int
    free: int | None
    needed: int
    at_least: bool = False
    missing: int = 0
    why: str | None = None


class EventPreview(Struct, kw_only=True):
    """Something that the cloud is about to do to an instance itself, for which proxies wait that are sent.

    Attributes:
        proxies: their ids.
        keeps_from: from when on they wait; None when the list gives no time: once it is under way.
        until: when they may start again, if the cloud keeps to it; None when nobody says.
        waits: whether they would wait now.
    """

    scope: str
    event: CloudEvent
    proxies: tuple[str, ...]
    keeps_from: datetime | None
    until: datetime | None
    waits: bool


class Calls(Struct, kw_only=True):
    """Calls: those that this preview took to read and discover, the upgrades to come, an estimate of all to come.

    Attributes:
        upgrades_at_most: with those that may be sent again.
    """

    read: int
    upgrades: int
    upgrades_at_most: int
    all: int


class Preview(Struct, kw_only=True):
    """The whole preview.

    Attributes:
        state: in which state a start finds the fleet: a run that goes on, a hold, bounds; empty for a plain beginning.
        sends_at_most: with those in doubt that are sent again if evidence shows that their upgrade never began.
        starts: how many upgrades start before a person must release or approve something; 0 when nothing may start.
        unusable: targets in scopes that could not be used now.
        repeats: whether targets are sent that ended badly before: what ends in the same way again is no news.
        redo: the command that begins with what failed before; None when nothing is left out for that.
        limits: which of the plan's limits a person has changed, who and why, and the command that ends that.
        versions_read: whether the cloud was asked.
        undiscovered: whether the plan has proxies looked for, which only the network can: what is found comes on top.
        in_flight: the cap as a number; in strict mode a wave may be left less, as it says.
        duration_s: of waves and soaks: of a typical run from now on, windows and freezes in it, if `rehearsed`; else
            the least that the limits allow, windows and freezes left aside.
        rehearsed: whether `duration_s` and `calls.all` come from a rehearsal; without one they are arithmetic.
        per_window: most attempts in one window, or on one day without windows; None for any number.
        closes: whether windows or freezes keep upgrades from starting at times.
        rates: what is assumed where the plan says `rate: auto`.
        gates: of the plan, with what they said.
        subnets: of the proxies that are sent, as far as they are known and were read.
        events: that the cloud is about to do to instances of the proxies that are sent; those that keep any back first.
        events_read: whether it was asked for them.
        audit: what has changed since the last run for this version; None when there was none.
        forecast: what a rehearsal of the run says; None when it was not asked for.
    """

    schema: Literal["orchestrator.preview/1"] = "orchestrator.preview/1"
    name: str
    target_version: str
    state: tuple[str, ...] = ()
    versions_read: bool
    undiscovered: bool = False
    targets: int
    sends: int
    sends_at_most: int
    starts: int
    unusable: int = 0
    repeats: bool = False
    redo: str | None = None
    limits: str | None = None
    mode: Literal["strict", "soft"]
    in_flight: int
    max_failures: int
    max_rejected: int
    scopes: tuple[ScopeShare, ...]
    waves: list[WavePreview]
    left_out: list[LeftOut]
    calls: Calls
    duration_s: float
    rehearsed: bool = False
    limited_by: str
    closes: bool
    warnings: tuple[str, ...]
    per_window: int | None = None
    rates: tuple[AssumedRate, ...] = ()
    gates: tuple[GatePreview, ...] = ()
    subnets: tuple[SubnetPreview, ...] = ()
    events: tuple[EventPreview, ...] = ()
    events_read: bool = False
    audit: Audit | None = None
    forecast: Rehearsed | None = None
