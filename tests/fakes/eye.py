"""Cloud Eye over a `FakeCloud`, on virtual time: metrics of two nodes of each proxy, as functions of the minute."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import exp, pi, sin
from random import Random

from fakes.acts import exchange
from fakes.clouds import NEW, FakeCloud

from orchestrator.executor.ports import Clock
from orchestrator.model.plan.metric import CONNECTIONS, RESPONSE_MS, Minute, Points, Series
from orchestrator.model.reply.reply import Answered, Exchange, Failure, Refused, Reply

MINUTE_S = 60.0


@dataclass
class FakeEye:
    """Implements `orchestrator.executor.ports.MetricsApi`.

    Attributes:
        slower: the response time under the new version, as a factor.
        spikes: times in which every proxy answers more slowly: from, until (minutes since 1970), factor.
        uneven: how far proxies differ in a spike: of 0.2, some feel it by a fifth less and some by a fifth more.
        day: how much the response time follows the day, and when it is highest (a share of the day).
        noise: standard deviation of the logarithm of each value.
        late_s: how long a sample takes to be there.
        lost: which samples never come.
        most: how many series a call may ask for.
        forbidden: whether the permission is missing.
        takes_s: how long a call takes.
    """

    cloud: FakeCloud
    clock: Clock
    slower: float = 1.0
    spikes: tuple[tuple[Minute, Minute, float], ...] = ()
    uneven: float = 0.0
    day: tuple[float, float] = (0.0, 0.0)
    noise: float = 0.0
    late_s: float = 0.0
    lost: Callable[[Minute], bool] = lambda _minute: False
    most: int = 500
    forbidden: bool = False
    takes_s: float = 0.05
    seed: int = 0
    calls: list[int] = field(default_factory=list)
    listed: int = 0

    def __post_init__(self) -> None:
        self._on: dict[str, list[str]] = {}
        for key, target in self.cloud.proxies.items():
            self._on.setdefault(target.instance_id, []).append(key)

    async def prepare(self) -> Failure | None:
        return None

    async def nodes(self, instance_id: str) -> Reply[dict[str, tuple[str, ...]]]:
        self.listed += 1
        return Answered({key: (f"{key}a", f"{key}b") for key in self._on.get(instance_id, ())}, Exchange())

    async def samples(self, asked: Sequence[Series], start_s: float, end_s: float) -> Reply[Points]:
        self.calls.append(len(asked))
        await self.clock.sleep(self.takes_s)
        if self.forbidden:
            return Refused("no permission", exchange(403, "ces.0013"))
        if len(asked) > self.most:
            return Refused("too many", exchange(400, "ces.0014"))
        now_s = self.clock.now().timestamp() + self.cloud.offset_s - self.cloud.host_off_s
        minutes = [m for m in range(int(start_s // MINUTE_S), int(-(-end_s // MINUTE_S))) if not self.lost(m)]
        come = [minute for minute in minutes if (minute + 1) * MINUTE_S + self.late_s <= now_s]
        return Answered(
            {series: tuple((m * MINUTE_S, self.value(series, m)) for m in come) for series in asked}, Exchange()
        )

    def value(self, series: Series, minute: Minute) -> float:
        """What one node measured in a minute."""
        jobs = self.cloud.by_proxy[series.proxy_id]
        then = (minute + 0.5) * MINUTE_S - self.cloud.offset_s
        value = {CONNECTIONS: 50.0, RESPONSE_MS: 5.0}.get(series.metric, 100.0)
        if series.metric == CONNECTIONS and any(
            job.created_at.timestamp() // MINUTE_S == (then // MINUTE_S) for job in jobs
        ):
            value *= 0.5
        if series.metric == RESPONSE_MS:
            runs_new = (
                any(
                    job.fate.flips is not None
                    and then >= job.created_at.timestamp() + job.fate.flips * job.fate.duration_s
                    for job in jobs
                )
                or self.cloud.versions.get(series.proxy_id) == NEW
            )
            value *= self.slower if runs_new else 1.0
            value *= 1 + self.day[0] * sin(2 * pi * (minute % 1440 / 1440 + self.day[1]))
            felt = 1 + self.uneven * Random(f"{self.seed}{series.proxy_id}").uniform(-1, 1) if self.uneven else 1.0
            for first, last, factor in self.spikes:
                value *= factor**felt if first <= minute < last else 1.0
        if not self.noise:
            return value
        return value * exp(Random(f"{self.seed}{series.metric}{series.node_id}{minute}").gauss(0, self.noise))
