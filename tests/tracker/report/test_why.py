"""Why a target stands as it does: what happened, the reason and the finding, each once."""

from fakes.doubtful import FINDING, LATE, LEFT, LOOKED_FOR, doubtful_story
from fakes.reported import make_story
from msgspec.structs import replace

from orchestrator.model.record.outcome import FAILED_BEFORE
from orchestrator.tracker.report.parts.upgrade import EarlierReport
from orchestrator.tracker.report.schema import TargetReport
from orchestrator.tracker.report.why import attempt_words, settle_outcomes, why_words


def targets() -> dict[str, TargetReport]:
    return {target.proxy_id: target for target in doubtful_story().targets}


def test_a_doubt_says_what_happened_and_its_finding_once() -> None:
    happened = "attempt 1 at 2026-03-01 22:00:00Z: no answer came (the connection was closed)"
    assert why_words(targets()[LEFT]) == f"{happened}; {FINDING}"


def test_a_doubt_that_nobody_has_looked_at_yet_says_what_happened() -> None:
    assert why_words(targets()[LOOKED_FOR]) == "attempt 1 at 2026-03-01 22:01:00Z: no answer came"


def test_a_refusal_is_not_said_beside_the_entry_that_says_it() -> None:
    refused = next(iter(make_story(1, 0).targets)).attempts[0]
    assert attempt_words(replace(refused, reason="no ip")) == "attempt 1 at 2026-03-01 22:00:00Z: HTTP 200"


def test_a_reason_stands_alone_where_nothing_else_is_known() -> None:
    assert why_words(targets()[LATE]) == "no end within 28 min"
    assert why_words(next(iter(make_story(1).targets))) == ""


def test_who_settled_it_is_said_once() -> None:
    settled = replace(targets()[LATE], outcome="failed", reason="settled by ana@ops: no node", settled_by="ana")
    assert why_words(settled) == "settled by ana@ops: no node"


def test_a_target_that_failed_before_says_what_the_earlier_run_said() -> None:
    earlier = EarlierReport(run_id="r1", outcome="rejected", reason="no ip", workflow_ids=[])
    left_out = replace(targets()[LATE], outcome="skipped", reason=FAILED_BEFORE, earlier=earlier)
    assert why_words(left_out) == "failed_before: rejected in run r1: no ip"


def test_what_was_sent_cannot_be_settled_as_not_sent() -> None:
    assert settle_outcomes(sent=True) == "succeeded or failed"
    assert "not_sent" in settle_outcomes(sent=False)
