"""Where a run stands, in a few words: how far it has come, what it waits for, what bounds its speed."""

from collections.abc import Iterator

from orchestrator.executor.decide.foreseen import next_start, time_left_s
from orchestrator.executor.decide.wait_words import scope_wait
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.model.run.run import Run
from orchestrator.spoken import counted, spoken


def progress(dispatcher: Dispatcher) -> Iterator[str]:
    """How many targets are settled and in flight, and about how long the rest takes, if it goes on by itself."""
    rollout = dispatcher.session.rollout
    run = rollout.run
    yield f"{run.settled:,} of {run.total:,} settled"
    yield f"{run.tally.fleet.open:,} in flight"
    now = dispatcher.session.clock.now()
    if run.ended is not None:
        yield "done"
    elif run.hold is not None:
        yield "HELD"
    elif (starts := next_start(rollout, now)) is not None and starts > now and not run.tally.fleet.open:
        yield f"goes on {starts:%H:%M:%S}Z"
    else:
        left = spoken(time_left_s(rollout))
        yield f"{left} left" if left.startswith("less") else f"about {left} left"


def now_words(dispatcher: Dispatcher) -> str:
    """What it waits for, and why."""
    run: Run = dispatcher.session.run
    if run.ended is not None:
        return "every target is settled"
    if run.hold is not None:
        by = f" by {run.hold.who}" if run.hold.who else ""
        return f"HELD{by}: {run.hold.reason}; nothing starts, what is in flight is followed"
    now = dispatcher.session.clock.now()
    silent = (scope_wait(scope, now) for scope in run.scopes.values() if scope.silent)
    wait = next(silent, None) or dispatcher.waits_for
    return f"waits for {wait.seen_at(now)}" if wait is not None else "begins"


def speed_words(dispatcher: Dispatcher) -> str:
    """How fast it may call, and how often it has."""
    session = dispatcher.session
    scopes = session.scopes.values()
    calls = sum(scope.calls for scope in session.run.scopes.values()) + sum(scope.usage.calls for scope in scopes)
    rate = sum({id(scope.lanes): scope.lanes.pacer.rate for scope in scopes}.values())
    return f"at most {rate:g}/s, {counted(calls, 'call')} made{checked_words(len(session.rollout.queue.starting))}"


def checked_words(checked: int) -> str:
    """How many targets are looked at just before their upgrade is sent."""
    return f", {checked:,} being checked before {'it is' if checked == 1 else 'they are'} sent" if checked else ""
