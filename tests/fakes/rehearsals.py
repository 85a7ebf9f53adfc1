"""Random plans whose durations a forecast does not know exactly, and runs of the real executor to hold it to.

The plan says how long an upgrade takes; in the cloud the average of a run is off by some per cent, and every single
upgrade scatters around that.
"""

from dataclasses import dataclass
from math import exp
from random import Random

from fakes.acts import Fate
from fakes.clock import START
from fakes.clouds import FakeCloud
from fakes.stage import Played, Stage, plan_of, targets_of

from orchestrator.forecast.forecast import rehearse
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Follow, Limits, Plan, Wave, Window
from orchestrator.planner.preview.forecast_values import Range

SOFT = Failures(max=Amount(100, percent=True), max_rejected=Amount(100, percent=True), mode="soft")

#: How far the average duration of a run is off: the standard deviation of its logarithm.
_OFF = 0.08


@dataclass(frozen=True)
class Tried:
    """A forecast, and what came of it.

    Attributes:
        real_s: how long the run took.
        real_calls: how many calls it made.
    """

    seed: int
    told: Range
    real_s: float
    told_calls: Range
    real_calls: int

    @property
    def holds(self) -> bool:
        """Whether the run took as long as the interval says."""
        return self.told.p5 <= self.real_s <= self.told.p95

    @property
    def counts(self) -> bool:
        """Whether the run made as many calls as the interval says."""
        return self.told_calls.p5 <= self.real_calls <= self.told_calls.p95

    @property
    def width(self) -> float:
        """The interval, as a share of its median."""
        return (self.told.p95 - self.told.p5) / self.told.p50


class Unknown:
    """One random plan and its cloud.

    Args:
        seed: everything follows from it.
        targets: fewest and most of them.
    """

    def __init__(self, seed: int, targets: tuple[int, int] = (30, 90)) -> None:
        self.seed = seed
        self._random = Random(seed)
        self._expected_s = self._random.choice((180.0, 300.0, 600.0, 900.0))
        self.plan = self._plan(*targets)

    def tried(self) -> Tried:
        """The forecast and the run."""
        told = rehearse(self.plan, self.plan.proxies, start=START)
        played = self.played()
        calls = sum(len(cloud.calls) for cloud in played.clouds.values())
        return Tried(self.seed, told.duration_s, played.seconds, told.calls, calls)

    def played(self) -> Played:
        """The run of the real executor."""
        return Stage(plan=self.plan, cloud_of=self._prepare, wait_s=1e9, seed=self.seed).play()

    def _plan(self, fewest: int, most: int) -> Plan:
        choice = self._random.choice
        scopes = choice((("default",), ("default",), ("a", "b")))
        targets = targets_of(self._random.randint(fewest, most), per_instance=choice((1, 1, 2)), scopes=scopes)
        return plan_of(
            targets,
            waves=self._waves(),
            windows=choice(((), (), (Window(opens=23 * 60, closes=4 * 60, timezone="UTC"),))),
            limits=Limits(
                concurrency=choice((1, 5, 10)),
                rate=choice((0.5, 2.0, 10.0)),
                in_flight=Amount(choice((3, 5, 8, 12))),
                ramp=choice((True, False)),
            ),
            failures=choice((SOFT, Failures(max=Amount(choice((2, 5)))))),
            follow=Follow(
                to=choice(("verified", "verified", "completed")),
                expected_s=self._expected_s,
                poll_s=choice((10.0, 15.0, 30.0)),
                timeout_s=4 * self._expected_s,
            ),
        )

    def _waves(self) -> tuple[Wave, ...]:
        canary, soaked = Wave(name="canary", size=Amount(1)), Wave(name="canary", size=Amount(1), soak_s=600.0)
        early = Wave(name="early", size=Amount(20, percent=True), soak_s=self._random.choice((0.0, 1200.0)))
        rest = Wave(name="rest")
        return self._random.choice(((Wave(name="all"),), (canary, rest), (soaked, early, rest)))

    def _prepare(self, cloud: FakeCloud) -> None:
        scatter = self._random.choice((0.1, 0.2, 0.3))
        average_s = self._expected_s * exp(Random(self.seed).gauss(0, _OFF))
        cloud.latency_s = self._random.choice((0.05, 0.2, 0.5))
        for proxy_id in cloud.proxies:
            duration_s = average_s * exp(self._random.gauss(-(scatter**2) / 2, scatter))
            cloud.fates[proxy_id] = Fate(duration_s=min(3 * self._expected_s, duration_s), visible_after_s=2.0)
