"""`rate: auto` where everything but the socket is real: the calls of a scope, its client, and the simulated gateway.

The ideal is every call that the hidden limit lets pass from the second minute on. Callers are always waiting.
"""

from random import Random

import anyio
import pytest
from soak.life import Life
from soak.loop import ZERO, VirtualLoop, play
from soak.plans import NEW
from soak.poison import Dose, Poisoner
from soak.virtual_api import Wire, open_clients

from orchestrator.app.scopes.serve_scopes import served
from orchestrator.executor.rate.auto_rate import AutoPacer, auto_pacer
from orchestrator.executor.rate.lane import Lane
from orchestrator.executor.rate.lanes import Lanes
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.model.plan.auth import Auth
from orchestrator.model.plan.plan import Limits, Plan, Scope
from orchestrator.model.reply.reply import Answered
from orchestrator.simulator.cloud import SimulatedCloud
from orchestrator.simulator.config import SimulatorConfig
from orchestrator.simulator.profile import Limit, Profile

_CALLERS = 60
_FIRST_MINUTE_S = 60.0


class Gateway:
    """A simulated cloud with hidden limits, and callers that never rest.

    Args:
        limits: (from this second on, calls per period).
        period_s: of the gateway.
        seconds: how long it is watched.
    """

    def __init__(self, limits: list[tuple[float, int]], period_s: float, seconds: float, seed: int = 1) -> None:
        self.limits, self.period_s, self.seconds = limits, period_s, seconds
        faults = Profile(limits=tuple(Limit(calls=calls, period_s=period_s, after_s=at) for at, calls in limits))
        self.config = SimulatorConfig(
            seed=seed, faults=faults, target_version=NEW, regions=("cn-north-4",), instances=1, proxies=1
        )
        self.cloud = SimulatedCloud(self.config, ZERO)
        self.wire = Wire(self.cloud, Random(seed), Poisoner(Dose(), Random(seed), ()))
        self.project = next(iter(self.cloud.world.projects))
        self.passed = 0

    def watch(self, pacer: AutoPacer) -> None:
        """Let the callers call until the time is over."""
        play(lambda loop: self._story(loop, pacer), 0.0)

    @property
    def attained(self) -> float:
        """Calls that passed after the first minute, of those that the limits would have let pass."""
        ends = [at for at, _ in self.limits[1:]] + [self.seconds]
        pieces = ((max(_FIRST_MINUTE_S, at), end, calls) for (at, calls), end in zip(self.limits, ends, strict=True))
        return self.passed / sum(calls / self.period_s * (end - at) for at, end, calls in pieces)

    @property
    def refused(self) -> int:
        return self.cloud.books.throttled[self.project]

    @property
    def refusals_allowed(self) -> float:
        """The larger of 1 % of all calls and one in five minutes."""
        calls = sum(len(sent) for sent in self.wire.sent.values())
        return max(0.01 * calls, self.seconds / 300)

    async def _story(self, loop: VirtualLoop, pacer: AutoPacer) -> None:
        life = Life(loop, None)
        scope = self._scope(life, pacer)
        with anyio.move_on_after(self.seconds):
            async with served({"default": scope}), anyio.create_task_group() as group:
                for _ in range(_CALLERS):
                    group.start_soon(self._call, scope, loop)

    async def _call(self, scope: ScopeCalls, loop: VirtualLoop) -> None:
        proxy = next(iter(self.cloud.world.proxies()))
        while True:
            reply = await scope.read(
                lambda api: api.proxy_version(proxy.instance.instance_id, proxy.proxy_id), Lane.POLL
            )
            self.passed += isinstance(reply, Answered) and loop.time() >= _FIRST_MINUTE_S

    def _scope(self, life: Life, pacer: AutoPacer) -> ScopeCalls:
        scope = Scope(name="default", region="cn-north-4", project_id=self.project, auth=Auth(token_env="TOKEN"))
        plan = Plan(name="f", path="/f", sha256="0", target_version=NEW, scopes=(scope,), limits=Limits(rate="auto"))
        environ = {"TOKEN": self.config.accepted_token()}
        return ScopeCalls(
            name="default",
            api=open_clients(plan, self.wire, life, environ, 1)["default"],
            lanes=Lanes(pacer, life),
            retry=plan.retry,
            clock=life,
            chance=Random(2).random,
            note=lambda _record: None,
        )


RISES_AND_FALLS = [(0, 5), (300, 12), (660, 6)]
PER_MINUTE = [(0, 300), (240, 720), (480, 360)]


@pytest.mark.slow
@pytest.mark.parametrize(("limits", "period_s", "seconds"), [(RISES_AND_FALLS, 1, 900), (PER_MINUTE, 60, 720)])
def test_nine_tenths_of_what_the_gateway_bears(
    limits: list[tuple[float, int]], period_s: float, seconds: float
) -> None:
    gateway = Gateway(limits, period_s, seconds)
    gateway.watch(auto_pacer())
    assert gateway.attained >= 0.9
    assert gateway.refused <= gateway.refusals_allowed
