"""The plan, parsed and checked: what a person asked for, with every default filled in. Frozen before the first call.

Durations are seconds, rates calls per second. Every default here is the contract's and safe in production.
"""

from fnmatch import fnmatchcase
from typing import Literal, TypeAlias

from msgspec import Struct, field

from orchestrator.model.plan.amount import Amount, Rate
from orchestrator.model.plan.auth import Auth
from orchestrator.model.plan.health_gate import HealthGate
from orchestrator.model.plan.metric import CloudEye
from orchestrator.model.plan.selection import Selector
from orchestrator.model.plan.target import Target
from orchestrator.model.reply.cloud_event import CloudEvents

MINUTE_S = 60.0
HOUR_S = 3600.0


class Scope(Struct, frozen=True, kw_only=True):
    """One region, project, endpoint and credentials.

    Attributes:
        project_id: None when it is to be looked up from the region.
        endpoint: None when the region table decides.
        rate: None when `limits.rate` decides.
        max_failures: the scope's own failure budget, if any.
        max_rejected: the same for rejected targets.
        hosts: names of the hosts that may serve it, with `*` and `?`; empty for all.
    """

    name: str
    region: str | None = None
    project_id: str | None = None
    endpoint: str | None = None
    iam_endpoint: str | None = None
    vpc_endpoint: str | None = None
    auth: Auth = Auth()
    rate: Rate | None = None
    max_failures: Amount | None = None
    max_rejected: Amount | None = None
    hosts: tuple[str, ...] = ()

    def served_by(self, host: str | None) -> bool:
        """Whether a host may serve it; None for one that shares its state with no other."""
        return host is None or not self.hosts or any(fnmatchcase(host, name) for name in self.hosts)


class InstanceFilter(Struct, frozen=True, kw_only=True):
    """Which instances a discovery asks for; all conditions must hold. `name` may hold `*` wildcards."""

    ids: tuple[str, ...] = ()
    name: str | None = None
    tags: dict[str, str] = {}
    vpc_id: str | None = None
    enterprise_project_id: str | None = None


class Discover(Struct, frozen=True, kw_only=True):
    """One discovery: every proxy of the instances of one scope that pass the filter."""

    scope: str
    instances: InstanceFilter = InstanceFilter()


class Expect(Struct, frozen=True, kw_only=True):
    """How many targets there must be, else nothing starts."""

    min: int = 1
    max: int | None = None


class Wave(Struct, frozen=True, kw_only=True):
    """An ordered share of the targets.

    Attributes:
        size: how many targets are really sent in it; None for all that are left.
        select: which targets may be in it; None for any.
        soak_s: how long to wait after its last upgrade before the next wave opens.
        approve: a person must release the wave before it opens.
    """

    name: str
    size: Amount | None = None
    select: Selector | None = None
    soak_s: float = 0.0
    max_failures: Amount | None = None
    max_rejected: Amount | None = None
    approve: bool = False


class Limits(Struct, frozen=True, kw_only=True):
    """How much may happen at once.

    Attributes:
        per_label: maps a label's name to how many targets may share a value in flight.
        per_window: how many attempts may be made in one window, or on one day without windows; None for any number.
    """

    concurrency: int = 10
    rate: Rate = 2.0
    in_flight: Amount = Amount(10)
    per_instance: int = 1
    per_label: dict[str, int] = {}
    per_window: int | None = None
    ramp: bool = True


class Capacity(Struct, frozen=True, kw_only=True):
    """Free addresses of subnets bound the upgrades. `subnet_reserve`: so many are left alone in each."""

    subnet_reserve: int = 2


FailureKind: TypeAlias = Literal["failed", "timed_out", "mismatch", "in_doubt", "deferred", "rejected", "partial"]


class Failures(Struct, frozen=True, kw_only=True):
    """The failure budget: what counts as harm, and how much of it stops the fleet."""

    max: Amount = Amount(1, percent=True)
    counts: tuple[FailureKind, ...] = ("failed", "timed_out", "mismatch", "in_doubt")
    mode: Literal["strict", "soft"] = "strict"
    max_rejected: Amount = Amount(10, percent=True)
    new_reject: Literal["continue", "hold"] = "continue"


class Window(Struct, frozen=True, kw_only=True):
    """Hours in which upgrades may start, in local time of `timezone`.

    Attributes:
        days: the days on which it opens, Monday = 0; all seven when the plan names none.
        opens: minutes after midnight.
        closes: minutes after midnight; not after `opens` means the next day.
    """

    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    opens: int
    closes: int
    timezone: str


class Freeze(Struct, frozen=True, kw_only=True):
    """Days on which nothing starts, both ends included: ISO dates in local time of `timezone`."""

    start: str
    end: str
    timezone: str


class Follow(Struct, frozen=True, kw_only=True):
    """How far and how patiently an accepted upgrade is followed. `expected_s` is never above `timeout_s`."""

    to: Literal["accepted", "completed", "verified"] = "verified"
    poll_s: float = 15.0
    timeout_s: float = HOUR_S
    expected_s: float = 10 * MINUTE_S
    verify_for_s: float = 5 * MINUTE_S


class Retry(Struct, frozen=True, kw_only=True):
    """How often, and after how long, something is tried again."""

    attempts: int = 5
    backoff_s: float = 1.0
    max_backoff_s: float = MINUTE_S
    busy_s: float = MINUTE_S
    busy_for_s: float = 2 * HOUR_S
    resend_after_s: float = 15 * MINUTE_S


class Http(Struct, frozen=True, kw_only=True):
    """How calls are made. `ca_file` is an absolute path."""

    connect_timeout_s: float = 5.0
    timeout_s: float = 30.0
    ca_file: str | None = None
    allow_http: bool = False


class Metrics(Struct, frozen=True, kw_only=True):
    """Where metrics go. `textfile` is the absolute path of a file for node_exporter; None for nowhere."""

    textfile: str | None = None


NoticeKind: TypeAlias = Literal["held", "approval", "person", "window_closes", "ended", "first_reject"]


class Notify(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One receiver of notifications, by one way; never an address that is a secret, only where it is found.

    Attributes:
        command: a program and its arguments.
        webhook_env: the variable with an address; `secret_env`: the one with the secret that signs what is sent there.
        apprise_env: the variable with an address of Apprise.
        ping_env: the variable with the address of a dead man's switch.
        on: what it is told of; a ping is told of each session besides.
    """

    command: tuple[str, ...] | None = None
    webhook_env: str | None = None
    secret_env: str | None = None
    apprise_env: str | None = None
    ping_env: str | None = None
    on: tuple[NoticeKind, ...] = ("held", "approval", "person", "window_closes")

    @property
    def name(self) -> str:
        """Its way, and the word of the plan for it: how people know it."""
        if self.command is not None:
            return f"command {self.command[0]}"
        ways = (("webhook_env", self.webhook_env), ("apprise_env", self.apprise_env), ("ping_env", self.ping_env))
        return next(f"{way} {name}" for way, name in ways if name is not None)


ImpactSource: TypeAlias = Literal["off", "cloud_eye"]


class Plan(Struct, frozen=True, kw_only=True):
    """The whole plan.

    Attributes:
        name: the fleet.
        path: absolute path of the plan file.
        sha256: of the file's bytes.
        source_versions: only proxies that run one of these are upgraded; empty for any.
        scopes: at least one; a plan without `scopes` has one called `default`.
        proxies: the targets written out, in the plan's order.
        inventory: absolute paths of inventory files.
        capacity: None when free addresses bound nothing.
        windows: empty for always; `instance` for each instance's own maintenance window.
        impact: where is read what upgrades do to applications.
        written: the dotted keys that the file sets itself, to tell a default from a choice.
        set: what `--set` puts in place of what the file says, by dotted key, as `old -> new`.
    """

    name: str
    path: str
    sha256: str
    target_version: str
    source_versions: tuple[str, ...] = ()
    scopes: tuple[Scope, ...]
    scopes_required: Literal["any", "all"] = "any"
    proxies: tuple[Target, ...] = ()
    inventory: tuple[str, ...] = ()
    discover: tuple[Discover, ...] = ()
    exclude: tuple[Selector, ...] = ()
    expect: Expect = Expect()
    waves: tuple[Wave, ...] = (Wave(name="canary", size=Amount(1), max_failures=Amount(0)), Wave(name="rest"))
    limits: Limits = Limits()
    failures: Failures = Failures()
    windows: tuple[Window, ...] | Literal["instance"] = ()
    freezes: tuple[Freeze, ...] = ()
    fit: bool = True
    gates: tuple[HealthGate, ...] = ()
    impact: ImpactSource = "off"
    cloud_eye: CloudEye = CloudEye()
    capacity: Capacity | None = Capacity()
    cloud_events: CloudEvents = "wait"
    follow: Follow = Follow()
    retry: Retry = Retry()
    http: Http = Http()
    language: Literal["en-us", "zh-cn"] = "en-us"
    metrics: Metrics = Metrics()
    notify: tuple[Notify, ...] = ()
    written: frozenset[str] = field(default_factory=frozenset)
    set: dict[str, str] = field(default_factory=dict)

    @property
    def reads_metrics(self) -> bool:
        """Whether metrics of proxies are wanted for anything."""
        return self.impact == "cloud_eye" or any(gate.cloud_eye is not None for gate in self.gates)

    @property
    def says_expected(self) -> bool:
        """Whether a person wrote how long an upgrade takes: else the cloud's own forecast comes before the default."""
        return "follow.expected" in self.written

    @property
    def finds_rates(self) -> bool:
        """Whether the rate of a scope is to be found out: `rate: auto`."""
        return "auto" in {self.limits.rate if scope.rate is None else scope.rate for scope in self.scopes}
