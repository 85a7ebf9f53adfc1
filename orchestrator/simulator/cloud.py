"""The simulated cloud without sockets and clocks: a request and an instant go in, a reply comes out.

`handle` brings the world up to the instant, then lets the request pass the stages of the real thing: gateway (route,
credentials, throttle), faults, service. It is used by the server on real time and by tests on virtual time alike.
"""

import heapq
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from itertools import count
from math import ceil
from typing import Any

import msgspec

from orchestrator.simulator import throttle
from orchestrator.simulator.calls.auth import Keyring
from orchestrator.simulator.calls.iam import Iam
from orchestrator.simulator.calls.service import Service
from orchestrator.simulator.calls.upgrade import Upgrades
from orchestrator.simulator.chance import around, below
from orchestrator.simulator.config import SimulatorConfig
from orchestrator.simulator.distortion import DISTORTIONS, Effect, Hit
from orchestrator.simulator.faults import Faults
from orchestrator.simulator.profile import Fault
from orchestrator.simulator.profiles import profile_of
from orchestrator.simulator.routes import WITHOUT_CREDENTIALS, Call, route
from orchestrator.simulator.throttle import Throttle
from orchestrator.simulator.wire import Refusal, Reply, Request, answer, gateway_error
from orchestrator.simulator.world.books import Books, UpgradeCall, summary
from orchestrator.simulator.world.fleet import build
from orchestrator.simulator.world.foreign import ForeignWork
from orchestrator.simulator.world.jobs import JobPlanner
from orchestrator.simulator.world.moments import http_date

BOOKS_PATH = "/_simulated/books"


class SimulatedCloud:
    """One cloud from its beginning on. Not thread-safe: one caller at a time.

    Attributes:
        books: What really happened, for tests and benchmarks.
        world: What there is.
        keyring: The credentials that are accepted.
        profile: The faults in force.
    """

    def __init__(self, config: SimulatorConfig, began: datetime) -> None:
        """A cloud whose time begins at `began`, an aware instant.

        Raises:
            SettingError: the fault profile cannot be used.
        """
        self.config = config
        self.profile = profile_of(config.faults)
        self.world = build(config, self.profile)
        self.books = Books()
        skew_s, began_s = self.profile.clock_skew_s, began.timestamp()
        self.keyring = Keyring(config, lifetime_s=self.profile.token_lifetime_s, skew_s=skew_s)
        self._planner = JobPlanner(self.world, self.profile, config.seed, config.speed)
        upgrades = Upgrades(self._planner, config.seed)
        self._service = Service(self.world, self._planner, upgrades, self.profile, config, began_s)
        self._iam = Iam(config, self.world, self.keyring, skew_s)
        self._throttle = Throttle(self.profile.limits, config.speed, began_s)
        self._faults = Faults(self.profile, config.seed)
        self._order = count()
        self._due: list[tuple[float, int, Callable[[float], object]]] = []
        self._foreign = ForeignWork(self.world, self._planner, self.profile, config)
        for at, act in self._foreign.planned(began_s):
            self._later(at, act)
        self._requests = 0
        self._hits: Counter[str] = Counter()
        self._shown_date = (0, "")

    def longest_upgrade_s(self) -> float:
        """How long the slowest upgrade may be at work, in seconds at this speed, unless its job hangs."""
        return self._planner.longest_upgrade_s()

    def handle(self, request: Request, now: datetime) -> Reply:
        """Answer one request that arrived at an aware instant; instants must not go back."""
        t = now.timestamp()
        self._advance(t)
        if request.path == BOOKS_PATH:
            return answer(summary(self.books, self.world, t))
        self._requests += 1
        request_id = f"{self.config.seed & 0xFFFF_FFFF:08x}{self._requests:024x}"
        call = route(request.method, request.path)
        if call is None:
            reply = gateway_error(404, "APIGW.0101", "The API does not exist or has not been published.", request_id)
        else:
            self.books.note_call(call.kind, call.scope, t)
            reply = self._at_gateway(call, request, request_id, t)
        return self._finished(reply, call, request_id, t)

    def summary(self, now: datetime) -> dict[str, Any]:
        """The books as JSON-ready values, the same as at `GET /_simulated/books`."""
        self._advance(now.timestamp())
        return summary(self.books, self.world, now.timestamp())

    def advance(self, now: datetime) -> None:
        """Bring the world up to an instant without a request: what is due takes effect."""
        self._advance(now.timestamp())

    def _advance(self, t: float) -> None:
        while self._due and self._due[0][0] <= t:
            at, _, act = heapq.heappop(self._due)
            act(at)

    def _later(self, at: float, act: Callable[[float], object]) -> None:
        heapq.heappush(self._due, (at, next(self._order), act))

    def _at_gateway(self, call: Call, request: Request, request_id: str, t: float) -> Reply:
        if self.profile.lists.without_v31 and call.version == "v3.1":
            return gateway_error(404, "APIGW.0101", "The API does not exist or has not been published.", request_id)
        if call.kind not in WITHOUT_CREDENTIALS:
            why = self.keyring.refuses(request, call.project_id or None, t)
            if why is not None:
                self.books.refused_credentials += 1
                return gateway_error(401, "APIGW.0301", why, request_id)
        throttled = call.project_id and call.kind != "metrics"  # Cloud Eye is another service
        limit = self._throttle.refuses(call.project_id, t) if throttled else None
        if limit is not None:
            self.books.throttled[call.project_id] += 1
            wait_s = self._throttle.wait_s(limit, t)
            return throttle.refusal(self.profile.notice, limit, wait_s, request_id, self.config.seed)
        return self._past_faults(call, request, request_id, t)

    def _past_faults(self, call: Call, request: Request, request_id: str, t: float) -> Reply:
        upgrade = self._noted(call, t) if call.kind == "upgrade" else None
        fault = self._faults.hitting(call, request)
        if fault is None:
            reply = self._served(call, request, upgrade, t)
        else:
            reply = self._distorted(fault, call, request, upgrade, request_id, t)
        if upgrade is not None:
            upgrade.status = reply.status
        return reply

    def _noted(self, call: Call, t: float) -> UpgradeCall:
        number = len(self.books.calls_of(call.proxy_id)) + 1
        noted = UpgradeCall(
            project_id=call.project_id, instance_id=call.instance_id, proxy_id=call.proxy_id, number=number, at=t
        )
        self.books.note_upgrade(noted)
        return noted

    def _distorted(
        self, fault: Fault, call: Call, request: Request, upgrade: UpgradeCall | None, request_id: str, t: float
    ) -> Reply:
        effect, distort = DISTORTIONS[fault]
        self.books.faults[fault] += 1
        true_reply: Reply | None = None
        if upgrade is not None:
            upgrade.fault = fault
        if effect is Effect.NOW:
            true_reply = self._served(call, request, upgrade, t, fault)
        elif effect is Effect.LATER and upgrade is not None:
            late_s = self._planner.span_s(self.profile.timing.effect_late_s, "late", upgrade.proxy_id, upgrade.number)
            self._later(t + late_s, lambda at: self._served(call, request, upgrade, at))
        elif fault == "foreign_instead":
            self._foreign.instead_of(call, t)
        return distort(self._hit(fault, call, true_reply, upgrade, request_id))

    def _hit(
        self, fault: Fault, call: Call, true_reply: Reply | None, upgrade: UpgradeCall | None, request_id: str
    ) -> Hit:
        subject = (call.kind, call.proxy_id or call.instance_id or call.scope)
        self._hits["/".join(subject)] += 1
        number = self._hits["/".join(subject)]
        seed = below(2**32, self.config.seed, fault, *subject, number)
        timing = self.profile.timing
        return Hit(
            true_reply=true_reply,
            request_id=request_id,
            seed=seed,
            retry_after_s=max(1, ceil(self._planner.span_s(timing.retry_after_s, "retry_after", seed))),
            slow_body_s=timing.slow_body_s / self.config.speed,
            workflow_id="" if upgrade is None else self._service.upgrades.workflow_id(upgrade),
            iam=call.group == "iam",
        )

    def _served(
        self, call: Call, request: Request, upgrade: UpgradeCall | None, t: float, fault: Fault | None = None
    ) -> Reply:
        try:
            if call.group == "iam":
                return self._identified(call, request, t)
            return self._service.answer(call, request, upgrade, t, fault)
        except Refusal as refusal:
            if upgrade is not None:
                upgrade.error_code = refusal.code
            return refusal.reply()

    def _identified(self, call: Call, request: Request, t: float) -> Reply:
        match call.kind:
            case "tokens":
                return self._iam.log_in(request, t)
            case "projects":
                return self._iam.projects(request)
            case "metadata_token":
                return self._iam.metadata_token(request)
            case _:
                return self._iam.security_key(request, t)

    def _finished(self, reply: Reply, call: Call | None, request_id: str, t: float) -> Reply:
        """Add what every answer bears: its id, the cloud's Date, and the time that it took."""
        trace = "X-IAM-Trace-Id" if call is not None and call.group == "iam" else "X-Request-Id"
        headers = {trace: request_id, "Date": self._date(t), **reply.headers}
        delivery = reply.delivery
        median_s = self.profile.latency.median_s
        if median_s > 0:
            delay_s = around(median_s, self.profile.latency.sigma, self.config.seed, "latency", request_id)
            delivery = msgspec.structs.replace(delivery, delay_s=delay_s / self.config.speed)
        return msgspec.structs.replace(reply, headers=headers, delivery=delivery)

    def _date(self, t: float) -> str:
        second = int(t + self.profile.clock_skew_s)
        if self._shown_date[0] != second:
            self._shown_date = (second, http_date(second))
        return self._shown_date[1]
