"""Read metrics of many proxies in few calls, politely, and without any claim on the rate of the upgrades.

A reading that fails costs samples and nothing else. Without the permission a scope is asked no more in this session,
and one record says so.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import anyio

from orchestrator.executor.ports import Clock, CloudApi, MetricsApi
from orchestrator.executor.rate.lane import Lane
from orchestrator.executor.scope.gate import ScopeGone
from orchestrator.executor.scope.metrics.sample_store import SPAN, SampleStore, Wanted, by_minute
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.model.learned.impact import LAG
from orchestrator.model.plan.metric import Minute, Points, Series
from orchestrator.model.record.impact_record import MetricsMissing
from orchestrator.model.record.record import Record
from orchestrator.model.reply.reply import Answered, Refused, Reply, Throttled, in_words

#: What is asked for in one call at most (SDK, BatchListMetricData), until the cloud refuses so many.
MOST = 500
#: Fewer are not worth a call.
_FEWEST = 10

#: So many calls a minute to Cloud Eye, of the 500 that are known of (docs/impact.md).
_CALLS = 240

_TRIES = 2
_LONGEST_PAUSE_S = 60.0
_NO_PERMISSION = (401, 403)
PERMISSION = "ces:metricData:list"


class MetricReader:
    """Reads for all that want metrics in a session; what one has read, the other need not.

    Args:
        scopes: by name; only those with an `eye` are read.
        note: takes the record that says what is missing.
        cloud_now: the cloud's time in a scope, in seconds since 1970.

    Attributes:
        calls: made to Cloud Eye in this session.
        missing: why a scope is not read any more.
    """

    def __init__(
        self,
        scopes: Mapping[str, ScopeCalls],
        *,
        clock: Clock,
        grain_s: float,
        note: Callable[[Record], object],
        cloud_now: Callable[[str], float],
    ) -> None:
        self.store = SampleStore()
        self.calls = 0
        self.missing: dict[str, str] = {}
        self.grain_s = grain_s
        self._scopes = scopes
        self._clock = clock
        self._note = note
        self._cloud_now = cloud_now
        self._most: defaultdict[str, int] = defaultdict(lambda: MOST)
        self._turn = anyio.Lock()

    def now(self, scope: str) -> Minute:
        """The first minute that cannot be asked for yet."""
        return int(self._cloud_now(scope) // self.grain_s) - LAG

    async def read(
        self, wanted: Sequence[Wanted], *, new_nodes: Iterable[str] = (), within_s: float = math.inf
    ) -> bool:
        """Read what can be had by now; one reading at a time.

        Args:
            wanted: by whomever.
            new_nodes: proxies whose nodes are read though some are known: an upgrade may have replaced them.
            within_s: then it is given up. Waiting until another reading is through does not count.

        Returns:
            Whether it came to its end.
        """
        async with self._turn:
            with anyio.move_on_after(within_s) as limit:
                await self._read(wanted, frozenset(new_nodes))
        return not limit.cancelled_caught

    async def _read(self, wanted: Sequence[Wanted], fresh: frozenset[str]) -> None:
        by_scope: defaultdict[str, list[Wanted]] = defaultdict(list)
        for want in wanted:
            by_scope[want.scope].append(want)
        for scope, wants in by_scope.items():
            calls = None if scope in self.missing else self._scopes[scope]
            if calls is None or calls.eye is None:
                continue
            await self._read_nodes(calls, calls.eye, wants, fresh)
            now = self.now(scope)
            for span, series in self.store.to_ask(wants, now).items():
                await self._read_span(calls, calls.eye, span, series, now)

    async def _read_nodes(
        self, calls: ScopeCalls, eye: MetricsApi, wants: Sequence[Wanted], fresh: frozenset[str]
    ) -> None:
        unknown = [want for want in wants if not self.store.nodes.get(want.proxy_id) or want.proxy_id in fresh]
        for instance_id in dict.fromkeys(want.instance_id for want in unknown):
            try:
                reply = await calls.read(partial(_nodes, eye, instance_id), Lane.POLL)
            except ScopeGone:
                return
            for proxy_id, nodes in (reply.value if isinstance(reply, Answered) else {}).items():
                self.store.learn_nodes(proxy_id, nodes)

    async def _read_span(
        self, calls: ScopeCalls, eye: MetricsApi, span: int, asked: Sequence[Series], now: Minute
    ) -> None:
        left = list(asked)
        while left and calls.name not in self.missing:
            part, left = left[: self._most[calls.name]], left[self._most[calls.name] :]
            reply = await self._ask(eye, span, part)
            if self._too_many(calls.name, reply, part):
                left = [*part, *left]
                continue
            self._judge(calls.name, reply)
            found = by_minute(reply.value, self.grain_s) if isinstance(reply, Answered) else None
            self.store.note(part, span, now, found)

    async def _ask(self, eye: MetricsApi, span: int, part: Sequence[Series]) -> Reply[Points]:
        starts_s, ends_s = span * SPAN * self.grain_s, (span + 1) * SPAN * self.grain_s
        tries = 0
        while True:
            tries += 1
            failure = await eye.prepare()
            self.calls += failure is None
            reply = failure or await eye.samples(part, starts_s, ends_s)
            if isinstance(reply, Answered | Refused) or tries >= _TRIES:
                await self._clock.sleep(self.grain_s / _CALLS)
                return reply
            wait_s = reply.retry_after_s if isinstance(reply, Throttled) else None
            await self._clock.sleep(min(_LONGEST_PAUSE_S, 1.0 if wait_s is None else wait_s))

    def _too_many(self, scope: str, reply: Reply[Points], part: Sequence[Series]) -> bool:
        """Whether fewer would perhaps not be refused: some pages name 10 for a call."""
        if not isinstance(reply, Refused) or reply.exchange.http_status in _NO_PERMISSION or len(part) <= _FEWEST:
            return False
        self._most[scope] = max(_FEWEST, len(part) // 2)
        return True

    def _judge(self, scope: str, reply: Reply[Points]) -> None:
        if not isinstance(reply, Refused) or scope in self.missing:
            return
        why = in_words(reply)
        if reply.exchange.http_status in _NO_PERMISSION:
            why = f"the permission {PERMISSION} is missing: {why}"
        self.missing[scope] = why
        self._note(MetricsMissing(at=self._clock.now(), scope=scope, why=why))


async def _nodes(eye: MetricsApi, instance_id: str, _api: CloudApi) -> Reply[dict[str, tuple[str, ...]]]:
    return await eye.nodes(instance_id)
