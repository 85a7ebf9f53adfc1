"""Credentials that are refused, renewed or missing: one renewal for all, no hammering, nothing sent without them."""

from datetime import timedelta
from random import Random
from typing import Any

import anyio
from fakes import acts
from fakes.clock import START, VirtualClock, run_virtual
from fakes.clouds import FakeCloud
from fakes.rollouts import stage_of
from fakes.stage import Played

from orchestrator.executor.rate.fixed_rate import WindowPacer
from orchestrator.executor.rate.lanes import Lanes
from orchestrator.executor.scope.probe import keep
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.executor.scope.shared_credentials import SharedCredentials
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Limits, Retry
from orchestrator.model.record.record import Intent, Record, ScopeGivenUp, ScopeOpened, ScopePaused
from orchestrator.model.reply.reply import Exchange, Failure, Refused, Throttled, Unauthenticated


def play(setup: Any, *, targets: int = 6, **changes: Any) -> Played:
    return stage_of(targets, setup, **{"limits": Limits(ramp=False, rate=10.0), **changes}).play()


def test_expired_credentials_are_renewed_once_for_all_callers() -> None:
    def setup(cloud: FakeCloud) -> None:
        cloud.refuses_generation = lambda now, generation: generation == 1 and now > START + timedelta(seconds=130)

    played = play(setup, targets=20)
    assert played.outcomes() == {"succeeded": 20}
    assert played.cloud.renewals == 1
    assert played.cloud.refused_calls <= 10


def test_a_refusal_of_credentials_that_were_replaced_meanwhile_pauses_nobody() -> None:
    """A slow call carried the old ones; by the time its answer comes, others have long gone on with the new ones."""
    slow = acts.Act(lambda _instance, _job: Unauthenticated("token expired", Exchange(http_status=401)), latency_s=70.0)

    def setup(cloud: FakeCloud) -> None:
        cloud.acts[next(iter(cloud.proxies))] = [slow]
        cloud.refuses_generation = lambda now, generation: generation == 1 and now > START + timedelta(seconds=60)

    played = play(setup, targets=40, limits=Limits(ramp=False, rate=2.0, in_flight=Amount(40)))
    assert played.outcomes() == {"succeeded": 40}
    assert played.cloud.renewals == 1
    assert len(played.of(ScopePaused)) == 1


def test_credentials_that_are_refused_from_the_start_cost_two_calls() -> None:
    def setup(cloud: FakeCloud) -> None:
        cloud.refuses_generation = lambda _now, _generation: True

    played = play(setup)
    assert played.code == 7
    assert played.cloud.refused_calls == 2
    assert played.cloud.renewals == 1
    assert "token expired" in played.of(ScopeGivenUp)[0].why


def test_a_renewal_that_is_refused_ends_the_scope_at_once() -> None:
    def setup(cloud: FakeCloud) -> None:
        cloud.refuses_generation = lambda now, _generation: now > START + timedelta(seconds=130)
        cloud.renewal = lambda _number: Unauthenticated("wrong password", Exchange(http_status=401))

    played = play(setup)
    assert played.code == 7
    assert played.cloud.renewals == 1
    assert played.cloud.refused_calls == 1


def test_upgrades_that_are_refused_although_reads_pass_do_not_hammer() -> None:
    def setup(cloud: FakeCloud) -> None:
        cloud.default_act = acts.UNAUTHENTICATED

    played = play(setup, limits=Limits(concurrency=1, ramp=False))
    assert played.code == 7
    assert played.cloud.counts["upgrade"] == 2


def test_a_login_that_is_throttled_does_not_hammer() -> None:
    asked: list[float] = []

    def setup(cloud: FakeCloud) -> None:
        def credentials() -> Failure | None:
            asked.append(cloud.clock.monotonic())
            return Throttled(30.0, Exchange(http_status=429)) if cloud.clock.monotonic() < 100 else None

        cloud.credentials = credentials

    played = play(setup)
    assert played.outcomes() == {"succeeded": 6}
    assert sum(at < 100 for at in asked) <= 5


def test_a_login_throttled_in_mid_run_does_not_hammer() -> None:
    asked: list[float] = []

    def setup(cloud: FakeCloud) -> None:
        def credentials() -> Failure | None:
            now_s = cloud.clock.monotonic()
            asked.append(now_s)
            return Throttled(30.0, Exchange(http_status=429)) if 70 < now_s < 170 else None

        cloud.credentials = credentials

    played = play(setup)
    assert played.outcomes() == {"succeeded": 6}
    assert sum(70 < at < 170 for at in asked) <= 30


def test_while_one_endpoint_throttles_the_scopes_of_another_come_back() -> None:
    """All three have one account, tried by one of them first; two of them share an endpoint, and its rate."""
    opened = {}

    async def story() -> None:
        clock = VirtualClock()
        credentials, busy = SharedCredentials(), Lanes(WindowPacer(2.0), clock)

        def note(record: Record) -> None:
            if isinstance(record, ScopeOpened):
                opened[record.scope] = clock.monotonic()

        def scope(name: str, lanes: Lanes, wait_s: float) -> ScopeCalls:
            throttled = Throttled(wait_s, Exchange(http_status=429))
            cloud = FakeCloud(clock, (), down=lambda _now: throttled if clock.monotonic() < wait_s else None)
            chance = Random(name).random
            return ScopeCalls(
                name=name,
                api=cloud,
                lanes=lanes,
                retry=Retry(),
                clock=clock,
                chance=chance,
                note=note,
                credentials=credentials,
            )

        scopes = [scope("a", busy, 3600.0), scope("b", busy, 3600.0), scope("c", Lanes(WindowPacer(2.0), clock), 0.0)]
        async with anyio.create_task_group() as group:
            for each in scopes:
                group.start_soon(each.lanes.serve)
                group.start_soon(keep, each)
            await clock.sleep(7200)
            group.cancel_scope.cancel()

    for seed in range(6):  # whoever comes first
        opened.clear()
        run_virtual(story, seed=seed)
        assert opened["c"] < 10
        assert {"a", "b"} < opened.keys()


def test_without_credentials_nothing_is_sent() -> None:
    def setup(cloud: FakeCloud) -> None:
        throttled = Throttled(30.0, Exchange(http_status=429))
        cloud.credentials = lambda: throttled if 20 < cloud.clock.monotonic() < 120 else None

    played = play(setup, targets=60, limits=Limits(ramp=False, rate=2.0, in_flight=Amount(60)))
    assert played.outcomes() == {"succeeded": 60}
    begin, end = START + timedelta(seconds=20.01), START + timedelta(seconds=120)
    sent = [record.at for record in played.of(Intent)]
    assert not [at for at in sent if begin < at < end]
    assert min(sent) < begin < end < max(sent)


def test_what_a_login_refuses_says_nothing_of_a_target() -> None:
    def setup(cloud: FakeCloud) -> None:
        cloud.credentials = lambda: (
            Refused("no such project", Exchange(http_status=400)) if 70 < cloud.clock.monotonic() < 170 else None
        )

    played = play(setup)
    assert played.outcomes() == {"succeeded": 6}
