"""Keep the credentials of one scope: fetch them, replace them before they end, and once after a refusal."""

from anyio import Lock
from msgspec.structs import replace

from orchestrator.cloud.credentials.credential import Credential, Source, secrets_of
from orchestrator.cloud.secrets.registry import Secrets
from orchestrator.cloud.time_source import TimeSource
from orchestrator.model.reply.reply import Failure, Unauthenticated

#: Renewals that nobody refused come no closer together than this: after one that failed or brought nothing newer the
#: old credential still works, and one whose end is stated wrong must not make us log in before every call.
_AT_MOST_EVERY_S = 60.0


class Renewal:
    """One renewal at a time: a call that comes while one is under way shares its outcome.

    Attributes:
        generation: counts the credentials that were got, 0 before the first.
        credential: what to sign with; None before the first and after one was refused and no new one came.
    """

    def __init__(self, source: Source, clock: TimeSource, secrets: Secrets | None = None) -> None:
        self.generation = 0
        self.credential: Credential | None = None
        self._source = source
        self._clock = clock
        self._secrets = Secrets() if secrets is None else secrets
        self._lock = Lock()
        self._fetches = 0
        self._failure: Failure | None = None
        self._renew_at_s = float("inf")
        self._ends_at_s = float("inf")

    async def prepare(self) -> Failure | None:
        """Fetch when there is nothing to sign with, or soon will not be; else nothing."""
        now_s = self._clock.monotonic()
        if self.credential is not None and now_s < self._ends_at_s:
            if now_s < self._renew_at_s or self._lock.locked():
                return None
            await self._fetch()
            return None
        return await self._fetch()

    async def renew(self) -> Failure | None:
        """Fetch after a refusal: the old credential is of no use any more, whatever comes of it."""
        return await self._fetch(drop=True)

    async def _fetch(self, *, drop: bool = False) -> Failure | None:
        seen = self._fetches
        async with self._lock:
            if self._fetches != seen:
                return self._failure
            if drop:
                self.credential = None
            found = await self._source.fetch()
            self._fetches += 1
            self._failure = self._take(found)
            return self._failure

    def _take(self, found: Credential | Failure) -> Failure | None:
        now_s = self._clock.monotonic()
        if not isinstance(found, Credential):
            self._renew_at_s = now_s + _AT_MOST_EVERY_S
            failure = self._secrets.mask(found)
            return replace(failure, generation=self.generation) if isinstance(failure, Unauthenticated) else failure
        self._secrets.learn(self, *secrets_of(found))
        if found != self.credential:
            self.generation += 1
        self.credential = found
        self._renew_at_s = self._ends_at_s = float("inf")
        if found.lifetime_s is not None:
            self._ends_at_s = now_s + max(_AT_MOST_EVERY_S, found.lifetime_s)
            self._renew_at_s = max(now_s + _AT_MOST_EVERY_S, self._ends_at_s - self._source.renew_before_s)
        return None
