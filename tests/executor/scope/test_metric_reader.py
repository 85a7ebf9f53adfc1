"""Reading metrics of many proxies: how many calls it takes, and what is asked for again."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import anyio
from fakes.clock import VirtualClock, run_virtual
from fakes.clouds import FakeCloud
from fakes.eye import MINUTE_S, FakeEye
from fakes.stage import plan_of, targets_of

from orchestrator.executor.rate.fixed_rate import WindowPacer
from orchestrator.executor.rate.lanes import Lanes
from orchestrator.executor.scope.metrics.metric_reader import MetricReader
from orchestrator.executor.scope.metrics.sample_store import SPAN, Wanted
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.model.plan.metric import IMPACT_METRICS
from orchestrator.model.plan.target import Target
from orchestrator.model.record.record import Record


class Read:
    """What a series of readings came to."""

    def __init__(self) -> None:
        self.calls: list[int] = []
        self.samples: list[int] = []
        self.noted: list[Record] = []


def reading(number: int, times: int = 1, *, every_s: float = SPAN * MINUTE_S, late_s: float = 0.0) -> Read:
    """Read the last 5 minutes of so many proxies, so many times."""

    async def play() -> Read:
        clock, targets, read = VirtualClock(), targets_of(number, per_instance=4), Read()
        eye = FakeEye(FakeCloud(clock, targets), clock, late_s=late_s)
        async with _reader(eye, read) as reader:
            wanted = _last_minutes(targets, reader.now("default"))
            for _ in range(times):
                before = len(eye.calls)
                await reader.read(wanted)
                read.calls.append(len(eye.calls) - before)
                first, last = wanted[0].first, wanted[0].last
                found = (reader.store.values(IMPACT_METRICS[0], each.proxy_id, first, last) for each in targets)
                read.samples.append(sum(map(len, found)))
                await clock.sleep(every_s)
        return read

    return run_virtual(play)


@asynccontextmanager
async def _reader(eye: FakeEye, read: Read) -> AsyncIterator[MetricReader]:
    cloud, clock = eye.cloud, eye.cloud.clock
    calls = ScopeCalls(
        name="default",
        api=cloud,
        lanes=Lanes(WindowPacer(1e6), clock),
        retry=plan_of([*cloud.proxies.values()]).retry,
        clock=clock,
        chance=lambda: 0.5,
        note=read.noted.append,
        eye=eye,
    )
    calls.gate.open()
    reader = MetricReader(
        {"default": calls},
        clock=clock,
        grain_s=MINUTE_S,
        note=read.noted.append,
        cloud_now=lambda _scope: clock.now().timestamp(),
    )
    async with anyio.create_task_group() as group:
        group.start_soon(calls.lanes.serve)
        yield reader
        group.cancel_scope.cancel()


def _last_minutes(targets: Sequence[Target], now: int) -> list[Wanted]:
    first = now // SPAN * SPAN - SPAN
    return [Wanted(t.scope, t.instance_id, t.proxy_id, IMPACT_METRICS, first, first + SPAN) for t in targets]


def test_five_thousand_proxies_cost_at_most_sixty_calls() -> None:
    read = reading(5000)
    assert read.calls == [60]
    assert read.samples == [5000 * SPAN]


def test_nothing_is_asked_for_twice_once_it_is_known() -> None:
    assert reading(50, times=3, every_s=1.0).calls == [1, 0, 0]


def test_what_comes_late_is_asked_for_again_and_found() -> None:
    read = reading(50, times=2, every_s=120.0, late_s=420.0)
    assert read.samples[0] < read.samples[1]
    assert read.calls == [1, 1]


def test_while_another_one_is_read_the_time_of_a_reading_does_not_run() -> None:
    """One at a time is read; each has its own time from when its turn comes."""

    async def play() -> dict[str, bool]:
        clock, targets = VirtualClock(), targets_of(2)
        whole = dict[str, bool]()
        async with _reader(FakeEye(FakeCloud(clock, targets), clock, takes_s=20.0), Read()) as reader:

            async def read(target: Target) -> None:
                wanted = _last_minutes([target], reader.now("default"))
                whole[target.proxy_id] = await reader.read(wanted, within_s=25.0)

            async with anyio.create_task_group() as group:
                for target in targets:
                    group.start_soon(read, target)
        return whole

    assert [*run_virtual(play).values()] == [True, True]


def test_a_scope_that_is_not_read_here_costs_no_call_and_keeps_no_other_waiting() -> None:
    async def play() -> int:
        clock, targets = VirtualClock(), targets_of(2, scopes=("default", "there"))
        eye = FakeEye(FakeCloud(clock, targets), clock)
        async with _reader(eye, Read()) as reader:
            reader.missing["there"] = "another host serves it"
            assert await reader.read(_last_minutes(targets, reader.now("default")))
            first = reader.now("default") // SPAN * SPAN - SPAN
            return len(reader.store.values(IMPACT_METRICS[0], targets[0].proxy_id, first, first + SPAN))

    assert run_virtual(play) == SPAN
