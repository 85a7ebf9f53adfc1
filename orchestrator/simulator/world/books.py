"""The cloud's own books: what really was asked, what really began, and what went wrong on the way.

They are the truth that a client's report is held against; nothing in the simulated API reads them.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from orchestrator.simulator.world.world import Job, World


class UpgradeCall(msgspec.Struct, kw_only=True, eq=False):
    """One upgrade-version POST that passed the gateway. `job` is set when it really started an upgrade."""

    project_id: str
    instance_id: str
    proxy_id: str
    number: int
    at: float
    fault: str | None = None
    status: int | None = None
    error_code: str | None = None
    job: Job | None = None


class Books:
    """Kept by `SimulatedCloud`; read in tests, benchmarks and at `GET /_simulated/books`."""

    def __init__(self) -> None:
        self.upgrade_calls: list[UpgradeCall] = []
        self.faults: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.calls_by_scope: dict[str, Counter[str]] = defaultdict(Counter)
        self.throttled: Counter[str] = Counter()
        self.refused_credentials = 0
        self.peak_per_second: Counter[str] = Counter()
        self.under_way: Counter[str] = Counter()
        self.peak_under_way: Counter[str] = Counter()
        self._recent: dict[str, deque[float]] = defaultdict(deque)
        self._by_proxy: dict[str, list[UpgradeCall]] = defaultdict(list)

    def note_call(self, kind: str, scope: str, t: float) -> None:
        """A call of this kind arrived for this project (or for `iam`)."""
        self.calls[kind] += 1
        self.calls_by_scope[scope][kind] += 1
        self._note_peak("all", t)
        self._note_peak(scope, t)
        if kind == "upgrade":
            self._note_peak("upgrade", t)

    def note_upgrade(self, call: UpgradeCall) -> None:
        """An upgrade-version POST is about to be judged."""
        self.upgrade_calls.append(call)
        self._by_proxy[call.proxy_id].append(call)

    def began(self, kind: str) -> None:
        """A request is being answered; told by the server, for `upgrade` and `other`."""
        for name in ("all", kind):
            self.under_way[name] += 1
            self.peak_under_way[name] = max(self.peak_under_way[name], self.under_way[name])

    def ended(self, kind: str) -> None:
        """The counterpart of `began`."""
        for name in ("all", kind):
            self.under_way[name] -= 1

    def calls_of(self, proxy_id: str) -> list[UpgradeCall]:
        """Every upgrade-version POST for a proxy, in order of arrival."""
        return list(self._by_proxy.get(proxy_id, ()))

    def starts_of(self, proxy_id: str) -> list[Job]:
        """Every upgrade of a proxy that really started because of a POST."""
        return [call.job for call in self._by_proxy.get(proxy_id, ()) if call.job is not None]

    def starts(self) -> list[Job]:
        """Every upgrade that really started because of a POST."""
        return [call.job for call in self.upgrade_calls if call.job is not None]

    def peak_upgrades(self) -> int:
        """The largest number of upgrades that ran at the same time."""
        return peak_overlap((job.created, job.ends_at) for job in self.starts())

    def peak_upgrades_per_instance(self) -> int:
        """The same, on one instance."""
        spans: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for job in self.starts():
            spans[job.instance.instance_id].append((job.created, job.ends_at))
        return max(map(peak_overlap, spans.values()), default=0)

    def _note_peak(self, name: str, t: float) -> None:
        recent = self._recent[name]
        recent.append(t)
        while recent[0] <= t - 1.0:
            recent.popleft()
        self.peak_per_second[name] = max(self.peak_per_second[name], len(recent))


def peak_overlap(spans: Iterable[tuple[float, float]]) -> int:
    """How many of the spans overlap at most; one that ends when another begins does not overlap it."""
    steps = sorted(step for start, end in spans for step in ((start, 1), (end, -1)))
    peak = height = 0
    for _, step in steps:
        height += step
        peak = max(peak, height)
    return peak


def summary(books: Books, world: World, t: float) -> dict[str, Any]:
    """All of the books at an instant, as JSON-ready values."""
    touched = {call.proxy_id for call in books.upgrade_calls}
    return {
        "calls": dict(books.calls),
        "calls_by_scope": {scope: dict(kinds) for scope, kinds in books.calls_by_scope.items()},
        "faults": dict(books.faults),
        "throttled": dict(books.throttled),
        "refused_credentials": books.refused_credentials,
        "peaks": {
            "calls_per_second": dict(books.peak_per_second),
            "calls_under_way": dict(books.peak_under_way),
            "upgrades": books.peak_upgrades(),
            "upgrades_per_instance": books.peak_upgrades_per_instance(),
        },
        "upgrade_calls": [_call(call, t) for call in books.upgrade_calls],
        "proxies": [
            {
                "proxy_id": proxy.proxy_id,
                "version": proxy.version_at(t),
                "healthy": proxy.healthy(t),
                "effective_starts": proxy.starts,
            }
            for proxy in world.proxies()
            if proxy.proxy_id in touched
        ],
    }


def _call(call: UpgradeCall, t: float) -> dict[str, Any]:
    job = call.job
    return {
        "project_id": call.project_id,
        "instance_id": call.instance_id,
        "proxy_id": call.proxy_id,
        "number": call.number,
        "at": _instant(call.at),
        "fault": call.fault,
        "status": call.status,
        "error_code": call.error_code,
        "started": job is not None,
        "started_at": None if job is None else _instant(job.created),
        "workflow_id": None if job is None else job.job_id,
        "job_status": None if job is None else job.status(t),
    }


def _instant(t: float) -> str:
    return datetime.fromtimestamp(t, UTC).isoformat().replace("+00:00", "Z")
