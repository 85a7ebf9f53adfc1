"""What the cloud's answers say of endpoint, clock, credentials and permissions. Pure."""

from typing import TypeVar

from msgspec import Struct

from orchestrator.app.doctor.diagnosis import Diagnosis
from orchestrator.model.reply.reply import (
    Answered,
    Busy,
    Exchange,
    NotSent,
    Refused,
    Reply,
    Throttled,
    Unauthenticated,
    in_words,
)
from orchestrator.spoken import spoken

T = TypeVar("T")

#: Windows open and close by this machine's clock, which may be so far off before anybody minds. Signatures are refused
#: only beyond 15 minutes.
_MOST_OFF_S = 60.0
#: A `Date` has whole seconds.
_WHOLE_S = 1.0
_FORBIDDEN = 403

_UNREACHED = "check region, endpoint and iam_endpoint, name resolution, HTTPS_PROXY and the firewall"


class Permission(Struct, frozen=True):
    """A call that a plan needs; its actions are those of docs/credentials.md.

    Attributes:
        what: is read, for people.
        identity: the action of identity policies.
        policy: the action of role and policy-based authorization.
    """

    what: str
    identity: str
    policy: str

    @property
    def actions(self) -> str:
        """The action to allow, in either kind of authorization."""
        return f"{self.identity} (identity policy) or {self.policy} (policy)"


TASKS = Permission("read jobs", "gaussdbformysql:task:list", "gaussdb:instance:list")
INSTANCES = Permission("list instances", "gaussdbformysql:instance:list", "gaussdb:instance:list")
PROXIES = Permission("list proxies", "gaussdbformysql:proxy:list", "gaussdb:proxy:list")
VERSIONS = Permission("read versions", "gaussdbformysql:proxy:list", "gaussdb:proxy:list")
UPGRADE = Permission("send upgrades", "gaussdbformysql:proxy:upgrade", "gaussdb:proxy:upgrade")


def endpoint(about: str, reply: Reply[T]) -> Diagnosis:
    """Whether the scope's service was reached."""
    exchange = reply.exchange
    if exchange.http_status is not None:
        return Diagnosis(about, "endpoint", "well", f"answers within {exchange.duration_ms} ms")
    if isinstance(reply, Throttled):  # it was not called: another process was told to pause
        pause = spoken(reply.retry_after_s or 0.0)
        return Diagnosis(about, "endpoint", "untried", f"all who share its rate pause, for another {pause}")
    return Diagnosis(about, "endpoint", "wrong", _words(reply), _UNREACHED)


def clock(about: str, exchange: Exchange) -> Diagnosis:
    """How far this machine's clock is from the cloud's, which lies in an interval as wide as the call took."""
    low_s = exchange.cloud_offset_s
    if low_s is None:
        why = "there was no answer" if exchange.http_status is None else "the answer had no Date"
        return Diagnosis(about, "clock", "untried", why)
    width_s = _WHOLE_S + exchange.duration_ms / 1000
    if low_s <= 0 <= low_s + width_s:
        return Diagnosis(about, "clock", "well", f"agrees with the cloud's, to {width_s:.1f} s")
    off_s = min(abs(low_s), abs(low_s + width_s))
    words = f"at least {off_s:.1f} s {'behind' if low_s > 0 else 'ahead of'} the cloud's"
    if off_s <= _MOST_OFF_S:
        return Diagnosis(about, "clock", "well", words)
    remedy = "set the clock, and keep it set (chrony, ntpd): windows go by it, and the cloud refuses signatures by it"
    return Diagnosis(about, "clock", "wrong", words, remedy)


def credentials(about: str, reply: Reply[T]) -> Diagnosis:
    """Whether the cloud knows who asks."""
    if isinstance(reply, Answered | Refused | Busy):
        return Diagnosis(about, "credentials", "well", "accepted")
    if isinstance(reply, Unauthenticated):
        return no_credentials(about, reply)
    return Diagnosis(about, "credentials", "untried", "the cloud did not say")


def no_credentials(about: str, reply: Reply[T]) -> Diagnosis:
    """That there are none, that they were refused, or that those who give them were not reached."""
    remedy = _UNREACHED if isinstance(reply, NotSent) else "check auth in the plan: docs/credentials.md"
    return Diagnosis(about, "credentials", "wrong", _words(reply), remedy)


def permission(about: str, needed: Permission, reply: Reply[T]) -> Diagnosis:
    """Whether a read is allowed: it was made."""
    if isinstance(reply, Answered):
        return Diagnosis(about, needed.what, "well", "allowed")
    words = _words(reply)
    if isinstance(reply, Refused) and reply.not_found:
        return Diagnosis(
            about, needed.what, "wrong", words, "check the ids in the plan: `plan` names each that is wrong"
        )
    if isinstance(reply, Refused) and reply.exchange.http_status == _FORBIDDEN:
        return Diagnosis(about, needed.what, "wrong", words, f"allow {needed.actions}, and check project_id")
    return Diagnosis(about, needed.what, "wrong", words, "try again later; if it stays so, ask the cloud's support")


def untried(about: str, needed: Permission, why: str) -> Diagnosis:
    """That nothing was seen of a permission."""
    return Diagnosis(about, needed.what, "untried", why)


def upgrades_untried() -> Diagnosis:
    """Sending an upgrade is the only way to try the permission for it, and a doctor sends none."""
    words = f"cannot be tried without sending an upgrade; it needs {UPGRADE.actions}"
    return Diagnosis("every scope", UPGRADE.what, "untried", words, "let the first wave be one proxy")


def _words(reply: Reply[T]) -> str:
    return "answered" if isinstance(reply, Answered) else in_words(reply)
