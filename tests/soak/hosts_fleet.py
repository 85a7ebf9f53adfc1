"""What hosts of a trial go through: they stand still, mostly, or die."""

from dataclasses import replace
from random import Random

from msgspec.structs import replace as other
from soak.fleet import Fleet, Freeze, Ordeal, Size, Worst, random_fleet
from soak.focus import world
from soak.host_clock import RIGHT
from soak.life import Death
from soak.plans import doubt_period_s
from soak.poison import NO_POISON

from orchestrator.executor.crash_points import Point
from orchestrator.simulator.profile import JobFate, JobShares, Profile, ScriptedFate

#: How many jobs are never shown where answers come late.
_UNSEEN = 0.4
#: Where a host may stand still between two steps: then the doubt period must be longer, as it is with real ones.
_STEPS = tuple(point.value for point in Point)
#: Hosts that scopes name; there are h1, h2, ...
_NAMED: tuple[tuple[str, ...], ...] = ((), ("h1",), ("h2", "h3"), ("h2", "h3"), ("h3", "h1"), ("h3",))
_BESIDE = ("instant", "instant", "post", "post", "post", "record", "written")


def hosts_fleet(seed: int, size: Size = "full") -> Fleet:
    """The trial that belongs to a seed: as with one host, but hosts die or stand still, and no disk is full.

    In every other one scopes name their hosts, so that one host decides and others serve what it may not.
    """
    fleet, chance = random_fleet(seed, size), Random(f"hosts {seed}")
    raising = [ordeal for ordeal in fleet.ordeals[:1] if ordeal.raises is not None]
    others = (_ordeal(chance, fleet) for _ in range(chance.choice((1, 2, 3, 4))))
    fleet = replace(fleet, ordeals=(*raising, *others))
    return spread(fleet) if seed % 2 else fleet


def spread(fleet: Fleet) -> Fleet:
    """The same fleet, whose scopes name hosts; those that serve die and stand still as well."""
    chance = Random(f"spread {fleet.seed}")
    scopes = tuple(other(scope, hosts=chance.choice(_NAMED)) for scope in fleet.plan.scopes)
    if not any(scope.hosts for scope in scopes):
        scopes = (other(scopes[0], hosts=("h2", "h3")), *scopes[1:])
    of_servers = (_of_server(chance, fleet) for _ in range(chance.choice((0, 1, 2, 3))))
    plan = other(fleet.plan, scopes=scopes)
    return replace(
        fleet, plan=plan, of_servers=tuple(of_servers), host=RIGHT
    )  # whose clock is wrong takes part in nothing


def _of_server(chance: Random, fleet: Fleet) -> Ordeal:
    ordeal = _ordeal(chance, fleet)
    return ordeal if ordeal.hold_s is None else Ordeal()


def _ordeal(chance: Random, fleet: Fleet) -> Ordeal:
    targets, kind = len(fleet.plan.proxies), chance.random()
    down_s = chance.choice((1.5, 10.0, 60.0))
    if kind < 0.65:
        return Ordeal(freeze=_freeze(chance, fleet), down_s=down_s)
    if kind < 0.9:
        place = chance.choice((*_STEPS, "post", "written"))
        return Ordeal(death=Death(place, chance.randint(1, 1 + targets // 5)), down_s=down_s)
    return Ordeal(hold_s=chance.uniform(1, 300), settles_s=chance.uniform(20, 400), down_s=down_s)


def _freeze(chance: Random, fleet: Fleet) -> Freeze:
    targets, doubt_s = len(fleet.plan.proxies), doubt_period_s(fleet.plan)
    if chance.random() < 0.4:
        place, seconds = chance.choice(_STEPS), chance.choice((4.0, doubt_s / 3, doubt_s / 2))
        return Freeze(place, chance.randint(1, 1 + targets // 5), seconds)
    place = chance.choice(_BESIDE)
    nth = chance.uniform(0.5, 200) if place == "instant" else chance.randint(1, 1 + targets // 2)
    until: Worst | None = chance.choice((None, "disproof", "intent", "settlement"))
    return Freeze(place, nth, chance.choice((5.0, 13.0, 30.0, 2 * doubt_s)), until)


def late(seed: int) -> Fleet:
    """Hosts stand still between call and answer, jobs fail or are never shown, and they wake up when it is worst."""
    chance, never = Random(f"late {seed}"), JobFate(seen="never", end="failed")
    keys = [target.proxy_id for target in random_fleet(seed, "small").plan.proxies]
    unseen = tuple(ScriptedFate(fate=never, proxy_id=key) for key in keys if chance.random() < _UNSEEN)
    fleet = world(seed, Profile(jobs=JobShares(end={"failed": 0.8}), fates=unseen))
    return replace(fleet, dose=NO_POISON, ordeals=tuple(Ordeal(freeze=_at_worst(chance), down_s=5.0) for _ in range(2)))


def _at_worst(chance: Random) -> Freeze:
    until: Worst | None = chance.choice((None, "disproof", "intent"))
    return Freeze("post", chance.randint(1, 4), 20.0 if until is None else 900.0, until)
