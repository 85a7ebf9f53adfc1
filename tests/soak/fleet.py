"""One trial, made from one seed: the fleet, its plan, its cloud, and everything that will happen to its processes."""

from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from msgspec.structs import replace as other
from soak.faults import random_profile
from soak.host_clock import RIGHT, HostClock, random_clock
from soak.life import PLACES, TROUBLES, Death
from soak.plans import NEW, REGIONS, doubt_period_s, random_plan
from soak.poison import NO_POISON, Dose
from soak.virtual_api import Outage, service_host

from orchestrator.executor.crash_points import Point
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Plan, Wave
from orchestrator.simulator.config import SimulatedTarget, SimulatorConfig, made_project_id
from orchestrator.simulator.profile import Profile, Timing

_PASSWORD = "a-password-of-the-soak"
#: Doubts and ends are rare, and deaths among them dear.
_RARE = (Point.EVIDENCE_READ, Point.DOUBT_RESOLVED, Point.JOB_READ, Point.JOB_ENDED, Point.VERIFIED)
#: Where exceptions are raised, each in turn, so that few trials reach all.
RAISING = (*(point.value for point in Point), *TROUBLES)
_DEATHS = (*(point.value for point in Point), *PLACES, *(point.value for point in _RARE))

Size = Literal["small", "full"]
#: What another host is about to write when one wakes up.
Worst = Literal["disproof", "intent", "settlement"]

#: How often most answers leave a doubt.
_MURKY: dict[Size, float] = {"small": 0.4, "full": 0.1}


@dataclass(frozen=True)
class Freeze:
    """When a process stands still, and until when.

    Attributes:
        place: as of a `Death`.
        seconds: for so long at most.
        until: it wakes up when another process hands over a record of this kind: the worst instant for it.
    """

    place: str
    nth: float
    seconds: float
    until: Worst | None = None


@dataclass(frozen=True)
class Ordeal:
    """What happens to one process.

    Attributes:
        death: it is killed there.
        freeze: it stands still there, where another host takes its place.
        raises: an exception is raised there.
        stop_s: it is asked to stop, so many seconds after its start.
        until_s: it starts nothing after so many seconds.
        full_after: the disk has room for so many records.
        hold_s: a person holds the fleet then, and releases it some time later.
        settles_s: a person settles what is open then.
        down_s: until the next process is started.
        changes: it runs with changed limits.
    """

    death: Death | None = None
    freeze: Freeze | None = None
    raises: Death | None = None
    stop_s: float | None = None
    full_after: int | None = None
    hold_s: float | None = None
    settles_s: float | None = None
    until_s: float | None = None
    down_s: float = 60.0
    changes: bool = False


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """Everything about one trial. Processes beyond the last ordeal meet none, nor do those that serve beyond theirs."""

    seed: int
    plan: Plan
    config: SimulatorConfig
    environ: dict[str, str]
    disk_delay_s: float
    outages: tuple[Outage, ...]
    ordeals: tuple[Ordeal, ...]
    of_servers: tuple[Ordeal, ...] = ()
    careless: float
    helpful: bool
    dose: Dose = NO_POISON
    host: HostClock = RIGHT

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no byte on disk may show."""
        auths = [scope.auth for scope in self.plan.scopes if scope.auth is not None]
        names = {name for auth in auths for name in (auth.token_env, auth.password_env, auth.secret_key_env)}
        return tuple(value for name, value in self.environ.items() if name in names)


def random_fleet(seed: int, size: Size = "full") -> Fleet:
    """The trial that belongs to a seed."""
    chance = Random(f"fleet {seed}")
    plan = random_plan(chance, seed, _number(chance, size))
    faults = random_profile(
        chance,
        [target.proxy_id for target in plan.proxies],
        murky=chance.random() < _MURKY[size],
        doubt_s=doubt_period_s(plan),
        http_timeout_s=plan.http.timeout_s,
        rate=4.0 if plan.limits.rate == "auto" else plan.limits.rate,
    )
    config = SimulatorConfig(
        seed=seed,
        faults=faults,
        target_version=NEW,
        regions=tuple(REGIONS),
        targets=tuple(_simulated(plan, seed)),
        user="robot",
        password=_PASSWORD,
        domain="domain",
        access_key="AK1234567890",
        secret_key=_PASSWORD,
    )
    fleet = Fleet(
        seed=seed,
        plan=plan,
        config=config,
        environ={"TOKEN": config.accepted_token(), "PASSWORD": _PASSWORD, "AK": "AK1234567890", "SK": _PASSWORD},
        disk_delay_s=chance.choice((0.0, 0.0, 0.02, 0.5)),
        outages=tuple(_outages(chance, plan)),
        ordeals=tuple(_ordeal(chance, len(plan.proxies)) for _ in range(chance.choice((0, 1, 2, 2, 3, 4)))),
        careless=chance.choice((0.0, 0.0, 0.3)),
        helpful=chance.random() < 0.85,
        host=random_clock(Random(f"clock {seed}")),
    )
    return _poisoned(fleet, Random(f"dose {seed}"))


def _poisoned(fleet: Fleet, chance: Random) -> Fleet:
    """Of four trials one raises; of ten others one has poison in any answer, one in one target's, one crossed ones."""
    turn, raises = divmod(fleet.seed, 4)
    if raises == 3:
        return troubled(fleet, Death(RAISING[turn % len(RAISING)], chance.choice((1, 1, 2, 3))))
    kind = chance.randrange(10)
    if kind == 0:
        return replace(fleet, dose=Dose(share=chance.choice((0.01, 0.05, 0.2))))
    if kind == 1:
        return one_poisoned(fleet, chance)
    if kind == 2:
        return replace(fleet, dose=Dose(crossed=chance.choice((0.1, 0.5))))
    return fleet


def troubled(fleet: Fleet, place: Death) -> Fleet:
    """The same fleet, in whose first process an exception is raised."""
    return replace(fleet, ordeals=(Ordeal(raises=place), *fleet.ordeals))


def one_poisoned(fleet: Fleet, chance: Random) -> Fleet:
    """The same fleet on a good day, but for one target: what becomes of it may harm no other."""
    good = Profile(timing=Timing(node_s=5.0, node_spread=(0.9, 1.1), visible_s=(0.5, 2.0)))
    generous = Failures(max=Amount(100, percent=True), max_rejected=Amount(100, percent=True), mode="soft")
    plan = other(
        fleet.plan,
        source_versions=(),
        waves=(Wave(name="rest"),),
        failures=generous,
        retry=other(fleet.plan.retry, busy_for_s=24 * 3600.0),
        scopes=tuple(other(scope, max_failures=None) for scope in fleet.plan.scopes),
    )
    return replace(
        fleet,
        plan=plan,
        config=other(fleet.config, faults=good),
        outages=(),
        ordeals=(),
        careless=0.0,
        helpful=True,
        dose=Dose(proxy_id=chance.choice(plan.proxies).proxy_id),
    )


def _number(chance: Random, size: Size) -> int:
    if size == "small":
        return chance.choice((1, 3, 6, 10, 15, 20, 30))
    return chance.choice((1, 2, 3, 5)) if chance.random() < 0.45 else 50


def _simulated(plan: Plan, seed: int) -> list[SimulatedTarget]:
    regions = {scope.name: scope.region or "" for scope in plan.scopes}
    return [
        SimulatedTarget(
            region=regions[target.scope],
            instance_id=target.instance_id,
            proxy_id=target.proxy_id,
            project_id=made_project_id(seed, regions[target.scope]),
        )
        for target in plan.proxies
    ]


def _outages(chance: Random, plan: Plan) -> list[Outage]:
    if chance.random() < 0.8:
        return []
    begins = [chance.uniform(0, 400) for _ in range(chance.randint(1, 3))]
    host = service_host(chance.choice(plan.scopes))
    return [Outage(host, begin, begin + chance.choice((1.0, 20.0, 120.0, 1200.0))) for begin in begins]


def _ordeal(chance: Random, targets: int) -> Ordeal:
    """Mostly a death; else a stop, a full disk, or a person."""
    kind = chance.random()
    down_s = chance.choice((1.5, 10.0, 60.0, 900.0))
    changes = chance.random() < 0.2
    if kind < 0.7:
        return Ordeal(death=_death(chance, targets), down_s=down_s, changes=changes)
    return Ordeal(
        stop_s=chance.uniform(1, 400) if kind < 0.8 else None,
        full_after=chance.randint(3, 8 * targets) if 0.8 <= kind < 0.87 else None,
        hold_s=chance.uniform(1, 300) if 0.87 <= kind < 0.93 else None,
        until_s=chance.uniform(30, 300) if 0.93 <= kind < 0.96 else None,
        settles_s=chance.uniform(20, 400) if kind >= 0.9 else None,
        down_s=down_s,
        changes=changes,
    )


def _death(chance: Random, targets: int) -> Death:
    place = chance.choice(_DEATHS)
    if place == "instant":
        return Death(place, chance.uniform(0.01, 300))
    if place in {"record", "written"}:
        return Death(place, chance.randint(1, 1 + 8 * targets))
    return Death(place, chance.randint(1, 1 + targets // 5))
