"""Random small fleets with random troubles. Everything follows from one seed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any

from fakes import acts
from fakes.acts import Act, Fate, refusing, rejecting, throttling
from fakes.clock import START
from fakes.clouds import NEW, FakeCloud
from fakes.events import some_events
from fakes.gates import KeptGates, moody, some_gates
from fakes.nights import first_opening
from fakes.plans import some_plan
from fakes.stage import Stage, later
from fakes.vpc import Vpc, in_subnet, some_subnets
from msgspec import structs

from orchestrator.executor.dispatch import Background, Dispatcher
from orchestrator.model.plan.plan import Capacity, Plan
from orchestrator.model.record.record import HoldSet
from orchestrator.model.reply.reply import Doubtful, Exchange, Failure, NotSent, Throttled

#: What an upgrade call may come to; ACCEPT is far the most frequent.
_ACTS: tuple[Act, ...] = (
    acts.PARTIAL,
    acts.LOST_ANSWER,
    acts.LOST_REQUEST,
    acts.LATE_EFFECT,
    acts.FIVE_HUNDRED,
    acts.FIVE_HUNDRED_AFTER,
    acts.EMPTY,
    acts.EMPTY_AFTER,
    acts.UNKNOWN_STATE,
    acts.UNKNOWN_NOT_BEGUN,
    acts.ACCEPT_WITHOUT_ID,
    acts.UNSENT,
    acts.UNAUTHENTICATED,
    acts.BUSY,
    rejecting(),
    rejecting("quota"),
    refusing(),
    throttling(),
    throttling(None),
)


#: Two evenings on which the clock changes in Europe, one on which it does in America, and plain ones.
_STARTS = (
    START,
    START,
    START + timedelta(hours=13),
    datetime(2026, 3, 28, 20, 0, tzinfo=UTC),
    datetime(2026, 10, 24, 21, 0, tzinfo=UTC),
    datetime(2026, 10, 31, 23, 0, tzinfo=UTC),
)


#: How far the clouds' clocks are ahead of this host's.
_SKEWS_S = (0.0, 0.0, 45.0, -55.0, 97.0, -600.0, 3 * 3600.0, -86400.0)


class Scenario:
    """One random fleet.

    Args:
        seed: of everything.
        trouble: share of calls and upgrades that go wrong.
        change: of the plan.
    """

    def __init__(self, seed: int, trouble: float = 0.3, change: Callable[[Plan], Plan] = lambda plan: plan) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.trouble = self.random.choice((0.0, trouble, trouble, 2 * trouble))
        self.start = self.random.choice(_STARTS)
        self.skew_s = Random(f"skew {seed}").choice(_SKEWS_S)
        plan = change(some_plan(self.random, self.start))
        limits = structs.replace(plan.limits, per_window=_per_window(Random(f"window {seed}"), len(plan.proxies)))
        plan = structs.replace(plan, limits=limits, gates=some_gates(Random(f"gates {seed}")))
        self.events = some_events(
            Random(f"events {seed}"), [each.instance_id for each in plan.proxies], self.start + self.ahead
        )
        self.subnets = some_subnets(Random(f"subnets {seed}"), [scope.name for scope in plan.scopes])
        self.nodes: dict[str, int] = {}
        self.plan = self._in_subnets(structs.replace(plan, cloud_events="wait" if self.events else "off"))
        self.gates = KeptGates(moody(seed))

    def stage(self, **changes: Any) -> Stage:
        """The stage on which it plays."""
        values: dict[str, Any] = {
            "plan": self.plan,
            "new_cloud": partial(Vpc, sizes=self.subnets, node_nums=self.nodes) if self.subnets else FakeCloud,
            "cloud_of": self._prepare,
            "seed": self.seed,
            "start": self.start,
            "wait_s": self.patience(),
            "script": self.stops(),
            "gates": self.gates,
        }
        return Stage(**{**values, **changes})

    def patience(self) -> float:
        """How far away an opening may be to be waited for in the process, in seconds."""
        return self.random.choice((0.0, 3600.0, 3600.0, 21600.0))

    def next_start(self, after: datetime) -> datetime:
        """When cron starts the next session: at once, twice, too early, too late, or when something may start."""
        soon = after + timedelta(minutes=self.random.choice((0, 1, 5, 60, 600)))
        return soon if self.random.random() < 0.3 else first_opening(self.plan, soon + self.ahead) - self.ahead

    @property
    def ahead(self) -> timedelta:
        """How far the calendar is ahead of this host's clock: the cloud's time counts where they are a minute apart."""
        return timedelta(seconds=self.skew_s if abs(self.skew_s) > 60 else 0.0)

    def stops(self) -> tuple[Background, ...]:
        """Sometimes somebody stops the session, or holds the fleet."""
        if self.random.random() < 0.5:
            return ()
        after_s = self.random.choice((0.3, 2.0, 70.0, 400.0, 1000.0)) * self.random.random()
        if self.random.random() < 0.3:
            return (later(after_s, _hold),)
        return (later(after_s, lambda dispatcher: dispatcher.stop("stopped by SIGTERM")),)

    def _in_subnets(self, plan: Plan) -> Plan:
        """Every proxy in a subnet of its scope; of some the number of nodes is known."""
        if not self.subnets:
            return plan
        random, proxies = Random(f"nodes {self.seed}"), []
        for target in plan.proxies:
            own = [name for name in self.subnets if name.startswith(f"{target.scope}-")]
            self.nodes[target.proxy_id] = random.choice((2, 2, 2, 3, 4))
            known = self.nodes[target.proxy_id] if random.random() < 0.7 else None
            proxies.append(in_subnet(target, random.choice(own), known))
        reserve = Capacity(subnet_reserve=random.choice((0, 0, 1, 2)))
        return structs.replace(plan, proxies=tuple(proxies), capacity=reserve)

    def _prepare(self, cloud: FakeCloud) -> None:
        for target in cloud.proxies.values():
            if self.random.random() < self.trouble / 3:
                cloud.versions[target.proxy_id] = NEW
            elif self.random.random() < self.trouble / 6:
                cloud.can_upgrade[target.proxy_id] = False
            cloud.acts[target.proxy_id] = self._acts()
            cloud.fates[target.proxy_id] = self._fate()
        cloud.reads = self._reads
        cloud.offset_s = self.skew_s
        cloud.latency_s = self.random.choice((0.02, 0.5))
        cloud.offsets = self.random.choice(("page", "record", "record0"))
        cloud.planned = list(self.events)
        self._strangers(cloud)
        self._outage(cloud)

    def _acts(self) -> list[Act]:
        acts = []
        while self.random.random() < self.trouble:
            acts.append(self.random.choice(_ACTS))
        return acts

    def _fate(self) -> Fate:
        fine = Fate(
            duration_s=self.random.choice((40.0, 300.0, 900.0)),
            visible_after_s=self.random.choice((0.0, 5.0, 60.0)),
            named=self.random.random() < 0.3,
            flips=self.random.choice((1.0, 0.5, 1.05)),
        )
        if self.random.random() >= self.trouble / 2:
            return fine
        return self.random.choice(
            (
                Fate(status="Failed", flips=None, fail_reason="disk"),
                Fate(status="Canceled", flips=None),
                Fate(nodes=("ACTIVE", "ABNORMAL")),
                Fate(flips=None),
                Fate(duration_s=3000.0),
            )
        )

    def _reads(self, _name: str, _key: str, _number: int) -> Failure | None:
        if self.random.random() >= self.trouble / 10:
            return None
        return self.random.choice(
            (
                Doubtful("HTTP 503", Exchange(http_status=503)),
                NotSent("connection refused"),
                Throttled(5.0, Exchange(http_status=429)),
            )
        )

    def _strangers(self, cloud: FakeCloud) -> None:
        for target in cloud.proxies.values():
            if self.random.random() < self.trouble / 6:
                fate = Fate(duration_s=self.random.choice((200.0, 4000.0)))
                cloud.add_foreign(target.instance_id, self.random.uniform(0, 3000), fate)

    def _outage(self, cloud: FakeCloud) -> None:
        """Sometimes nothing can be reached for a while, or the token ends."""
        if self.random.random() < self.trouble:
            begins = self.start + timedelta(seconds=self.random.uniform(0, 2000))
            ends = begins + timedelta(seconds=self.random.choice((30.0, 400.0, 1500.0)))
            failure = self.random.choice((NotSent("unreachable"), Doubtful("no answer", Exchange())))
            cloud.down = lambda now: failure if begins <= now < ends else None
        if self.random.random() < self.trouble:
            expires = self.start + timedelta(seconds=self.random.uniform(0, 2000))
            cloud.refuses_generation = lambda now, generation: generation == 1 and now > expires


def _per_window(random: Random, targets: int) -> int | None:
    """A third of all plans are spread over some windows."""
    return max(2, targets // random.choice((2, 3))) if random.random() < 1 / 3 else None


async def _hold(dispatcher: Dispatcher) -> None:
    now = dispatcher.session.clock.now()
    await dispatcher.session.ledger.record(HoldSet(at=now, cause="person", reason="held by ann", by="ann"))
