"""The cloud's side of a trial: the real client above, the simulated cloud below, and a wire on virtual time between.

Only the socket is replaced: signing, decoding and classifying are the client's own. The wire keeps its own log of what
was sent and what was answered, for the oracle.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from operator import itemgetter
from random import Random

from soak.life import Life
from soak.loop import instant
from soak.poison import Poisoner

from orchestrator.cloud.caller import Caller
from orchestrator.cloud.client import Client
from orchestrator.cloud.credentials import World, source_for
from orchestrator.cloud.credentials.renewal import Renewal
from orchestrator.cloud.reading.answer import Answer
from orchestrator.cloud.secrets.registry import Secrets
from orchestrator.cloud.stamp import plain_headers
from orchestrator.cloud.wire.transport import Headers, Route
from orchestrator.model.plan.plan import Http, Plan, Scope
from orchestrator.model.reply.reply import Doubtful, Exchange, NotSent
from orchestrator.simulator.cloud import SimulatedCloud
from orchestrator.simulator.wire import Reply, Request

#: Time between two computers.
_FLIGHT_S = (0.001, 0.4)

#: How often a request arrives although its sender has died on the way, and how much later.
_ADRIFT, _ADRIFT_S = 0.5, (0.0, 4.0)


@dataclass(slots=True)
class Post:
    """One upgrade call on the wire.

    Attributes:
        number: which of the proxy's calls it is in the cloud's books; None when it never got past the gateway.
        answer: what came back whole to a living process.
        spoiled: its body was poisoned on the way.
        ended_s: when the process knew how it went; None when it died before.
    """

    session: int
    proxy_id: str
    sent_s: float
    number: int | None = None
    ended_s: float | None = None
    answer: Answer | None = None
    spoiled: bool = False


@dataclass(frozen=True)
class Outage:
    """A host that refuses connections for a while."""

    host: str
    from_s: float
    to_s: float


@dataclass
class Wire:
    """What lies between client and cloud, over all sessions of a trial.

    Attributes:
        posts: every upgrade call that was sent.
        sent: by host, when each request left.
        poisoner: what becomes of answers on their way.
        adrift: what a dead process had sent, and when it arrives all the same.
        many_hosts: several hosts work at once.
    """

    cloud: SimulatedCloud
    chance: Random
    poisoner: Poisoner
    outages: tuple[Outage, ...] = ()
    posts: list[Post] = field(default_factory=list)
    sent: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    adrift: list[tuple[float, Request, Post]] = field(default_factory=list)
    refused: int = 0
    many_hosts: bool = False

    def arrive(self, request: Request, now_s: float, post: Post | None = None) -> Reply:
        """A request reaches the cloud, after all that was to reach it before."""
        self.catch_up(now_s)
        return self._handle(request, now_s, post)

    def catch_up(self, now_s: float) -> None:
        """Let arrive what is adrift."""
        due = sorted((each for each in self.adrift if each[0] <= now_s), key=itemgetter(0))
        self.adrift = [each for each in self.adrift if each[0] > now_s]
        for due_s, request, post in due:
            self._handle(request, due_s, post)

    def _handle(self, request: Request, now_s: float, post: Post | None) -> Reply:
        if post is None:
            return self.cloud.handle(request, instant(now_s))
        before = len(self.cloud.books.calls_of(post.proxy_id))
        reply = self.cloud.handle(request, instant(now_s))
        after = len(self.cloud.books.calls_of(post.proxy_id))
        post.number = after if after > before else None
        return reply

    def poisoned(self, answer: Answer, request: Request, post: Post | None) -> Answer:
        """An answer as it arrives, when something was done to it on the way."""
        if post is None:
            return self.poisoner.answer(answer, about=self._about(request), began=False, carried=self._carried(request))
        began = post.number is not None and self.cloud.books.calls_of(post.proxy_id)[post.number - 1].job is not None
        crossed = self.poisoner.upgrade_answer(answer, request.path.split("/")[4])
        poisoned = self.poisoner.answer(crossed, about=post.proxy_id, began=began, carried=self._carried(request))
        post.spoiled = poisoned.body != crossed.body
        return poisoned

    def _carried(self, request: Request) -> str | None:
        """Of several hosts each knows the secrets of the scopes that it serves: a cloud quotes what it was told."""
        return f"{request.headers} {request.body!r}" if self.many_hosts else None

    def _about(self, request: Request) -> str | None:
        """The proxy that a request to read something names, by its own id or by its job's."""
        parts = request.path.split("/")
        if "proxy" in parts:
            return parts[parts.index("proxy") + 1]
        job = self.cloud.world.jobs.get(request.query.partition("id=")[2])
        return None if job is None or job.proxy is None else job.proxy.proxy_id

    def down(self, host: str, now_s: float) -> bool:
        return any(outage.host == host and outage.from_s <= now_s < outage.to_s for outage in self.outages)


class VirtualTransport:
    """One process's end of the wire, in the shape of `orchestrator.cloud.wire.transport.Transport`."""

    def __init__(self, wire: Wire, life: Life, http: Http, session: int) -> None:
        self._wire = wire
        self._life = life
        self._http = http
        self._session = session
        self._lower: dict[int, tuple[Headers, dict[str, str]]] = {}

    def route(self, base: str) -> Route:
        return Route(base, None, self._http)

    async def send(
        self, route: Route, method: str, target: str, headers: Headers, body: bytes | None = None
    ) -> Answer | NotSent | Doubtful:
        """One request, one answer, or what became of it."""
        self._life.check()
        await self._life.steady()
        began_s = self._life.monotonic()
        self._wire.sent[self._life.sender(route.host)].append(began_s)
        if self._wire.down(route.host, began_s):
            self._wire.refused += 1
            await self._life.sleep(0.01)
            return NotSent(f"connection refused by {route.host}")
        request = self._request(method, target, headers, body)
        if method == "POST" and target.endswith("/upgrade-version"):
            return await self._post(request, began_s)
        return await self._delivered(request, self._arrive(request), began_s)

    async def _post(self, request: Request, began_s: float) -> Answer | NotSent | Doubtful:
        post = Post(self._session, request.path.split("/")[6], began_s)
        self._wire.posts.append(post)
        try:
            self._life.come_by("post")
            await self._life.flight(self._wire.chance.uniform(*_FLIGHT_S))
        except BaseException:
            # Whoever sent it is gone; what had left may arrive all the same.
            if self._wire.chance.random() < _ADRIFT:
                arrives_s = self._life.monotonic() + self._wire.chance.uniform(*_ADRIFT_S)
                self._wire.adrift.append((arrives_s, request, post))
            raise
        answer = await self._delivered(request, self._arrive(request, post), began_s, post)
        post.ended_s = self._life.monotonic()
        post.answer = answer if isinstance(answer, Answer) else None
        return answer

    def _arrive(self, request: Request, post: Post | None = None) -> Reply:
        return self._wire.arrive(request, self._life.monotonic(), post)

    async def _delivered(
        self, request: Request, reply: Reply, began_s: float, post: Post | None = None
    ) -> Answer | Doubtful:
        delivery, left_s = reply.delivery, began_s + self._http.timeout_s - self._life.monotonic()
        takes_s = delivery.delay_s + delivery.trickle_s
        if delivery.never or takes_s >= left_s:
            await self._life.sleep(left_s)
            status = reply.status if delivery.trickle_s and delivery.delay_s < left_s else None
            return Doubtful(f"no whole answer within {self._http.timeout_s:g} s", self._facts(began_s, status))
        await self._life.sleep(max(takes_s, self._wire.chance.random() * _FLIGHT_S[1]))
        if delivery.cut_after is not None:
            status = reply.status if delivery.cut_after else None
            return Doubtful("the connection was closed before the answer was whole", self._facts(began_s, status))
        duration_ms = self._facts(began_s).duration_ms
        answer = Answer(reply.status, reply.headers, reply.body, self._life.now(), duration_ms)
        return self._wire.poisoned(answer, request, post)

    def _facts(self, began_s: float, status: int | None = None) -> Exchange:
        return Exchange(http_status=status, duration_ms=round(1000 * (self._life.monotonic() - began_s)))

    def _request(self, method: str, target: str, headers: Headers, body: bytes | None) -> Request:
        path, _, query = target.partition("?")
        return Request(method, path, query, self._lowered(headers), body or b"")

    def _lowered(self, headers: Headers) -> dict[str, str]:
        """As they arrive. A token's headers are the same object at every call."""
        known = self._lower.get(id(headers))
        if known is None or known[0] is not headers:
            known = self._lower[id(headers)] = (headers, {name.lower(): value for name, value in headers.items()})
        return known[1]


def service_host(scope: Scope) -> str:
    """Where the calls of a scope go."""
    return f"gaussdb.{scope.region}.myhuaweicloud.com"


def open_clients(
    plan: Plan, wire: Wire, life: Life, environ: dict[str, str], session: int, secrets: Secrets | None = None
) -> dict[str, Client]:
    """A real client for each scope, on the virtual wire; `secrets` learns what they get."""
    transport = VirtualTransport(wire, life, plan.http, session)
    plain = plain_headers(plan.language)
    secrets = Secrets() if secrets is None else secrets
    world = World(transport=transport, environ=environ, clock=life, headers=plain, secrets=secrets)  # type: ignore[arg-type]
    return {scope.name: _client(scope, world, transport, life) for scope in plan.scopes}


def _client(scope: Scope, world: World, transport: VirtualTransport, life: Life) -> Client:
    iam = f"https://iam.{scope.region}.myhuaweicloud.com"
    return Client(
        Caller(
            project_id=scope.project_id,
            region=scope.region,
            transport=transport,  # type: ignore[arg-type]  # it has all that is used of the real one
            routes=(transport.route(f"https://{service_host(scope)}"), transport.route(iam)),
            renewal=Renewal(source_for(scope, iam, world), life, world.secrets),
            plain=world.headers,
            clock=life,
            secrets=world.secrets,
        )
    )
