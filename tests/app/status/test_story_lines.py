"""The story of a proxy in words: nothing of how the program keeps it, and no line twice."""

import re
from datetime import timedelta

from fakes.clock import START
from fakes.plausible import PlausibleRun
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.app.status.one_proxy.story_lines import story_lines
from orchestrator.model import record as r
from orchestrator.model.record_base import Clocks
from orchestrator.model.reply import Entry

#: How Python writes its own values.
PYTHON = re.compile(r"\b[A-Z][A-Za-z]+\(|\bNone\b|\bTrue\b|\bFalse\b|datetime|b'|\{'|<[A-Z]\w+\.")
CLOCKS = Clocks(monotonic_s=4.2, cloud_at=START)


@given(st.integers(0, 10_000), st.integers(0, 80))
def test_no_line_of_any_story_shows_python(seed: int, steps: int) -> None:
    lines = list(story_lines(PlausibleRun(seed).steps(steps).records))
    assert [line for line in lines if PYTHON.search(line)] == []


def test_clocks_and_tokens_are_for_the_program() -> None:
    intent = r.Intent(
        at=START, target="p", attempt=1, wave="one", token="t0", source_version="1", target_version="2", clocks=CLOCKS
    )
    kept = r.DoubtRenewed(at=START, target="p", attempt=1, why="it runs elsewhere", clocks=CLOCKS)
    assert list(story_lines([intent, kept])) == [
        "  2026-03-01 22:00:00.000000Z attempt 1 intent: wave=one, source_version=1, target_version=2",
        "  2026-03-01 22:00:00.000000Z attempt 1 doubt_renewed: why=it runs elsewhere",
    ]


def test_an_answer_is_told_word_for_word_without_what_it_lacks() -> None:
    entries = (Entry(state="REJECT", error_message="no ip"), Entry(state="ACCEPT", workflow_id="wf-1"))
    answer = r.AnswerSeen(at=START, target="p", attempt=1, verdict="partial", update_result=entries)
    (line,) = story_lines([answer])
    assert line.endswith("answer_seen: verdict=partial, update_result=[REJECT no ip; wf-1 ACCEPT]")


def test_what_repeats_the_line_before_shares_it() -> None:
    instants = [START + timedelta(minutes=minute) for minute in range(8)]
    looks = [r.DoubtLooked(at=at, target="p", attempt=1, finding="nothing new") for at in instants]
    (line,) = story_lines(looks)
    assert line.endswith("doubt_looked: finding=nothing new (8 times, until 2026-03-01 22:07:00.000000Z)")


def test_what_was_found_changes_and_comes_back_takes_three_lines() -> None:
    looks = [r.DoubtLooked(at=START, target="p", attempt=1, finding=finding) for finding in "aba"]
    assert len(list(story_lines(looks))) == len(looks)
