"""What the reply to an upgrade-version call means. Pure."""

from collections.abc import Container, Iterator
from typing import TypeAlias, assert_never

from orchestrator.model.record.record import Verdict
from orchestrator.model.reply.reply import (
    Answered,
    Busy,
    Doubtful,
    Entry,
    NotSent,
    Refused,
    Reply,
    Throttled,
    Unauthenticated,
    key_of,
    same_id,
)

UpgradeReply: TypeAlias = Reply[tuple[Entry, ...]]


_VERDICTS: dict[type, Verdict] = {
    NotSent: "not_sent",
    Unauthenticated: "unauthenticated",
    Refused: "refused",
    Busy: "busy",
    Doubtful: "in_doubt",
}


def judge(reply: UpgradeReply, instance_id: str, known: Container[str]) -> tuple[Verdict, str | None]:
    """The verdict, and the reason when it is not plain acceptance.

    Args:
        reply: to the call.
        instance_id: what was asked to be upgraded.
        known: workflow ids, in small letters, that were there before the call left: none can be what it started.
    """
    match reply:
        case Answered(value=entries):
            strayed = next((entry for entry in entries if strays(entry, instance_id, known)), None)
            if strayed is not None:
                return "in_doubt", _astray(strayed, instance_id)
            return judge_entries(entries)
        case Throttled(exchange=exchange):
            return "throttled", exchange.error_msg
        case NotSent() | Unauthenticated() | Refused() | Busy() | Doubtful():
            return _VERDICTS[type(reply)], reply.reason
        case _:
            assert_never(reply)


def _astray(entry: Entry, instance_id: str) -> str:
    if _is_elsewhere(entry, instance_id):
        return f"the answer is about instance {entry.instance_id}, workflow {entry.workflow_id}"
    return f"the answer names workflow {entry.workflow_id}, which was known before the call was sent"


def _is_elsewhere(entry: Entry, instance_id: str) -> bool:
    return entry.instance_id is not None and not same_id(entry.instance_id, instance_id)


def strays(entry: Entry, instance_id: str, known: Container[str]) -> bool:
    """Whether an entry is no answer to the question: it names another instance, or a workflow of another attempt."""
    return _is_elsewhere(entry, instance_id) or key_of(entry.workflow_id or "") in known


def stray_workflows(reply: UpgradeReply, instance_id: str, known: Container[str]) -> Iterator[str]:
    """The workflow ids of an answer that belong to another question."""
    if isinstance(reply, Answered):
        yield from (each.workflow_id for each in reply.value if each.workflow_id and strays(each, instance_id, known))


def judge_entries(entries: tuple[Entry, ...]) -> tuple[Verdict, str | None]:
    """The verdict on a 200 answer: it is in the entries, not in the status.

    All ACCEPT: accepted. All REJECT: rejected. Both: partial. No entry, an ACCEPT without an id, a state that nobody
    has documented: in doubt.
    """
    if not entries:
        return "in_doubt", "the answer holds no update_result"
    accepted = [entry for entry in entries if entry.accepted]
    rejected = [entry for entry in entries if entry.rejected]
    if len(accepted) + len(rejected) < len(entries):
        odd = next(entry for entry in entries if entry not in accepted and entry not in rejected)
        return "in_doubt", f"unknown state {odd.state!r}"
    if any(not entry.workflow_id for entry in accepted):
        return "in_doubt", "ACCEPT without a workflow_id"
    if not accepted:
        return "rejected", rejected[0].error_message
    return ("partial", rejected[0].error_message) if rejected else ("accepted", None)
