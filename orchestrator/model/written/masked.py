"""Records without secrets. An answer that cannot be searched for them is kept without whatever might hold one."""

from collections.abc import Callable

from msgspec.structs import replace

from orchestrator.model.record.record import AnswerSeen, Record
from orchestrator.model.reply.reply import Entry
from orchestrator.pattern import pattern

_HIDDEN = "***"

#: The form of the API's ids: a UUID with dashes or without, perhaps with the suffix of its kind. API §1.
_ID = pattern(r"[0-9a-fA-F]{8}(-?)[0-9a-fA-F]{4}\1[0-9a-fA-F]{4}\1[0-9a-fA-F]{4}\1[0-9a-fA-F]{12}(?:[a-z]{2}\d\d)?")


def masked(mask: Callable[[Record], Record], record: Record) -> tuple[Record, Exception | None]:
    """The record without secrets, and the error of an answer that could not be searched for them.

    Raises:
        Exception: another record could not be searched: it tells of nothing that the cloud did.
    """
    try:
        return mask(record), None
    except Exception as error:
        if not isinstance(record, AnswerSeen):
            raise
        return _without_text(record), error


def _without_text(record: AnswerSeen) -> AnswerSeen:
    """The answer with its verdict and ids, and without any text that the cloud wrote."""
    return replace(
        record,
        reason=_hidden(record.reason),
        request_id=_hidden(record.request_id),
        error_code=_hidden(record.error_code),
        error_msg=_hidden(record.error_msg),
        update_result=tuple(map(_bare, record.update_result)),
        strays=tuple(each for each in record.strays if _id(each)),
    )


def _bare(entry: Entry) -> Entry:
    state = "ACCEPT" if entry.accepted else "REJECT" if entry.rejected else _hidden(entry.state)
    return Entry(
        instance_id=_id(entry.instance_id),
        workflow_id=_id(entry.workflow_id),
        state=state,
        error_message=_hidden(entry.error_message),
    )


def _id(text: str | None) -> str | None:
    """An id of the API's own form is kept: it is the only way to what was started."""
    return text if text and _ID.fullmatch(text) else None


def _hidden(text: str | None) -> str | None:
    return _HIDDEN if text else text
