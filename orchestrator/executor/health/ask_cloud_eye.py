"""Ask a gate that is a metric: read what it needs of the proxies that were upgraded, and of those to compare with."""

from collections.abc import Iterator, Sequence
from itertools import islice
from math import ceil
from operator import itemgetter

from orchestrator.executor.decide.health.judge_metric import (
    FEWEST_CONTROL,
    Treated,
    judge_bounds,
    judge_control,
    no_data,
)
from orchestrator.executor.decide.opening.gates import concerns
from orchestrator.executor.scope.metrics.metric_reader import MetricReader
from orchestrator.executor.scope.metrics.sample_store import Wanted
from orchestrator.model.learned.impact import BEFORE, ImpactSpan, span_of
from orchestrator.model.plan.health_gate import EyeQuestion, GateFinding, HealthGate
from orchestrator.model.plan.metric import Minute
from orchestrator.model.plan.target import Target
from orchestrator.model.record.outcome import UPGRADED
from orchestrator.model.run.run import Run

#: So many of the latest upgrades are looked at, and so many proxies to compare with: a few calls, whatever the fleet.
_UPGRADED, _CONTROL = 100, 50


async def ask_cloud_eye(reader: MetricReader, run: Run, gate: HealthGate, question: EyeQuestion) -> GateFinding:
    """One finding; while some could not be read, or not within the time-out of the gate, it does not pass.

    Args:
        reader: of the metrics.
        run: whose proxies are looked at.
        gate: which asks.
        question: what it asks.
    """
    upgraded = list(_upgraded(run, gate, reader.grain_s))
    if not upgraded:
        return GateFinding(answer="passes", evidence="no proxy was upgraded yet")
    control = _control(run, gate) if question.compare else []
    if question.compare and len(control) < FEWEST_CONTROL:
        return GateFinding(answer="passes", evidence=f"not compared: still to upgrade are {len(control)}")
    asked = _Asked(reader, question, upgraded, control)
    whole = await reader.read(list(asked.wanted()), within_s=gate.timeout_s)
    finding = asked.finding()
    why = _unread(reader, upgraded) or ("" if whole else f"not all was read within {gate.timeout_s:g} s")
    return no_data(f"{finding.evidence}: {why}") if why and finding.answer != "fails" else finding


def _upgraded(run: Run, gate: HealthGate, grain_s: float) -> Iterator[tuple[Target, ImpactSpan]]:
    """The latest proxies that were upgraded in this run, each with its minutes."""
    told = (state for state in run.states.glances(_latest(run, gate)) if state.accepted_at and state.ended)
    for state in reversed(list(islice(told, _UPGRADED))):
        if state.accepted_at is not None and state.ended is not None:
            began = run.timeline.cloud_time(state.accepted_at, state.target.scope)
            until = run.timeline.cloud_time(state.ended, state.target.scope)
            yield state.target, span_of(began, max(began, until), grain_s)


def _latest(run: Run, gate: HealthGate) -> Iterator[str]:
    """Those that were upgraded and that the gate is about, the one that ended last first."""
    states, targets = run.states.known(), run.targets
    ended = [
        (state.ended_s, key) for key, state in states if state.outcome in UPGRADED and concerns(gate, targets[key])
    ]
    ended.sort(key=itemgetter(0), reverse=True)
    return (key for _, key in ended)


def _control(run: Run, gate: HealthGate) -> list[Target]:
    """Proxies that nothing was done with yet, always the same as long as they wait."""
    waiting = (
        target
        for key, target in run.targets.items()
        if concerns(gate, target)
        and run.states.outcome(key) is None
        and not ((state := run.states.get(key)) and state.attempts)
    )
    return sorted(waiting, key=lambda target: target.proxy_id[::-1])[:_CONTROL]


def _unread(reader: MetricReader, upgraded: Sequence[tuple[Target, ImpactSpan]]) -> str:
    return next((reader.missing[target.scope] for target, _ in upgraded if target.scope in reader.missing), "")


class _Asked:
    """One question: the minutes that it is about."""

    def __init__(
        self,
        reader: MetricReader,
        question: EyeQuestion,
        upgraded: Sequence[tuple[Target, ImpactSpan]],
        control: Sequence[Target],
    ) -> None:
        self._reader = reader
        self._question = question
        self._upgraded = upgraded
        self._control = control
        self._over = max(1, ceil(question.over_s / reader.grain_s))
        scopes = {target.scope for target in (*(target for target, _ in upgraded), *control)}
        self._now = {scope: reader.now(scope) for scope in scopes}  # as of the question: the answer takes its time

    def wanted(self) -> Iterator[Wanted]:
        """What has to be read."""
        for target, span in self._upgraded:
            after = self._after(target, span)
            yield self._want(target, after.start, after.stop)
            if self._control:
                yield self._want(target, span.first, span.start)
        for target in self._control:
            for first, last in self._spans(target):
                yield self._want(target, first, last)

    def finding(self) -> GateFinding:
        """What the samples say that have been read."""
        treated = [self._treated(target, span) for target, span in self._upgraded]
        if not self._control:
            return judge_bounds(self._question, treated)
        first = min(span.first for _, span in self._upgraded)
        control = {
            target.proxy_id: self._values(target, range(first, self._now[target.scope])) for target in self._control
        }
        return judge_control(self._question, treated, control)

    def _treated(self, target: Target, span: ImpactSpan) -> Treated:
        before, after = range(span.first, span.start), self._after(target, span)
        values = self._values(target, before) | self._values(target, after)
        return Treated(target.proxy_id, before, after, values)

    def _after(self, target: Target, span: ImpactSpan) -> range:
        """The last minutes, as far as they came after the upgrade."""
        now = self._now[target.scope]
        return range(min(now, max(span.end + 1, now - self._over)), now)

    def _spans(self, target: Target) -> list[tuple[Minute, Minute]]:
        """The minutes in which a proxy is compared: those before each upgrade, and the last ones."""
        now = self._now[target.scope]
        spans = {(span.first, span.first + BEFORE) for _, span in self._upgraded}
        return list(_joined([*spans, (now - self._over, now)]))

    def _want(self, target: Target, first: Minute, last: Minute) -> Wanted:
        return Wanted(target.scope, target.instance_id, target.proxy_id, (self._question.metric,), first, last)

    def _values(self, target: Target, minutes: range) -> dict[Minute, float]:
        return self._reader.store.values(self._question.metric, target.proxy_id, minutes.start, minutes.stop)


def _joined(spans: Sequence[tuple[Minute, Minute]]) -> Iterator[tuple[Minute, Minute]]:
    """The same minutes, each in one span: most upgrades share theirs with others."""
    ordered = sorted(spans)
    first, last = ordered[0]
    for begins, ends in ordered[1:]:
        if begins > last:
            yield first, last
            first = begins
        last = max(last, ends)
    yield first, last
