"""A person changes limits while a session works: it goes by them at once, and so does the next one."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fakes.acts import Fate
from fakes.clouds import FakeCloud
from fakes.rollouts import FREE, stage_of
from fakes.stage import Played, Stage, later, resume
from msgspec.structs import replace

from orchestrator.app.session.apply_command import carry_out
from orchestrator.app.session.listening import obey_commands
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.executor.rate.auto_rate import AutoPacer, auto_pacer
from orchestrator.executor.rate.change_rate import changed_rate
from orchestrator.executor.rate.fixed_rate import WindowPacer
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.commands import Command, LimitCommand
from orchestrator.model.plan.limit_change import LimitChange, limited, widened
from orchestrator.model.plan.plan import Limits, Scope
from orchestrator.model.record.record import Intent, LimitsChanged, Settled

LONG = Fate(duration_s=600.0)


class Inbox:
    """What a person has asked for."""

    def __init__(self, *asked: Command) -> None:
        self._asked = list(enumerate(asked, 1))

    def new(self, after: int = 0) -> list[tuple[int, Command]]:
        return [(number, command) for number, command in self._asked if number > after]


def ask(stage: Stage, **limits: Any) -> LimitCommand:
    return LimitCommand(at=stage.start, user="ann", host="desk", note="slow", limits=LimitChange(**limits))


async def at_once(read: Callable[..., Any], *args: Any) -> Any:
    """No thread: time that a test makes would not wait for it."""
    return read(*args)


def asking(seconds: float, command: LimitCommand) -> Any:
    return later(seconds, lambda dispatcher: obey_commands(Inbox(command), dispatcher, at_once))


def lasting(cloud: FakeCloud) -> None:
    cloud.default_fate = LONG


def most_open(played: Played, *, after: timedelta = timedelta()) -> int:
    open_now: set[str | None] = set()
    most = 0
    for record in played.records:
        if isinstance(record, Intent):
            open_now.add(record.target)
            most = max(most, len(open_now)) if record.at > played.started_at + after else most
        elif isinstance(record, Settled):
            open_now.discard(record.target)
    return most


def test_fewer_are_in_flight_at_once_and_none_is_cut_off() -> None:
    stage = stage_of(12, lasting, limits=replace(FREE, in_flight=Amount(6)))
    stage.script = (asking(60.0, ask(stage, in_flight=Amount(2))),)
    played = stage.play()

    assert played.outcomes() == {"succeeded": 12}
    assert most_open(played) == 6
    assert most_open(played, after=timedelta(seconds=61)) == 2
    [record] = played.of(LimitsChanged)
    assert (record.who, record.note, str(record.limits)) == ("ann@desk", "slow", "in_flight=2")


def test_what_was_changed_holds_in_the_next_session_until_it_is_reset() -> None:
    stage = stage_of(8, lasting, limits=replace(FREE, in_flight=Amount(6)))
    stage.script = (
        asking(0.0, ask(stage, in_flight=Amount(2))),
        later(1.0, lambda dispatcher: dispatcher.stop("stopped by SIGTERM")),
    )
    played = stage.play()
    again = resume(stage, played, script=(later(1.0, lambda dispatcher: dispatcher.stop("stopped by SIGTERM")),)).play()
    assert again.run.tally.fleet.open == 2

    reset = resume(stage, again, script=(asking(1.0, ask(stage)),))
    reset.records = [each for each in again.records if not getattr(each, "command", 0)] + [
        LimitsChanged(at=stage.start, limits=LimitChange(in_flight=Amount(2)), by="ann", note="slow")
    ]
    assert most_open(reset.play()) == 6


def test_a_rate_that_is_lowered_paces_the_calls_from_then_on() -> None:
    stage = stage_of(40, limits=replace(FREE, rate=2.0))
    stage.script = (asking(5.0, ask(stage, rate=0.1)),)
    played = stage.play()
    starts = [(each.at - stage.start).total_seconds() for each in played.of(Intent)]

    assert sum(5.5 < at < 65.5 for at in starts) <= 6
    calls = played.run.night.calls["default"]
    assert [each.allowed for each in calls if each.end <= stage.start + timedelta(seconds=5.5)] == [2.0]
    assert {each.allowed for each in calls[1:]} == {0.1}
    assert played.outcomes() == {"succeeded": 40}


def test_fewer_calls_are_made_at_once() -> None:
    seen: list[int] = []

    def look(dispatcher: Dispatcher) -> None:
        seen.append(int(dispatcher.session.sending.total_tokens))

    stage = stage_of(4, lasting)
    stage.script = (later(1.0, look), asking(2.0, ask(stage, concurrency=3)), later(3.0, look))
    stage.play()

    assert seen == [FREE.concurrency, 3]


def test_changes_add_up_and_a_reset_ends_them_all() -> None:
    stage = stage_of(1)
    run = stage.play().run
    for number, command in enumerate((ask(stage, rate=1.0), ask(stage, per_window=9, rate=2.0)), 1):
        run.apply(carry_out(run, number, command, stage.start))
    assert str(run.limits.limits if run.limits else "") == "rate=2/s per_window=9"

    run.apply(carry_out(run, 3, ask(stage), stage.start))
    assert run.limits is not None
    assert not run.limits.limits.named


def test_a_change_never_lets_more_calls_through_than_there_are_connections_or_a_scope_allows() -> None:
    plan = stage_of(1, scopes_of=("default",)).plan
    plan = replace(plan, scopes=(Scope(name="a", rate=1.0), Scope(name="b", rate="auto"), Scope(name="c")))
    changed = limited(plan, LimitChange(rate=3.0, concurrency=99))

    assert [scope.rate for scope in changed.scopes] == [1.0, None, None]
    assert (changed.limits.rate, changed.limits.concurrency) == (3.0, FREE.concurrency)


@pytest.mark.parametrize(
    ("change", "wider"),
    [
        ({"in_flight": Amount(11)}, ["in_flight"]),
        ({"in_flight": Amount(50, percent=True)}, ["in_flight"]),
        ({"in_flight": Amount(10), "rate": 2.0, "per_window": 5, "concurrency": 1}, []),
        ({"rate": 2.5, "concurrency": 11}, ["concurrency", "rate"]),
    ],
)
def test_what_is_wider_than_before(change: dict[str, Any], wider: list[str]) -> None:
    assert list(widened(Limits(), LimitChange(**change), 100)) == wider


@pytest.mark.parametrize("make", [lambda: WindowPacer(2.0), auto_pacer])
def test_another_rate_goes_on_where_the_pacer_was(make: Callable[[], Any]) -> None:
    pacer = make()
    for second in range(3):
        assert pacer.claim(float(second), waited=False) == 0
    pacer.throttle(3.0, 20.0)
    changed: Any = changed_rate(pacer, 0.5)

    assert (changed.nominal, changed.held_until) == (0.5, 23.0)
    assert list(changed.sent)[-1] == 2.0
    assert isinstance(changed_rate(changed, None), AutoPacer)
