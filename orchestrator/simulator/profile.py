"""A fault profile: everything that may go wrong in the simulated cloud, how often, and when exactly.

Values only. Shares are probabilities in 0..1 and exclude each other within one mapping; durations are seconds before
the division by `--speed`. The built-in profiles and the YAML form are in `profiles`.
"""

from typing import Annotated, Literal

import msgspec

from orchestrator.simulator.profile_events import Count, Events, Seconds, Share, Span

Kind = Literal[
    "upgrade",
    "proxy_version",
    "proxies",
    "job",
    "immediate_jobs",
    "scheduled_jobs",
    "schedule_events",
    "schedule_exist",
    "instances",
    "instance",
    "details",
    "metrics",
    "subnet",
    "tokens",
    "projects",
    "metadata_token",
    "security_key",
]
#: Which rates a call is subject to.
Group = Literal["upgrade", "read", "iam"]

#: Faults of any call. `_unstarted`, `lost_request`, `error_before`: not executed; the others: executed.
AnyFault = Literal[
    "lost_answer",
    "lost_request",
    "error_after",
    "error_before",
    "gateway_timeout",
    "gateway_timeout_unstarted",
    "silence",
    "silence_unstarted",
    "cut_body",
    "slow_body",
    "garbage",
    "garbage_unstarted",
    "throttle",
    "throttle_text",
    "throttle_bare",
    "token_refused",
    "token_stale",
]
#: Faults of upgrade-version alone.
UpgradeFault = Literal[
    "empty_result",
    "empty_result_unstarted",
    "unknown_state",
    "unknown_state_unstarted",
    "accept_without_id",
    "job_id_instead",
    "accept_and_reject",
    "two_accepted",
    "rejected",
    "refused",
    "busy",
    "foreign_instead",
]
Fault = AnyFault | UpgradeFault
UPGRADE_ONLY: frozenset[str] = frozenset(UpgradeFault.__args__)  # type: ignore[attr-defined]

#: What a proxy is in this world, from the start.
Role = Literal[
    "already",
    "drifted",
    "not_offered",
    "not_upgradable",
    "gone",
    "unwell",
    "rejected",
    "refused",
    "accept_and_reject",
    "job_fails",
]
Paging = Literal["page", "record", "record_from_zero", "overlap", "moving", "short"]
Listing = Literal["exact", "overlap", "moving", "vanishing"]
End = Literal["completed", "failed", "hangs", "canceled", "unauthorized", "unauthorized_then_runs"]
Flip = Literal["normal", "early", "late", "never"]
Seen = Literal["normal", "late", "never", "not_by_id", "not_listed"]
Health = Literal["active", "abnormal", "abnormal_for_a_while"]
MetricName = Literal["connections", "response", "queries"]
Notice = Literal["retry_after", "text", "bare", "mixed"]


class JobFate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How one started upgrade goes."""

    end: End = "completed"
    flip: Flip = "normal"
    seen: Seen = "normal"
    health: Health = "active"
    fail_reason: str | None = None


class JobShares(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How often the fates of upgrades are other than the normal ones; each dimension is drawn for itself."""

    end: dict[End, Share] = {}
    flip: dict[Flip, Share] = {}
    seen: dict[Seen, Share] = {}
    health: dict[Health, Share] = {}


class Timing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Durations of the world, in seconds (before --speed)."""

    node_s: Seconds = 90.0
    node_spread: Span = (0.7, 1.4)
    visible_s: Span = (2.0, 6.0)
    visible_late_s: Span = (20.0, 90.0)
    flip_late_s: Span = (20.0, 120.0)
    effect_late_s: Span = (1.0, 45.0)
    authorised_after_s: Span = (60.0, 600.0)
    unwell_s: Span = (30.0, 120.0)
    slow_body_s: Seconds = 20.0
    retry_after_s: Span = (1.0, 5.0)
    foreign_from_s: Span = (0.0, 1800.0)
    foreign_for_s: Span = (120.0, 900.0)


class Latency(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Time to answer: log-normal around the median."""

    median_s: Seconds = 0.0
    sigma: Seconds = 0.4


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A throttle of a project: so many calls in each period, in force from `after_s` on. Periods are real seconds."""

    calls: Count
    period_s: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    after_s: Seconds = 0.0


class Lists(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How well lists can be trusted; drawn per project (hidden, named, paging) or per instance."""

    job_paging: dict[Paging, Share] = {}
    instance_paging: dict[Listing, Share] = {}
    jobs_hidden: Share = 0.0
    jobs_name_proxy: Share = 0.0
    without_proxy: Share = 0.0
    proxy_twice: Share = 0.0
    odd_types: Share = 0.0
    without_v31: Share = 0.0


class Foreign(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Work of other users: share of instances with a foreign job, of proxies with a foreign upgrade."""

    jobs: Share = 0.0
    upgrades: Share = 0.0
    scheduled: Share = 0.0


class Risks(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How often proxy-version has no `risk`, or one that nobody can understand."""

    missing: Share = 0.0
    nonsense: Share = 0.0


class Regression(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A version under which a metric (`connections`, `response`, `queries`) is another: 1.2 is 20 % more."""

    metric: MetricName
    factor: Seconds
    version: str


class Spike(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A time in which a metric of all proxies is another, from `at_s` after the beginning on."""

    metric: MetricName = "response"
    factor: Seconds = 2.0
    at_s: float = 0.0
    duration_s: Seconds = 600.0


class Metrics(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Metrics in Cloud Eye, and what is wrong with them: late, missing, of every n-th minute only, not to be read.

    `most`: how many a call may ask for, when that is fewer than 500.
    """

    late_s: Seconds = 0.0
    missing: Share = 0.0
    grain: Count = 1
    forbidden: bool = False
    most: Count | None = None
    regressions: tuple[Regression, ...] = ()
    spikes: tuple[Spike, ...] = ()


class ScriptedFault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Hits the nth call of a kind (of one proxy, when named), and `times - 1` further ones after it."""

    call: Kind
    fault: Fault
    nth: Count = 1
    times: Count = 1
    proxy_id: str | None = None


class ScriptedFate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The fate of the nth start of an upgrade of a proxy (of every proxy, when none is named)."""

    fate: JobFate
    nth: Count = 1
    proxy_id: str | None = None


class ScriptedForeign(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A foreign job on an instance, or a foreign upgrade when a proxy is named; from `at_s` after the beginning."""

    instance_id: str
    proxy_id: str | None = None
    at_s: Seconds = 0.0
    duration_s: Seconds = 300.0
    job_name: str = "ResizeGaussDBforMySQLFlavor"


class SubnetLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How many addresses each subnet has for upgrades; None for plenty. `denied`: nobody may ask for them."""

    addresses: Annotated[int, msgspec.Meta(ge=0)] | None = None
    denied: bool = False


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All of it. The default is a cloud in which nothing goes wrong."""

    name: str = "custom"
    rates: dict[Group, dict[Fault, Share]] = {}
    jobs: JobShares = JobShares()
    roles: dict[Role, Share] = {}
    #: True: the roles are dealt out in exact numbers, each at least once, to fleets of 20 proxies and more.
    roles_exact: bool = False
    lists: Lists = Lists()
    foreign: Foreign = Foreign()
    risk: Risks = Risks()
    metrics: Metrics = Metrics()
    subnets: SubnetLimits = SubnetLimits()
    events: Events = Events()
    timing: Timing = Timing()
    latency: Latency = Latency()
    limits: tuple[Limit, ...] = ()
    notice: Notice = "mixed"
    clock_skew_s: float = 0.0
    token_lifetime_s: Seconds | None = None
    status_while_upgrading: str = "ACTIVE"
    faults: tuple[ScriptedFault, ...] = ()
    fates: tuple[ScriptedFate, ...] = ()
    foreign_work: tuple[ScriptedForeign, ...] = ()

    def __post_init__(self) -> None:
        """Refuse shares that add up to more than 1, and faults of upgrades among those of other calls."""
        for name, shares in self._mappings():
            if sum(shares) > 1 + 1e-9:
                raise ValueError(f"the shares of {name} add up to more than 1")
        for group, rates in self.rates.items():
            misplaced = sorted(UPGRADE_ONLY & rates.keys()) if group != "upgrade" else []
            if misplaced:
                raise ValueError(f"rates.{group}: {', '.join(misplaced)} can only be under rates.upgrade")
        for scripted in self.faults:
            if scripted.fault in UPGRADE_ONLY and scripted.call != "upgrade":
                raise ValueError(f"faults: {scripted.fault} can only hit the call upgrade, not {scripted.call}")

    def _mappings(self) -> list[tuple[str, list[float]]]:
        named = [(f"rates.{group}", list(rates.values())) for group, rates in self.rates.items()]
        named += [(f"jobs.{name}", list(getattr(self.jobs, name).values())) for name in self.jobs.__struct_fields__]
        named += [("risk", [self.risk.missing, self.risk.nonsense])]
        named += [("roles", list(self.roles.values()))]
        named += [("lists.job_paging", list(self.lists.job_paging.values()))]
        return [*named, ("lists.instance_paging", list(self.lists.instance_paging.values()))]
