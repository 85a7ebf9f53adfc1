"""An answer that a replaced host wrote before the next one missed it outweighs that."""

import pytest
from auditor.journal import Line, may_be_sent_again

INTENT: Line = {"record": "intent"}
MISSING: Line = {"record": "answer_missing"}


def answer(verdict: str) -> Line:
    return {"record": "answer_seen", "verdict": verdict}


@pytest.mark.parametrize(
    ("lines", "may"),
    [
        ([INTENT, answer("not_sent"), MISSING], True),
        ([INTENT, answer("accepted"), MISSING], False),
        ([INTENT, MISSING], False),
        ([INTENT, answer("not_sent"), INTENT, MISSING], False),
        ([INTENT, MISSING, answer("not_sent")], True),
    ],
)
def test_what_was_answered_is_not_missing(lines: list[Line], *, may: bool) -> None:
    assert may_be_sent_again(lines) is may
