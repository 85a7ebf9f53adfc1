"""What one HTTP call came to, as a closed set: who sent it needs to know nothing of HTTP to decide what follows.

The question behind every type is whether the cloud executed the request: not sent, not executed, executed, or in
doubt. A GET that is in doubt is simply read again.
"""

from datetime import datetime
from typing import Any, Generic, TypeAlias, TypeVar

from msgspec import Struct

from orchestrator.model.reply.cloud_event import CloudEvent
from orchestrator.model.reply.risk import Risk
from orchestrator.pattern import pattern

T = TypeVar("T")

#: Stands in a text for a damaged character, one that no decoder takes: it may have been any.
DAMAGED = "\N{REPLACEMENT CHARACTER}"

_PROXY_ID = pattern(r"[0-9a-z]{32}po01")


def key_of(each: str) -> str:
    """An id as it is compared: the case of letters tells none from another. It is shown and asked for as it came.

    One in small letters is its own key, the same object: a run keeps each id in several places, 85 bytes for a copy.
    """
    small = each.lower()
    return each if small == each else small


def same_id(one: str | None, other: str | None) -> bool:
    """Whether two ids are one."""
    return one == other or (one is not None and other is not None and key_of(one) == key_of(other))


class Exchange(Struct, frozen=True, kw_only=True):
    """The facts of one call, kept for journal and report.

    Attributes:
        http_status: None when no answer came.
        request_id: `X-Request-Id`, or the gateway's `request_id` in the body.
        duration_ms: from sending to the end of the answer.
        cloud_offset_s: the cloud's `Date` minus our clock, in seconds; None when it sent none.
    """

    http_status: int | None = None
    request_id: str | None = None
    error_code: str | None = None
    error_msg: str | None = None
    duration_ms: int = 0
    cloud_offset_s: float | None = None


class Answered(Struct, Generic[T], frozen=True):
    """Executed: a 2xx answer whose body was understood."""

    value: T
    exchange: Exchange


class NotSent(Struct, frozen=True):
    """Refused connection, DNS or TLS failure, or no usable token: the request never left."""

    reason: str
    exchange: Exchange = Exchange()


class Quota(Struct, frozen=True):
    """A limit in the cloud's own words: so many calls per period."""

    calls: int
    period_s: float


class Throttled(Struct, frozen=True):
    """Not executed: too many calls.

    Attributes:
        retry_after_s: what the cloud asked for, in header or text; else None.
        quota: the limit, if the wait is the period of a text that names it too.
    """

    retry_after_s: float | None
    exchange: Exchange
    quota: Quota | None = None


class Unauthenticated(Struct, frozen=True):
    """Not executed: the token or the signature was refused.

    `generation` numbers the credentials that were used, so that a refusal of old ones is not taken for one of new ones.
    """

    reason: str
    exchange: Exchange
    generation: int = 0


class Refused(Struct, frozen=True):
    """Not executed, and asking again would not help.

    Attributes:
        reason: the cloud's words.
        already_latest: the code says that there is nothing to upgrade; read the version before believing it.
        not_found: the code says that the instance, proxy or job does not exist.
    """

    reason: str
    exchange: Exchange
    already_latest: bool = False
    not_found: bool = False


class Busy(Struct, frozen=True):
    """Not executed: the instance is in a state that must pass first."""

    reason: str
    exchange: Exchange


class Doubtful(Struct, frozen=True):
    """The request left, and no answer that can be trusted came back."""

    reason: str
    exchange: Exchange


Failure: TypeAlias = NotSent | Throttled | Unauthenticated | Refused | Busy | Doubtful
Reply: TypeAlias = Answered[T] | Failure


def plain_words(failure: Failure) -> str:
    """What went wrong, and nothing else."""
    return failure.exchange.error_msg or "throttled" if isinstance(failure, Throttled) else failure.reason


def in_words(failure: Failure) -> str:
    """What went wrong, for people: the status once, the reason, and the request id, for which the support asks."""
    exchange, reason = failure.exchange, plain_words(failure)
    if isinstance(failure, NotSent | Throttled):
        return reason
    status = "" if exchange.http_status is None or reason.startswith("HTTP ") else f"HTTP {exchange.http_status}: "
    request = f" (request id {exchange.request_id})" if exchange.request_id else ""
    return f"{status}{reason}{request}"


class EventPage(Struct, frozen=True):
    """One page of what the cloud is about to do: what is ahead or under way of its `rows`, of `total` in all."""

    events: tuple[CloudEvent, ...]
    rows: int
    total: int


class Entry(Struct, frozen=True, kw_only=True):
    """One entry of `update_result`, word for word. `job_id` stands in for a missing `workflow_id`."""

    instance_id: str | None = None
    workflow_id: str | None = None
    state: str | None = None
    error_message: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether it says ACCEPT, whatever its case."""
        return self._says("ACCEPT")

    @property
    def rejected(self) -> bool:
        """Whether it says REJECT, whatever its case."""
        return self._says("REJECT")

    def _says(self, word: str) -> bool:
        return (self.state or "").strip().upper() == word


class ProxyVersion(Struct, frozen=True, kw_only=True):
    """What the cloud says of a proxy's kernel and foretells of its upgrade; None where the answer had no such field."""

    current_version: str
    latest_version: str | None = None
    can_upgrade: bool | None = None
    risk: Risk | None = None


class ProxyHealth(Struct, frozen=True, kw_only=True):
    """Status of one proxy and of each of its nodes, in the cloud's words; `status` None when it is not listed."""

    status: str | None
    nodes: tuple[str, ...] = ()

    @property
    def active(self) -> bool:
        """Whether the proxy and all its nodes are ACTIVE."""
        return self.status == "ACTIVE" and all(node == "ACTIVE" for node in self.nodes)


class Job(Struct, frozen=True, kw_only=True):
    """One job of the cloud, from `jobs` or a row of `immediate-jobs`.

    Attributes:
        status: in the cloud's words: Pending, Running, Completed, Failed, Canceled, Unauthorized, or another.
        created_at: in the cloud's time; None when unreadable.
        extend_fields: whatever the row holds beside, as compact JSON text; a proxy id may stand in it.
    """

    job_id: str
    name: str | None = None
    status: str = ""
    instance_id: str | None = None
    created_at: datetime | None = None
    ended_at: datetime | None = None
    fail_reason: str | None = None
    process: str | None = None
    extend_fields: str | None = None

    @property
    def key(self) -> str:
        """Its id, as it is compared."""
        return key_of(self.job_id)

    @property
    def proxies(self) -> set[str]:
        """The ids of the proxies that its fields name, in small letters."""
        return set(_PROXY_ID.findall((self.extend_fields or "").lower()))

    def names(self, proxy_id: str) -> bool:
        """Whether its fields name a proxy."""
        return proxy_id.lower() in self.proxies


#: Rows of one page of `immediate-jobs`; 10, 20 and 50 are allowed.
JOBS_PER_PAGE = 50


class JobPage(Struct, frozen=True, kw_only=True):
    """One page of `immediate-jobs`; `total_count` None when the answer had none."""

    jobs: tuple[Job, ...]
    total_count: int | None


class Page(Struct, frozen=True, kw_only=True):
    """One page of a list of instances, rows as the cloud sent them."""

    rows: tuple[dict[str, Any], ...]
    total_count: int | None
