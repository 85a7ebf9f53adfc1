"""Every no of the cloud in an answer, word for word: what counts, holds and reports reasons asks here. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from orchestrator.model.record.target_record import AnswerSeen
from orchestrator.model.reply.reply import Entry
from orchestrator.model.reply.signature import signature


class Refusal(NamedTuple):
    """One no: its text, and the code of the refusing error; None for a REJECT."""

    text: str
    error_code: str | None

    @property
    def signature(self) -> str:
        """What it has in common with those that differ only in what they name."""
        return signature(self.text)


def rejection(entry: Entry) -> str:
    """What a REJECT entry gives as its reason."""
    return entry.error_message or "REJECT without a reason"


def refusals(answer: AnswerSeen) -> Iterator[Refusal]:
    """Those of an answer, in order: of its REJECT entries, then of the error that refused the call."""
    for entry in answer.update_result:
        if entry.rejected:
            yield Refusal(rejection(entry), None)
    if answer.verdict == "refused":
        yield Refusal(answer.error_msg or answer.reason or "refused", answer.error_code)
