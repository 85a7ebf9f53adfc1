"""The story of a proxy: a sentence for each record, nothing of how the program keeps it, and no line twice."""

from datetime import timedelta

import msgspec
import pytest
from fakes.clock import START

from orchestrator.app.status.one_proxy.raw_lines import raw_lines
from orchestrator.app.status.one_proxy.story_lines import story_lines
from orchestrator.model.record import record as r
from orchestrator.model.reply.reply import Entry

AT = "  2026-03-01 22:00:00Z"


def test_an_answer_is_told_word_for_word_without_what_it_lacks() -> None:
    entries = (Entry(state="REJECT", error_message="no ip"), Entry(state="ACCEPT", workflow_id="wf-1"))
    answer = r.AnswerSeen(at=START, target="p", attempt=1, verdict="partial", update_result=entries)
    (line,) = story_lines([answer])
    assert line == (
        f"{AT}              the cloud accepted a part of it, and refused another (REJECT no ip; workflow wf-1 ACCEPT)"
    )


def test_what_repeats_the_line_before_shares_it() -> None:
    instants = [START + timedelta(minutes=minute) for minute in range(8)]
    looks = [r.DoubtLooked(at=at, target="p", attempt=1, finding="nothing new") for at in instants]
    (line,) = story_lines(looks)
    assert line.endswith("looked for evidence: nothing new (8 times, until 2026-03-01 22:07:00Z)")


def test_what_the_line_before_found_is_not_said_again() -> None:
    why = "the list shows 3 jobs: none of it"
    look = r.DoubtLooked(at=START, target="p", attempt=1, finding=why)
    remains = r.DoubtRemains(at=START, target="p", attempt=1, why=why)
    assert [line[36:] for line in story_lines([look, remains, look])] == [
        f"looked for evidence: {why}",
        "stays in doubt, as was found before",
        "looked for evidence, as was found before",
    ]


def test_what_was_found_changes_and_comes_back_takes_three_lines() -> None:
    looks = [r.DoubtLooked(at=START, target="p", attempt=1, finding=finding) for finding in "aba"]
    assert len(list(story_lines(looks))) == len(looks)


def test_each_line_says_how_long_after_the_one_before_it_came() -> None:
    later = [START, START + timedelta(seconds=0.4), START + timedelta(minutes=12), START + timedelta(minutes=11)]
    looks = [r.DoubtLooked(at=at, target="p", finding=f"look {number}") for number, at in enumerate(later)]
    assert [line[23:34].strip() for line in story_lines(looks)] == ["", "", "+12 min", "-1 min"]


@pytest.mark.parametrize(("ended_s", "early"), [(-2.0, False), (-3.0, True), (60.0, False)])
def test_an_end_before_the_attempt_is_remarked(ended_s: float, *, early: bool) -> None:
    intent = r.Intent(at=START, target="p", attempt=1, wave="one", token="t0", source_version="1", target_version="2")
    ended_at = START + timedelta(seconds=ended_s)
    job = r.JobSeen(
        at=START + timedelta(minutes=2), target="p", attempt=1, workflow_id="w", status="Completed", ended_at=ended_at
    )
    *_, line = story_lines([intent, job])
    remark = "; by the cloud's clock it ended before the attempt, which has its time from the host's clock"
    assert line.endswith(remark) is early


def test_raw_lines_are_the_records_without_tokens_and_what_says_nothing() -> None:
    intent = r.Intent(at=START, target="p", attempt=1, wave="one", token="t0", source_version="1", target_version="2")
    (line,) = raw_lines([intent])
    assert msgspec.json.decode(line) == {
        "record": "intent",
        "at": "2026-03-01T22:00:00Z",
        "target": "p",
        "step": "attempt",
        "attempt": 1,
        "wave": "one",
        "source_version": "1",
        "target_version": "2",
        "ahead_s": 0.0,
    }
