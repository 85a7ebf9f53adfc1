"""A session as numbers: what is told of the fleet, of its waves, scopes and budgets. O(waves + scopes), no I/O.

Names follow Prometheus: base units, `_total` of what only grows, `_timestamp_seconds` of instants. Every number carries
the fleet, for the files of several fleets are read together; none carries a proxy.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import accumulate
from platform import python_version
from typing import Literal, NamedTuple, TypeAlias, get_args

import msgspec

from orchestrator import __version__
from orchestrator.executor.decide.foreseen import expected_end, next_start
from orchestrator.executor.decide.limits import budgets
from orchestrator.executor.decide.opening.calendar import next_freeze
from orchestrator.executor.session import Session
from orchestrator.model.record.outcome import Outcome, Phase
from orchestrator.model.record.record import HoldCause
from orchestrator.model.run.run import Run
from orchestrator.tracker.report.build import wave_state
from orchestrator.tracker.report.schema import WaveState

Kind: TypeAlias = Literal["gauge", "counter", "histogram"]

#: In front of every name.
PREFIX = "orchestrator_"

_PHASES = (Phase.WAITING, Phase.IN_FLIGHT, Phase.TIMED_OUT, Phase.IN_DOUBT)


class Sample(NamedTuple):
    """One number, or one histogram.

    Attributes:
        labels: the values of the metric's labels, without the fleet's.
        groups: of a histogram, how many were at most each of `durations.BOUNDS_S`, and all of them.
    """

    value: float
    labels: tuple[str, ...] = ()
    groups: tuple[int, ...] = ()


class Metric(NamedTuple):
    """Numbers of one name; `labels`: what tells them apart beside the fleet."""

    name: str
    kind: Kind
    doc: str
    labels: tuple[str, ...]
    samples: tuple[Sample, ...]


class Ended(msgspec.Struct, frozen=True):
    """How a session ended."""

    at: datetime
    exit_code: int


def measure(session: Session, now: datetime, kept: Counter[str], ended: Ended | None, *, running: bool) -> list[Metric]:
    """Everything that is told of a fleet, the same names every time.

    Args:
        session: under way, or just ended.
        now: by its clock.
        kept: the outcomes that earlier runs gave to targets which this run leaves alone.
        ended: the last session that has ended; None when it is not known.
        running: whether the session is under way.
    """
    return [
        *_about(session),
        *_targets(session.run, kept),
        *_waves(session.run),
        *_budgets(session),
        *_calls(session),
        *_instants(session, now),
        *_sessions(session, now, ended, running=running),
    ]


def _gauge(name: str, doc: str, value: float | None) -> Metric:
    """One number; None: it is not known now, and the metric has no sample."""
    return Metric(name, "gauge", doc, (), () if value is None else (Sample(value),))


def _instant(name: str, doc: str, at: datetime | None) -> Metric:
    return _gauge(f"{name}_timestamp_seconds", doc, None if at is None else at.timestamp())


def _about(session: Session) -> Iterator[Metric]:
    labels, values = ("version", "python"), (__version__, python_version())
    yield Metric("build_info", "gauge", "The program that wrote this; always 1.", labels, (Sample(1, values),))
    started = session.run.started
    if started is not None:
        simulated = str(started.simulated).lower()
        run = (Sample(1, (started.run_id, started.target_version, simulated)),)
        yield Metric("run_info", "gauge", "The run; always 1.", ("run_id", "target_version", "simulated"), run)


def _targets(run: Run, kept: Counter[str]) -> Iterator[Metric]:
    fleet = run.tally.fleet
    standing = {name.value: fleet.standing[name.value] + kept[name.value] for name in (*Outcome, *_PHASES)}
    standing[Phase.WAITING.value] = run.waiting
    samples = tuple(Sample(number, (name,)) for name, number in standing.items())
    yield Metric("targets", "gauge", "Targets by outcome, or by where they stand.", ("outcome",), samples)
    yield _gauge("open_targets", "Targets in flight, in doubt or timed out.", fleet.open)
    yield _gauge("targets_needing_person", "Targets that only a person, or new evidence, can settle.", fleet.stuck)
    yield _durations(run)


def _durations(run: Run) -> Metric:
    sample = Sample(run.durations.total_s, (), tuple(accumulate(run.durations.grouped)))
    doc = "How long the upgrades of this run took, from the answer to the end of the job."
    return Metric("upgrade_duration_seconds", "histogram", doc, (), (sample,))


def _waves(run: Run) -> Iterator[Metric]:
    states = Counter(wave_state(run, wave) for wave in run.waves.values())
    waves = tuple(Sample(states[state], (state,)) for state in get_args(WaveState))
    yield Metric("waves", "gauge", "Waves by state.", ("state",), waves)
    cause = run.hold.cause if run.hold else None
    held = tuple(Sample(each == cause, (each,)) for each in get_args(HoldCause))
    yield Metric("held", "gauge", "1 for the cause that holds the fleet, else 0.", ("cause",), held)


def _budgets(session: Session) -> Iterator[Metric]:
    found = list(budgets(session.rollout))
    labels = ("kind", "of")
    limits = tuple(Sample(each.limit, (each.kind, each.whose)) for each in found)
    left = tuple(Sample(max(0, each.limit - each.spent), (each.kind, each.whose)) for each in found)
    yield Metric("budget_limit_targets", "gauge", "Targets that a budget allows.", labels, limits)
    yield Metric("budget_left_targets", "gauge", "Targets that are left of a budget.", labels, left)


def _calls(session: Session) -> Iterator[Metric]:
    used = {name: (session.run.scopes[name], scope) for name, scope in session.scopes.items()}
    calls = tuple(Sample(known.calls + scope.usage.calls, (name,)) for name, (known, scope) in used.items())
    throttled = tuple(Sample(known.throttled + scope.usage.throttled, (name,)) for name, (known, scope) in used.items())
    rates = tuple(Sample(scope.lanes.pacer.rate, (name,)) for name, (_, scope) in used.items())
    attempts = (Sample(session.run.upgrade_calls),)
    yield Metric("attempts", "counter", "upgrade-version calls of this run.", (), attempts)
    yield Metric("calls", "counter", "Calls of any kind in this run.", ("scope",), calls)
    yield Metric("throttled_calls", "counter", "Calls that the cloud refused as one too many.", ("scope",), throttled)
    yield Metric("rate_calls_per_second", "gauge", "Calls a second that are allowed now.", ("scope",), rates)


def _instants(session: Session, now: datetime) -> Iterator[Metric]:
    starts, ends = next_start(session.rollout, now), expected_end(session.rollout, now)
    yield _instant("next_start", "When something may start; absent while a person has to act first.", starts)
    yield _instant("expected_end", "When all may be done, at the present pace.", ends)
    yield _instant("next_freeze", "When the next freeze begins.", next_freeze(session.plan.freezes, now))


def _sessions(session: Session, now: datetime, ended: Ended | None, *, running: bool) -> Iterator[Metric]:
    began = session.run.sessions[-1].at if session.run.sessions else None
    yield _gauge("session_running", "1 while a session is under way; stays 1 when it was killed.", running)
    yield _instant("session_start", "When the latest session began.", began)
    yield _instant(
        "last_session_end", "When the last session ended in good order.", None if ended is None else ended.at
    )
    yield _gauge("last_session_exit_code", "With which code it ended.", None if ended is None else ended.exit_code)
    yield _instant("updated", "When this was written.", now)
