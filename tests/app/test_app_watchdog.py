"""What stands still is told apart from what is slow, suspended, or waits for nothing."""

from fakes.clouds import FakeCloud
from fakes.stage import Stage, plan_of, targets_of

from orchestrator.app.run.watchdog import Due, Watchdog, overdue_calls
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.model.plan import Http
from orchestrator.model.reply import ProxyVersion, Reply

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
            overdue = [name for name, _ in overdue_calls(dispatcher.session)]
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
