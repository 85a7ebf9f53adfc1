"""Probing one scope: while it is paused, one probe at a time, until it is back or given up for this session."""

from orchestrator.executor.rate.lane import Lane
from orchestrator.executor.scope.call import running_jobs
from orchestrator.executor.scope.gate import GateState
from orchestrator.executor.scope.scope_calls import LONGEST_PAUSE_S, ScopeCalls
from orchestrator.model.record.record import ScopeGivenUp, ScopeOpened
from orchestrator.model.reply.reply import (
    Answered,
    Exchange,
    Failure,
    JobPage,
    Reply,
    Throttled,
    Unauthenticated,
    in_words,
)

#: How long a scope that worked in this session may stay away.
PATIENCE_S = 15 * 60.0

#: So many answers are read, at most, to learn the cloud's time before a scope opens.
_DATES = 3


async def keep(scope: ScopeCalls) -> None:
    """Bring the scope back whenever it is paused; return when it is given up."""
    while scope.gate.state is not GateState.GIVEN_UP:
        await scope.gate.until_paused()
        await _Return(scope).attempt()


def give_up(scope: ScopeCalls, why: str, *, hosts: tuple[str, ...] = ()) -> None:
    """Use a scope no more in this session; `hosts`: those that may, when it is because this one may not."""
    scope.gate.give_up(why)
    scope.note(ScopeGivenUp(at=scope.clock.now(), step="scope", scope=scope.name, why=why, hosts=hosts))


class _Return:
    """One attempt to bring a paused scope back, over as many probes as it takes."""

    def __init__(self, scope: ScopeCalls) -> None:
        self.scope = scope
        self.began_s = scope.clock.monotonic()
        self.failures = 0
        self.dates = 0
        self.renewed = False
        self.why = scope.gate.why

    async def attempt(self) -> None:
        """Probe until the scope is back, or hopeless."""
        refused = self.scope.gate.credentials_refused
        if self._turned_away_for_good(credentials=refused):
            give_up(self.scope, self.why)
            return
        if self.scope.gate.reached and not refused:
            await self.scope.clock.sleep(self.scope.backoff_s(1 + self.scope.turned_away.total()))
        while True:
            self.renewed |= refused
            reply = await self._probe(renew=refused)
            if isinstance(reply, Answered):
                if self._asks_the_time_again():
                    refused = False
                    continue
                self._open()
                return
            if self._hopeless(reply):
                give_up(self.scope, self.why)
                return
            refused = isinstance(reply, Unauthenticated)
            await self.scope.clock.sleep(self._wait_s(reply))

    def _asks_the_time_again(self) -> bool:
        """Whether another probe has to tell what this host's clock and a single `Date` disagree about."""
        self.dates += 1
        return self.scope.cloud_time.doubtful and self.dates < _DATES

    def _turned_away_for_good(self, *, credentials: bool) -> bool:
        """Whether probes come back, but no upgrade call gets through. Where one did, a single target proves nothing."""
        turned_away = self.scope.turned_away
        if self.scope.upgrades_let_in and len(turned_away) == 1:
            return False
        return turned_away.total() >= (2 if credentials else self.scope.retry.attempts)

    async def _probe(self, *, renew: bool) -> Reply[JobPage]:
        return await self.scope.credentials.probe(lambda: self._call(renew=renew))

    async def _call(self, *, renew: bool) -> Reply[JobPage]:
        failure = await self._credentials(renew=renew)
        if failure is not None:
            return failure
        if self.scope.lanes.held_s > 0:  # not waited for here, where scopes with the same credentials stand in line
            return Throttled(self.scope.lanes.held_s, Exchange())
        await self.scope.lanes.turn(Lane.POLL)
        return await self.scope.send(running_jobs)

    async def _credentials(self, *, renew: bool) -> Failure | None:
        return await self.scope.renew() if renew else await self.scope.prepare()

    def _wait_s(self, reply: Failure) -> float:
        if isinstance(reply, Unauthenticated):
            return 0.0
        if isinstance(reply, Throttled) and reply.retry_after_s is not None:
            return max(self.scope.lanes.held_s, min(reply.retry_after_s, LONGEST_PAUSE_S))
        return self.scope.backoff_s(max(1, self.failures))

    def _hopeless(self, reply: Failure) -> bool:
        self.why = in_words(reply)
        if isinstance(reply, Throttled):  # always waited for
            return False
        if isinstance(reply, Unauthenticated):
            return self.renewed
        self.failures += 1
        if self.scope.gate.reached:
            return self.scope.clock.monotonic() - self.began_s > PATIENCE_S
        return self.failures >= self.scope.retry.attempts

    def _open(self) -> None:
        self.scope.gate.open()
        self.scope.note(
            ScopeOpened(
                at=self.scope.clock.now(), step="scope", scope=self.scope.name, project_id=self.scope.api.project_id
            )
        )
