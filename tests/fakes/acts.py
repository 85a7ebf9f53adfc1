"""What an upgrade call may come to, and what an upgrade: the scripts of a fake cloud."""

from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.model.reply.reply import (
    Answered,
    Busy,
    Doubtful,
    Entry,
    Exchange,
    NotSent,
    Refused,
    Reply,
    Throttled,
    Unauthenticated,
)

Update = Reply[tuple[Entry, ...]]


@dataclass(frozen=True)
class Fate:
    """What an upgrade of one proxy comes to.

    Attributes:
        visible_after_s: until then no call finds the job; None for never.
        listed: whether immediate-jobs shows it at all.
        flips: when the version changes: a share of the duration, or None for never.
        nodes: of the proxy after the end.
        named: whether the job's extend_fields name the proxy.
        meanwhile: its status until it ends.
    """

    duration_s: float = 300.0
    status: str = "Completed"
    visible_after_s: float | None = 5.0
    listed: bool = True
    flips: float | None = 1.0
    nodes: tuple[str, ...] = ("ACTIVE", "ACTIVE")
    named: bool = False
    fail_reason: str | None = None
    meanwhile: str = "Running"


@dataclass(frozen=True)
class Act:
    """How one upgrade-version call goes.

    Attributes:
        reply: made from the id of the job that the call would start.
        effect: whether it starts an upgrade.
        effect_after_s: how long after the request.
    """

    reply: Callable[[str, str], Update]
    effect: bool = False
    effect_after_s: float = 0.0
    latency_s: float | None = None


def _entry(instance_id: str | None, job_id: str | None, state: str | None, error: str | None = None) -> Entry:
    return Entry(instance_id=instance_id, workflow_id=job_id, state=state, error_message=error)


def _ok(*entries: Entry) -> Update:
    return Answered(entries, Exchange(http_status=200, request_id="r-ok", duration_ms=40))


def ok(*accepted: tuple[str | None, str]) -> Update:
    """The answer that accepts these instances' workflows."""
    return _ok(*(_entry(instance, job, "ACCEPT") for instance, job in accepted))


def exchange(status: int, code: str | None = None, message: str | None = None) -> Exchange:
    return Exchange(http_status=status, error_code=code, error_msg=message, request_id="r-no")


ACCEPT = Act(lambda instance, job: _ok(_entry(instance, job, "ACCEPT")), effect=True)
PARTIAL = Act(
    lambda instance, job: _ok(_entry(instance, job, "ACCEPT"), _entry(instance, None, "REJECT", "node 2 is locked")),
    effect=True,
)
LOST_ANSWER = Act(lambda _i, _j: Doubtful("no answer within 30 s", Exchange()), effect=True, latency_s=30.0)
LOST_REQUEST = Act(lambda _i, _j: Doubtful("connection reset", Exchange()), latency_s=1.0)
LATE_EFFECT = Act(lambda _i, _j: Doubtful("HTTP 504", exchange(504)), effect=True, effect_after_s=120.0)
FIVE_HUNDRED = Act(lambda _i, _j: Doubtful("HTTP 500", exchange(500, "DBS.200501")))
FIVE_HUNDRED_AFTER = Act(lambda _i, _j: Doubtful("HTTP 500", exchange(500, "DBS.200501")), effect=True)
EMPTY = Act(lambda _i, _j: _ok())
EMPTY_AFTER = Act(lambda _i, _j: _ok(), effect=True)
UNKNOWN_STATE = Act(lambda instance, job: _ok(_entry(instance, job, "QUEUED")), effect=True)
UNKNOWN_NOT_BEGUN = Act(lambda instance, _j: _ok(_entry(instance, "no-such-job", "QUEUED")))
ACCEPT_WITHOUT_ID = Act(lambda instance, _j: _ok(_entry(instance, None, "ACCEPT")), effect=True)
ACCEPT_AND_ODD = Act(
    lambda instance, job: _ok(_entry(instance, job, "ACCEPT"), _entry(instance, None, "QUEUED")), effect=True
)
UNSENT = Act(lambda _i, _j: NotSent("connection refused"), latency_s=0.0)


def rejecting(reason: str = "Upgrade failed due to insufficient subnet ip") -> Act:
    return Act(lambda instance, _j: _ok(_entry(instance, None, "REJECT", reason)))


def refusing(code: str = "DBS.280404", message: str = "not supported", *, latest: bool = False) -> Act:
    return Act(lambda _i, _j: Refused(message, exchange(400, code, message), already_latest=latest))


def throttling(retry_after_s: float | None = 20.0) -> Act:
    return Act(lambda _i, _j: Throttled(retry_after_s, exchange(429, "APIGW.0308", "too many requests")))


BUSY = Act(lambda _i, _j: Busy("another operation runs", exchange(409, "DBS.200019", "another operation runs")))

#: What a fake cloud calls the refusal of credentials; its generation is filled in when it happens.
UNAUTHENTICATED = Act(lambda _i, _j: Unauthenticated("token expired", exchange(401, "APIGW.0301")))
