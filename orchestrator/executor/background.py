"""The tasks that run beside the loop as long as a session lives: pacing, keeping scopes usable, noting their use."""

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import timedelta
from functools import partial
from itertools import count

import anyio

from orchestrator.executor.health.impact_watch import ImpactWatch
from orchestrator.executor.rate.lanes import Lanes
from orchestrator.executor.scope.host_time import HostTime
from orchestrator.executor.scope.probe import keep
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.executor.session import Session
from orchestrator.executor.supervise import Service, Task, supervise
from orchestrator.model.record.part_record import USAGE
from orchestrator.model.record.record import ClockStepped, ScopeSilent, ScopeThrottled, ScopeUsed

#: How often the use of busy scopes is written down, and every how many times that of all. A process that is killed
#: loses what it has not written down.
_USAGE_EVERY_S = 5.0
_ALL_USAGE_EVERY = 6

#: A scope is busy that made so many calls since the last time.
_BUSY_CALLS = 10

#: A rate has changed when it is by so much another one.
_NEW_RATE = 0.1

#: How often the wall clock is compared. What starts is judged by it at that very instant; only waits depend on this.
_CLOCK_EVERY_S = 10.0

#: How long the last reading of metrics may take, and in a session that was told to stop.
_LAST_READING_S, _SHORT_READING_S = 60.0, 5.0

#: How often it is looked whether a scope still answers.
_LISTEN_EVERY_S = 5.0

#: A shorter pause that others were told is over before anybody wonders.
_WORTH_NOTING_S = 3.0

IMPACT = "the metrics of impact"


def services(session: Session, wake: Callable[[], None]) -> Iterator[Service]:
    """Every task that a session needs; `wake` makes the loop look for the next action."""
    scopes = session.scopes.values()
    yield from _turns(scopes)
    yield from (_probe(scope, _keeping(scope, wake)) for scope in scopes)
    yield from map(_hearing_of_pauses, scopes)
    for scope in _one_a_rate(scopes):
        yield Service(f"the pauses of scope {scope.name}", _releasing(scope.lanes, wake))
    yield Service(USAGE, _noting_usage(session), vital=False)
    yield Service("the watch on the clock", _watching_clock(session), vital=False)
    yield Service("the watch on silent scopes", _listening(session), vital=False)
    if (watch := impact_watch(session)) is not None:
        yield Service(IMPACT, watch.run, vital=False)


def impact_watch(session: Session) -> ImpactWatch | None:
    """What measures the impact of upgrades; None when the plan does not ask for it."""
    if session.metrics is None or session.plan.impact == "off":
        return None
    return ImpactWatch(session, session.metrics)


async def last_reading(session: Session, *, stopped: bool) -> None:
    """Measure once more when the session has nothing else to do, and write down what there is."""
    watch = impact_watch(session)
    if watch is not None:
        with anyio.move_on_after(_SHORT_READING_S if stopped else _LAST_READING_S):
            await supervise(Service(IMPACT, partial(watch.read, last=True), vital=False), session)


def scope_services(scopes: Collection[ScopeCalls]) -> Iterator[Service]:
    """What scopes need beside their callers: pace, the probe that brings back a paused one, and an ear for pauses."""
    yield from _turns(scopes)
    yield from map(_hearing_of_pauses, scopes)
    yield from (_probe(scope, partial(keep, scope)) for scope in scopes)


def _turns(scopes: Iterable[ScopeCalls]) -> Iterator[Service]:
    return (Service(f"the turns of scope {scope.name}", scope.lanes.serve) for scope in _one_a_rate(scopes))


def _probe(scope: ScopeCalls, task: Task) -> Service:
    return Service(f"the probe of scope {scope.name}", task)


def _hearing_of_pauses(scope: ScopeCalls) -> Service:
    async def task() -> None:
        while True:
            known_s = max(scope.told_until_s, scope.clock.monotonic())
            await scope.lanes.until_held(known_s + _WORTH_NOTING_S)
            note_pause(scope)

    return Service(f"what scope {scope.name} hears of pauses", task, vital=False)


def note_pause(scope: ScopeCalls) -> None:
    """Write down a pause that was asked of others who share its rate, unless it is over as good as at once.

    Nobody would know otherwise what its calls wait for.
    """
    ends_s, held_s, now = scope.lanes.pacer.held_until, scope.lanes.held_s, scope.clock.now()
    if ends_s <= scope.told_until_s or held_s <= _WORTH_NOTING_S:
        return
    scope.told_until_s = ends_s
    who = "scope" if ends_s <= scope.lanes.met_until_s else "process"
    why = f"another {who}, which shares its rate, was told so"
    scope.note(ScopeThrottled(at=now, step="scope", scope=scope.name, until=now + timedelta(seconds=held_s), why=why))


def _one_a_rate(scopes: Iterable[ScopeCalls]) -> Iterable[ScopeCalls]:
    """Of the scopes that share a rate, one."""
    return {id(scope.lanes): scope for scope in scopes}.values()


def note_usage(session: Session, least: int = 1) -> None:
    """Write down how much each scope was used since the last time, if it made at least so many calls."""
    for scope in session.scopes.values():
        if scope.usage.calls >= least:
            _note_use(session, scope)


def note_new_rates(session: Session) -> None:
    """The same for each scope whose rate has changed since then: another host counts on it."""
    for scope in session.scopes.values():
        told, rate = session.run.scopes[scope.name].rate_limit, scope.lanes.pacer.nominal
        if told is None or abs(rate - told) > _NEW_RATE * told:
            _note_use(session, scope)


def _note_use(session: Session, scope: ScopeCalls) -> None:
    used = scope.take_usage()
    session.ledger.note(
        ScopeUsed(
            at=session.clock.now(),
            step="scope",
            scope=scope.name,
            calls=used.calls,
            throttled=used.throttled,
            rate_limit=scope.lanes.pacer.nominal,
            seconds=used.seconds,
        )
    )


def _noting_usage(session: Session) -> Task:
    async def task() -> None:
        for turn in count(1):
            await session.clock.sleep(_USAGE_EVERY_S)
            note_usage(session, _BUSY_CALLS if turn % _ALL_USAGE_EVERY else 1)

    return task


def _listening(session: Session) -> Task:
    async def task() -> None:
        while True:
            await session.clock.sleep(_LISTEN_EVERY_S)
            for scope in session.scopes.values():
                note_silence(scope)

    return task


def note_silence(scope: ScopeCalls) -> None:
    """Write down that a scope says nothing, unless that is known, or it is known to be out of reach."""
    now_s = scope.clock.monotonic()
    since_s = scope.silence.since_s(scope.under_way, now_s)
    if since_s is None or scope.silence.told or not (scope.open or not scope.gate.reached):
        return
    now = scope.clock.now()
    since = now - timedelta(seconds=now_s - since_s)
    scope.note(ScopeSilent(at=now, step="scope", scope=scope.name, since=since, why=scope.silence.why))
    scope.silence.told = True


def _watching_clock(session: Session) -> Task:
    async def task() -> None:
        host = HostTime(session.clock)
        while True:
            await session.clock.sleep(_CLOCK_EVERY_S)
            by_s = host.step_s()
            if by_s is not None:
                session.ledger.note(
                    ClockStepped(at=session.clock.now(), step="clock", clock="host", by_s=round(by_s, 3))
                )

    return task


def _releasing(lanes: Lanes, wake: Callable[[], None]) -> Task:
    async def task() -> None:
        while True:
            await lanes.until_released()
            wake()

    return task


def _keeping(scope: ScopeCalls, wake: Callable[[], None]) -> Task:
    async def task() -> None:
        await keep(scope)
        wake()

    return task
