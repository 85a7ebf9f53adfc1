"""One scope's calls: stamp, send, decode, classify. Knows credentials and addresses, and no single API call.

No method raises for anything that the network or the cloud does; none waits for a rate or tries again.
"""

from datetime import datetime, timedelta
from typing import TypeVar

from anyio import Lock
from msgspec.structs import replace

from orchestrator.cloud.credentials.credential import unusable
from orchestrator.cloud.credentials.renewal import Renewal
from orchestrator.cloud.reading import decode
from orchestrator.cloud.reading.answer import Answer, exchange_of
from orchestrator.cloud.reading.classify import classify
from orchestrator.cloud.reading.decode import Decode, NotUnderstood
from orchestrator.cloud.reading.error_body import excerpt
from orchestrator.cloud.reading.lenient import text
from orchestrator.cloud.secrets.registry import Secrets
from orchestrator.cloud.stamp import Query, Stamp, stamp_for
from orchestrator.cloud.time_source import TimeSource
from orchestrator.cloud.wire.signer import canonical_query
from orchestrator.cloud.wire.transport import Headers, Route, Transport
from orchestrator.model.reply.reply import (
    Answered,
    Doubtful,
    Exchange,
    Failure,
    NotSent,
    Refused,
    Reply,
)
from orchestrator.pattern import pattern

T = TypeVar("T")

#: What may stand in a path: ids are 32 to 36 letters and digits; dashes and dots are those of our own words.
_SEGMENT = pattern(r"(?!\.+\Z)[A-Za-z0-9_.\-]{1,64}\Z")


def fits_path(segment: str) -> bool:
    """Whether a text may stand in a path as it is."""
    return _SEGMENT.match(segment) is not None


class Caller:
    """Shared by all calls of one scope. `project_id` is looked up by `prepare` when the plan does not name it."""

    def __init__(
        self,
        *,
        project_id: str | None,
        region: str | None,
        transport: Transport,
        routes: tuple[Route, Route],
        renewal: Renewal,
        plain: Headers,
        clock: TimeSource,
        secrets: Secrets | None = None,
    ) -> None:
        self.project_id = project_id
        self._region = region
        self._transport = transport
        self._service, self._iam = routes
        self._renewal = renewal
        self._plain = plain
        self._clock = clock
        self._secrets = Secrets() if secrets is None else secrets
        self._stamp: Stamp | None = None
        self._stamped = 0
        self._lookup = Lock()
        self._cloud_offset_s: float | None = None

    @property
    def generation(self) -> int:
        """Number of the credentials in use."""
        return self._renewal.generation

    async def prepare(self) -> Failure | None:
        """Credentials that work for the next request, and the project id if it is not known yet."""
        failure = await self._renewal.prepare()
        if failure is not None or self.project_id is not None:
            return failure
        async with self._lookup:
            return await self._find_project() if self.project_id is None else None

    async def renew(self) -> Failure | None:
        """New credentials after a refusal."""
        return await self._renewal.renew()

    async def call(
        self,
        method: str,
        decoded: Decode[T],
        version: str,
        *segments: str,
        query: Query = (),
        body: bytes | None = None,
    ) -> Reply[T]:
        """One request to the scope's service, `/{version}/{project_id}/{segments}`.

        Args:
            method: in capitals.
            decoded: reads the body of a 2xx answer; raises `NotUnderstood`.
            version: of the API, `v3` or `v3.1`.
            segments: of the path; ids among them are checked here.
            query: names and values, not encoded.
            body: the bytes of a POST.
        """
        unfit = next((segment for segment in segments if not fits_path(segment)), None)
        if unfit is not None:
            return Refused(f"not an id of this API, nothing was sent: {unfit[:80]!r}", Exchange())
        stamp = self._present_stamp()
        if stamp is None:
            return NotSent("no credentials, or no project id, yet")
        path = f"/{version}/{self.project_id}/{'/'.join(segments)}"
        return await self._exchange(self._service, stamp, method, path, query, body, decoded)

    def _present_stamp(self) -> Stamp | None:
        """Made again when the credentials are; None while there are none."""
        credential = self._renewal.credential
        if credential is None or self.project_id is None:
            return None
        if self._stamp is None or self._stamped != self._renewal.generation:
            self._stamp = stamp_for(credential, self._plain, self._service.host, self.project_id)
            self._stamped = self._renewal.generation
        return self._stamp

    async def _exchange(
        self, route: Route, stamp: Stamp, method: str, path: str, query: Query, body: bytes | None, decoded: Decode[T]
    ) -> Reply[T]:
        generation = self._renewal.generation  # as of now: when the answer comes, it may have been replaced
        headers = stamp.headers(method, path, query, body or b"", self._cloud_now())
        target = f"{path}?{canonical_query(query)}" if query else path
        answer = await self._transport.send(route, method, target, headers, body)
        reply = self._judged(answer, decoded, generation) if isinstance(answer, Answer) else answer
        offset_s = reply.exchange.cloud_offset_s
        self._cloud_offset_s = self._cloud_offset_s if offset_s is None else offset_s
        return self._secrets.mask(reply)

    def _judged(self, answer: Answer, decoded: Decode[T], generation: int) -> Reply[T]:
        if not answer.ok:
            return classify(self._secrets.searched(answer), generation=generation)
        try:
            return Answered(decoded(answer.body), exchange_of(self._secrets.searched_facts(answer)))
        except NotUnderstood:
            plain = self._secrets.searched(answer)
            return _doubt(classify(plain, generation=generation), plain, decoded)

    def _cloud_now(self) -> datetime:
        """The cloud's time, which signatures are dated with: by its latest `Date`, at first by the wall clock."""
        if self._cloud_offset_s is None:
            return self._clock.wall()
        return self._clock.now() + timedelta(seconds=self._cloud_offset_s)

    async def _find_project(self) -> Failure | None:
        """KeystoneListProjects by name: a region's own project bears the region's name."""
        if self._region is None or self._renewal.credential is None:
            return unusable("without a region the plan must name project_id")
        stamp = stamp_for(self._renewal.credential, self._plain, self._iam.host, None)
        query = [("name", self._region)]
        reply = await self._exchange(self._iam, stamp, "GET", "/v3/projects", query, None, decode.projects)
        if not isinstance(reply, Answered):
            return reply
        found = [project for row in reply.value.rows if (project := text(row.get("id")))]
        if len(found) != 1 or not fits_path(found[0]):
            listed = f"{len(found)} projects, such as {excerpt(', '.join(found[:4]))}" if found else "no project"
            failure = unusable(f"IAM knows {listed} named {self._region}; write project_id in the plan")
            return replace(failure, generation=self.generation)
        self.project_id = found[0]
        return None


def _doubt(failure: Failure, answer: Answer, decoded: Decode[T]) -> Failure:
    """A 2xx answer that was not understood: the decoder says more than `classify` unless the body named an error."""
    if not isinstance(failure, Doubtful) or failure.exchange.error_code or failure.exchange.error_msg:
        return failure
    try:
        decoded(answer.body)
    except NotUnderstood as problem:
        return Doubtful(f"HTTP {answer.status}: {problem}", failure.exchange)
    return failure
