"""The task that measures what upgrades do to applications: from 10 minutes before each to 15 minutes after."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from operator import attrgetter

from orchestrator.executor.scope.metrics.metric_reader import MetricReader
from orchestrator.executor.scope.metrics.sample_store import LATE, SPAN, Wanted
from orchestrator.executor.session import Session
from orchestrator.model.learned.impact import ImpactSpan, span_of
from orchestrator.model.plan.metric import IMPACT_METRICS
from orchestrator.model.record.impact_record import ImpactSampled, Sample
from orchestrator.model.run.state import TargetState


class ImpactWatch:
    """Measures every target that was upgraded, once its minutes are over, and writes them down together.

    Nothing is lost when a session ends before: the cloud keeps its minutes, and the next session asks for them.
    """

    def __init__(self, session: Session, reader: MetricReader) -> None:
        self._session = session
        self._reader = reader
        self._seen: set[str] = set()

    async def run(self) -> None:
        """Read whenever the minutes of a common grid have passed, as long as the session lives."""
        while True:
            await self._session.clock.sleep(SPAN * self._reader.grain_s)
            await self.read()

    async def read(self, *, last: bool = False) -> None:
        """Read what can be had by now, and write down what is complete, or everything when the session ends."""
        due = [(state, span) for state in self._unmeasured() if (span := self._span(state)) is not None]
        if not due:
            return
        wanted = [self._wanted(state, span) for state, span in due]
        await self._reader.read(wanted, new_nodes=[state.key for state, _ in due if state.key not in self._seen])
        self._seen |= {state.key for state, _ in due}
        for state, span in due:
            missing = self._missing(state, span)
            if not missing or last:
                self._write(state, span, missing)
                self._reader.store.forget(state.key)

    def _unmeasured(self) -> Iterator[TargetState]:
        """Targets served here that were upgraded and settled, and have not all their minutes written down."""
        run = self._session.run
        for key in run.states.those(attrgetter("unmeasured")):
            if self._session.serves(run.targets[key].scope):
                yield run.states[key]

    def _span(self, state: TargetState) -> ImpactSpan | None:
        began, ended = self._times(state)
        return None if ended < began else span_of(began, ended, self._reader.grain_s)

    def _times(self, state: TargetState) -> tuple[datetime, datetime]:
        """When its upgrade was accepted and settled, by the cloud's time."""
        cloud_time, scope = self._session.run.timeline.cloud_time, state.target.scope
        began, ended = state.accepted_at or state.last.sent, state.ended or state.last.sent
        return cloud_time(began, scope), cloud_time(ended, scope)

    def _wanted(self, state: TargetState, span: ImpactSpan) -> Wanted:
        target = state.target
        return Wanted(target.scope, target.instance_id, target.proxy_id, IMPACT_METRICS, span.first, span.last)

    def _missing(self, state: TargetState, span: ImpactSpan) -> str:
        """Why the minutes of a target are not all known; empty when nothing more is to be had."""
        scope = state.target.scope
        if scope in self._reader.missing:
            return self._reader.missing[scope]
        left = span.last - self._reader.now(scope)
        if left > 0:
            return f"the session ended {left} min before all was measured"
        complete = len(self._samples(state, span)) == span.last - span.first
        return "" if complete or -left >= LATE else "the last minutes had not come when the session ended"

    def _samples(self, state: TargetState, span: ImpactSpan) -> tuple[Sample, ...]:
        of = partial(self._reader.store.values, proxy_id=state.key, first=span.first, last=span.last)
        connections, response, queries = (of(metric) for metric in IMPACT_METRICS)
        return tuple(
            (minute, _rounded(connections.get(minute)), _rounded(response.get(minute)), _rounded(queries.get(minute)))
            for minute in sorted(connections.keys() | response.keys() | queries.keys())
        )

    def _write(self, state: TargetState, span: ImpactSpan, missing: str) -> None:
        began, ended = self._times(state)
        samples = self._samples(state, span)
        if missing and not samples:
            return
        self._session.ledger.note(
            ImpactSampled(
                **self._session.about(state),
                began=began,
                ended=ended,
                grain_s=self._reader.grain_s,
                samples=samples,
                missing=missing,
            )
        )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
