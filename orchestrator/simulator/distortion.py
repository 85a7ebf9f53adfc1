"""What each fault does: whether and when the call takes effect, and what the caller is told instead of the truth."""

from collections.abc import Callable
from enum import Enum, auto

import msgspec

from orchestrator.simulator.calls.upgrade import BUSY, REFUSALS, entry, rejection
from orchestrator.simulator.chance import below
from orchestrator.simulator.profile import Fault
from orchestrator.simulator.throttle import THRESHOLD
from orchestrator.simulator.wire import HTML, Delivery, Refusal, Reply, answer, gateway_error


class Effect(Enum):
    """When a call that is hit takes effect."""

    NOW = auto()
    LATER = auto()
    NEVER = auto()


class Hit(msgspec.Struct, frozen=True):
    """The circumstances of one hit. `true_reply` is None when the call did not take effect, or has not yet."""

    true_reply: Reply | None
    request_id: str
    #: For choices among variants; depends on the call's subject and number.
    seed: int
    retry_after_s: int
    slow_body_s: float
    workflow_id: str
    #: IAM has its own words for throttling.
    iam: bool = False


_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>"
#: Under 5xx even a code that elsewhere refuses says nothing about the effect.
_AFTER = (
    (500, "DBS.05000000", "Server error."),
    (500, "DBS.200005", "Server error."),
    (500, "DBS.111205", "The service timed out."),
    (500, "DBS.200019", "Another operation is being performed on the DB instance or the DB instance is faulty."),
)


def _true(hit: Hit) -> Reply:
    return hit.true_reply or answer({})


def _lost(_: Hit) -> Reply:
    return Reply(status=200, delivery=Delivery(cut_after=0))


def _silence(_: Hit) -> Reply:
    return Reply(status=200, delivery=Delivery(never=True))


def _server_error(hit: Hit) -> Reply:
    return Refusal(*_AFTER[below(len(_AFTER), hit.seed, "after")]).reply()


def _unavailable(hit: Hit) -> Reply:
    variants = (
        Refusal(500, "DBS.200005", "Server error.").reply(),
        gateway_error(502, "APIGW.0610", "Backend unavailable.", hit.request_id),
        gateway_error(503, "APIGW.0613", "IAM unavailable.", hit.request_id),
        gateway_error(500, "APIGW.0601", "Internal server error.", hit.request_id),
    )
    return variants[below(len(variants), hit.seed, "before")]


def _timeout(hit: Hit) -> Reply:
    return gateway_error(504, "APIGW.0201", "Backend timeout.", hit.request_id)


def _cut(hit: Hit) -> Reply:
    true = _true(hit)
    return msgspec.structs.replace(true, delivery=Delivery(cut_after=len(true.body) // 2))


def _slow(hit: Hit) -> Reply:
    return msgspec.structs.replace(_true(hit), delivery=Delivery(trickle_s=hit.slow_body_s))


def _garbage(hit: Hit) -> Reply:
    bodies = (_PAGE, b"\x00\xff\xfe not json", b'{"update_result": [', b"", b'"OK"')
    return Reply(status=200, body=bodies[below(len(bodies), hit.seed, "garbage")], content_type=HTML)


def _bad_gateway(_: Hit) -> Reply:
    return Reply(status=502, body=_PAGE, content_type=HTML)


def _throttled(hit: Hit) -> Reply:
    bare = _throttled_bare(hit)
    return msgspec.structs.replace(bare, headers={"Retry-After": str(hit.retry_after_s)})


def _throttled_text(hit: Hit) -> Reply:
    if hit.iam:
        text = f"Too many requests: 5 times per {hit.retry_after_s} seconds."
        return answer({"error_code": "IAM.0012", "error_msg": text}, status=429)
    text = f"{THRESHOLD}: policy user over ratelimit,limit:5,time:{hit.retry_after_s} second"
    return gateway_error(429, "APIGW.0308", text, hit.request_id)


def _throttled_bare(hit: Hit) -> Reply:
    if hit.iam:
        return answer({"error_code": "IAM.0012", "error_msg": "Too many requests."}, status=429)
    return gateway_error(429, "APIGW.0308", THRESHOLD, hit.request_id)


def _unauthorised(hit: Hit) -> Reply:
    text = "Incorrect IAM authentication information: decrypt token fail"
    return gateway_error(401, "APIGW.0301", text, hit.request_id)


def _stale(hit: Hit) -> Reply:
    return gateway_error(401, "APIGW.0307", "The token must be updated.", hit.request_id)


def _empty(_: Hit) -> Reply:
    return answer({"update_result": []})


def _unknown(hit: Hit) -> Reply:
    return answer({"update_result": [entry(hit.workflow_id, "QUEUED")]})


def _rejected(hit: Hit) -> Reply:
    return rejection(hit.workflow_id, below(1_000, hit.seed, "reject"))


def _refused(hit: Hit) -> Reply:
    return Refusal(*REFUSALS[below(len(REFUSALS), hit.seed, "refused")]).reply()


def _busy(hit: Hit) -> Reply:
    return Refusal(*BUSY[below(len(BUSY), hit.seed, "busy")]).reply()


#: `_true` where the fault is in the form of the answer, which `upgrade` gives it.
DISTORTIONS: dict[Fault, tuple[Effect, Callable[[Hit], Reply]]] = {
    "lost_answer": (Effect.NOW, _lost),
    "lost_request": (Effect.NEVER, _lost),
    "error_after": (Effect.NOW, _server_error),
    "error_before": (Effect.NEVER, _unavailable),
    "gateway_timeout": (Effect.LATER, _timeout),
    "gateway_timeout_unstarted": (Effect.NEVER, _timeout),
    "silence": (Effect.LATER, _silence),
    "silence_unstarted": (Effect.NEVER, _silence),
    "cut_body": (Effect.NOW, _cut),
    "slow_body": (Effect.NOW, _slow),
    "garbage": (Effect.NOW, _garbage),
    "garbage_unstarted": (Effect.NEVER, _bad_gateway),
    "throttle": (Effect.NEVER, _throttled),
    "throttle_text": (Effect.NEVER, _throttled_text),
    "throttle_bare": (Effect.NEVER, _throttled_bare),
    "token_refused": (Effect.NEVER, _unauthorised),
    "token_stale": (Effect.NEVER, _stale),
    "empty_result": (Effect.NOW, _true),
    "empty_result_unstarted": (Effect.NEVER, _empty),
    "unknown_state": (Effect.NOW, _true),
    "unknown_state_unstarted": (Effect.NEVER, _unknown),
    "accept_without_id": (Effect.NOW, _true),
    "job_id_instead": (Effect.NOW, _true),
    "accept_and_reject": (Effect.NOW, _true),
    "two_accepted": (Effect.NOW, _true),
    "rejected": (Effect.NEVER, _rejected),
    "refused": (Effect.NEVER, _refused),
    "busy": (Effect.NEVER, _busy),
    "foreign_instead": (Effect.NEVER, _lost),
}
