"""The scopes that the host which decides may not serve: who serves them, and what follows when nobody does."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime

from orchestrator.executor.ports import Clock
from orchestrator.executor.session import Session
from orchestrator.model.plan.plan import Scope
from orchestrator.model.record.record import ScopeGivenUp, ScopePaused, TurnReturned
from orchestrator.model.run.run import Run
from orchestrator.model.run.status import ScopeStatus

#: Who serves each scope now, by its name.
Servers = Callable[[], Awaitable[Mapping[str, str]]]

#: How often it is looked who serves; how long nobody may before a scope pauses, and before it is given up: others have
#: seen by then who has fallen silent.
LOOK_S, PAUSES_AFTER_S, PATIENCE_S = 1.0, 3.0, 15.0


class ScopesOfOthers:
    """Those scopes, as the loop needs them.

    Args:
        scopes: none of which this host may serve.
        run: the fold of the log.
        clock: of the session.
        servers: asks who serves them.
        rates: calls per second with which a host begins that serves one of them, by the scope's name.
    """

    def __init__(
        self, scopes: Sequence[Scope], run: Run, clock: Clock, servers: Servers, rates: Mapping[str, float]
    ) -> None:
        self._scopes = scopes
        self._run = run
        self._clock = clock
        self._servers = servers
        self._rates = rates
        self._alive: frozenset[str] = frozenset()
        self._seen_s: dict[str, float] = {}
        self._joined: dict[str, datetime | None] = {}

    def available(self, scope: str) -> bool:
        """Whether a call there may be begun now, as far as is known here."""
        standing = self._run.scopes[scope].standing(self._clock.now())
        return scope in self._alive and standing.state in ("open", "silent")

    def rate(self, scope: str) -> float:
        """Calls per second, as the host that serves it in this session has told last."""
        status = self._run.scopes[scope]
        told = None if status.server is None else status.rate_limit
        return told or self._rates[scope]

    async def watch(self, session: Session) -> None:
        """Write down who is gone, and what nobody serves, as long as the session lives."""
        now_s = self._clock.monotonic()
        self._seen_s = {scope.name: now_s for scope in self._scopes}
        while self._scopes:
            servers = await self._servers()
            self._alive = frozenset(servers)
            for scope in self._scopes:
                self._look(session, scope)
            session.ledger.wake()
            await self._clock.sleep(LOOK_S)

    def _look(self, session: Session, scope: Scope) -> None:
        status, now_s = self._run.scopes[scope.name], self._clock.monotonic()
        if self._has_joined(status) or scope.name in self._alive:
            self._seen_s[scope.name] = now_s
            return
        unseen_s = now_s - self._seen_s[scope.name]
        if status.given_up is None and unseen_s > PATIENCE_S:
            _give_up(session, scope)
        elif status.given_up is None and unseen_s > PAUSES_AFTER_S and status.server is not None and not status.paused:
            why = f"host {status.server}, which served it, is gone; another one may go on"
            session.ledger.note(ScopePaused(at=session.clock.now(), step="scope", scope=scope.name, why=why))

    def _has_joined(self, status: ScopeStatus) -> bool:
        """Whether a host has begun to serve it since the last look: a sign of life, whatever else is seen of it."""
        before, self._joined[status.name] = self._joined.get(status.name), status.served_at
        return status.served_at not in (None, before)


def _give_up(session: Session, scope: Scope) -> None:
    """Nobody has served it for too long: nothing of it keeps the session, and who comes later goes on."""
    why, now = f"no host may serve it but {', '.join(scope.hosts)}", session.clock.now()
    session.ledger.note(ScopeGivenUp(at=now, step="scope", scope=scope.name, why=why, hosts=scope.hosts))
    for key in _of(session.run, scope, session.rollout.queue.starting):
        session.ledger.note(TurnReturned(at=now, target=key, until=now))
    session.rollout.resting.update(_of(session.run, scope, (state.key for state in session.run.open_states())))


def _of(run: Run, scope: Scope, keys: Iterable[str]) -> list[str]:
    return [key for key in keys if run.targets[key].scope == scope.name]
