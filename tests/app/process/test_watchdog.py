"""What stands still is told apart from what is slow, suspended, or waits for nothing."""

import os
import signal
from datetime import timedelta
from threading import Timer
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
from fakes import acts
from fakes.acts import Fate
from fakes.clock import START, VirtualClock, run_virtual
from fakes.clouds import FakeCloud
from fakes.rollouts import stage_of
from fakes.stage import Stage, plan_of, targets_of
from msgspec import structs

from orchestrator.app.discover import discover as module
from orchestrator.app.discover.scope_search import ScopeSearch
from orchestrator.app.process.die_at_point import PATIENCE as PATIENCE_NAME
from orchestrator.app.process.due import due_in, due_in_search, overdue_calls
from orchestrator.app.process.watchdog import Due, Watchdog
from orchestrator.app.scopes.serve_scopes import served
from orchestrator.executor import serving
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.executor.rate.fixed_rate import WindowPacer
from orchestrator.executor.rate.lane import Lane
from orchestrator.executor.rate.lanes import Lanes
from orchestrator.executor.scope.call import running_jobs
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.executor.target import reverify_wave
from orchestrator.executor.target.upgrade_one import upgrade_one
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.auth import Auth
from orchestrator.model.plan.plan import Discover, Follow, Http, Limits, Retry, Scope, Wave
from orchestrator.model.reply.reply import Doubtful, Exchange, NotSent, ProxyVersion, Reply, Throttled
from orchestrator.model.run.state import TargetState
from orchestrator.simulator.config import SimulatorConfig
from orchestrator.simulator.embedded import embedded_cloud

PATIENCE = 5


class Session:
    """What is due in a session, as a test has it."""

    def __init__(self) -> None:
        self.due: tuple[Due, ...] = ()
        self.dog = Watchdog(lambda: self.due, lambda _stood: None, PATIENCE)

    def pass_seconds(self, seconds: int, *, beats: bool = True) -> str | None:
        for _ in range(seconds):
            if beats:
                self.dog.look()
            stood = self.dog.tick()
            if stood is not None:
                return stood
        return None


def test_a_loop_that_goes_round_with_nothing_due_may_wait_for_ever() -> None:
    assert Session().pass_seconds(1000) is None


def test_a_loop_that_does_not_go_round_stands_still() -> None:
    session = Session()
    session.pass_seconds(10)
    assert session.pass_seconds(PATIENCE - 1, beats=False) is None
    assert session.pass_seconds(1, beats=False) == "the event loop"


def test_the_same_thing_due_for_too_long_stands_still() -> None:
    session = Session()
    session.due = (("a record", object()),)
    assert session.pass_seconds(PATIENCE) is None
    assert session.pass_seconds(1) == "a record"


def test_a_slow_disk_that_goes_on_is_no_standstill() -> None:
    session = Session()
    for _ in range(100):
        session.due = (("a record", object()),)
        assert session.pass_seconds(PATIENCE - 1) is None


def test_a_late_beat_between_others_is_no_standstill() -> None:
    session = Session()
    for _ in range(100):
        assert session.pass_seconds(PATIENCE - 1, beats=False) is None
        assert session.pass_seconds(1) is None


def test_what_hangs_beside_others_that_come_and_go_stands_still() -> None:
    session, hangs = Session(), ("a call", object())
    for _ in range(PATIENCE):
        session.due = (("a record", object()), hangs)
        assert session.pass_seconds(1) is None
    session.due = (("a record", object()), hangs)
    assert session.pass_seconds(1) == "a call"


def played(hangs_s: float) -> list[list[str]]:
    """What was overdue, each time another thing was, while the first version that was asked for came after so long."""
    told: list[list[str]] = [[]]

    async def watch(dispatcher: Dispatcher) -> None:
        while True:
            await dispatcher.session.clock.sleep(1.0)
            overdue = [name for name, _ in overdue_calls(dispatcher.session.scopes, Http().timeout_s)]
            if overdue != told[-1]:
                told.append(overdue)

    def setup(cloud: FakeCloud) -> None:
        ask, slow = cloud.proxy_version, iter([hangs_s])

        async def proxy_version(instance_id: str, proxy_id: str) -> Reply[ProxyVersion]:
            await cloud.clock.sleep(next(slow, 0.0))
            return await ask(instance_id, proxy_id)

        cloud.proxy_version = proxy_version  # type: ignore[method-assign]

    stage = Stage(plan=plan_of(targets_of(3)), cloud_of=setup, script=(watch,))
    assert stage.play().outcomes() == {"succeeded": 3}
    return told


def test_a_call_is_due_when_it_lasts_longer_than_the_time_outs_allow() -> None:
    assert played(2 * Http().timeout_s + 5.0) == [[], ["a call of scope default"], []]


def test_a_call_that_ends_within_its_time_outs_is_never_due() -> None:
    assert played(2 * Http().timeout_s) == [[]]


# --- stories ----------------------------------------------------------------------------------------------------------

MINUTES = 300


def watched(stage: Stage) -> Stage:
    """The same session, watched; it ends as soon as something has stood still for five minutes, or after a night."""

    async def watch(dispatcher: Dispatcher) -> None:
        writer: Any = SimpleNamespace(under_way=None)
        dog = Watchdog(lambda: due_in(dispatcher, writer), lambda _stood: None, MINUTES)
        for _ in range(30_000):
            await dispatcher.session.clock.sleep(1.0)
            dog.look()
            stood = dog.tick()
            if stood is not None:
                dispatcher.stop(stood)
        dispatcher.stop("nothing")

    stage.script = (*stage.script, watch)
    return stage


async def _never(*_words: Any) -> None:
    await anyio.Event().wait()


def test_a_story_that_never_returns_stands_still_when_nothing_else_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = watched(stage_of(3))
    sick = stage.plan.proxies[0].proxy_id

    async def story(state: TargetState, session: Any) -> None:
        await (_never() if state.key == sick else upgrade_one(state, session))

    monkeypatch.setattr(serving, "upgrade_one", story)
    played = stage.play()
    assert played.finish.why == f"the story of target {sick}"
    assert played.outcomes() == {"succeeded": 2, "waiting": 1}
    assert MINUTES < played.seconds < 3 * MINUTES


def test_a_check_after_a_soak_that_never_returns_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reverify_wave, "reverify", _never)
    waves = (Wave(name="one", size=Amount(1), soak_s=600.0), Wave(name="rest"))
    assert "the story of target" in watched(stage_of(2, waves=waves)).play().finish.why


def _throttled(cloud: FakeCloud) -> None:
    cloud.down = lambda now: Throttled(900.0, Exchange(http_status=429)) if now < START + timedelta(hours=1) else None


def _unreachable(cloud: FakeCloud) -> None:
    hours = (START + timedelta(seconds=60), START + timedelta(seconds=800))
    cloud.down = lambda now: NotSent("no route") if hours[0] < now < hours[1] else None


def _unreadable(cloud: FakeCloud) -> None:
    hours = (START + timedelta(seconds=60), START + timedelta(seconds=1500))
    unread = Doubtful("HTTP 503", Exchange(http_status=503))
    cloud.reads = lambda _name, _key, _number: unread if hours[0] < cloud.clock.now() < hours[1] else None


def _hanging(cloud: FakeCloud) -> None:
    cloud.default_fate = Fate(duration_s=1e7, flips=None)


def _doubtful(cloud: FakeCloud) -> None:
    cloud.default_act = acts.LOST_REQUEST


@pytest.mark.parametrize(
    ("setup", "changes"),
    [
        (lambda _cloud: None, {"limits": Limits(ramp=False, rate=0.02)}),
        (lambda _cloud: None, {"follow": Follow(poll_s=900.0, expected_s=7200.0)}),
        (_throttled, {}),
        (_unreachable, {}),
        (_unreadable, {"retry": Retry(backoff_s=400.0, max_backoff_s=800.0)}),
        (_hanging, {"follow": Follow(timeout_s=5000.0)}),
        (_doubtful, {}),
    ],
    ids=["slow", "far looks", "throttled", "unreachable", "unreadable", "hanging", "doubtful"],
)
def test_whoever_waits_for_what_comes_does_not_stand_still(setup: Any, changes: dict[str, Any]) -> None:
    assert "story" not in watched(stage_of(5, setup, **changes)).play().finish.why


# --- discovery --------------------------------------------------------------------------------------------------------


def search(*, hangs: bool) -> str | None:
    """What stood still in half an hour of a search in a scope that throttles, or has nothing more to tell."""

    async def story() -> str | None:
        clock = VirtualClock()
        cloud = FakeCloud(clock, targets_of(3))
        if not hangs:
            cloud.down = lambda _now: Throttled(700.0, Exchange(http_status=429))
        calls = ScopeCalls(
            name="default",
            api=cloud,
            lanes=Lanes(WindowPacer(1.0), clock),
            retry=Retry(),
            clock=clock,
            chance=lambda: 0.5,
            note=lambda _record: None,
        )
        scopes = {"default": calls}
        dog = Watchdog(lambda: due_in_search(scopes, Http().timeout_s), lambda _stood: None, MINUTES)
        async with served(scopes), anyio.create_task_group() as group:
            if not hangs:
                group.start_soon(calls.read, running_jobs, Lane.POLL)
            stood = None
            for _ in range(1800):
                await clock.sleep(1.0)
                dog.look()
                stood = stood or dog.tick()
            group.cancel_scope.cancel()
        return stood

    return run_virtual(story)


def test_a_search_that_waits_for_nothing_stands_still() -> None:
    assert search(hangs=True) == "the discovery"


def test_a_search_that_is_throttled_does_not() -> None:
    assert search(hangs=False) is None


def test_a_discovery_that_hangs_before_its_session_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    def end(stood: str) -> None:
        told.append(stood)
        stop()

    def stop() -> None:  # in place of the end of this very process
        os.kill(os.getpid(), signal.SIGTERM)

    late = Timer(60.0, stop)
    late.start()
    monkeypatch.setattr(ScopeSearch, "run", _never)
    monkeypatch.setattr(module, "end_process", end)
    monkeypatch.setattr("orchestrator.app.process.watchdog._STEP_S", 0.05)
    with embedded_cloud(SimulatorConfig(regions=("cn-north-4",))) as address:
        scope = Scope(
            name="default",
            region="cn-north-4",
            project_id=address.cloud.config.project_ids()["cn-north-4"],
            endpoint=address.url,
            auth=Auth(token_env="TOKEN"),  # the name of a variable
        )
        plan = structs.replace(plan_of(targets_of(1)), scopes=(scope,), discover=(Discover(scope="default"),))
        environ = {"TOKEN": address.token, PATIENCE_NAME: "1"}
        with pytest.raises(KeyboardInterrupt):
            module.discover_now(plan, environ, lambda _known, _found: None)
    late.cancel()
    assert told == ["the discovery"]
