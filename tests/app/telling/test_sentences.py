"""Every record of the journal is told in a sentence of its own, in which nothing of how Python writes values shows."""

import re
from datetime import timedelta
from typing import Any

import pytest
from fakes.clock import START
from fakes.plausible import PlausibleRun
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.app.telling.sentence import sentence
from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record_base import Clocks

#: How Python writes its own values.
PYTHON = re.compile(r"\b[A-Z][A-Za-z]+\(|\bNone\b|\bTrue\b|\bFalse\b|datetime|b'|\{'|<[A-Z]\w+\.")
CLOCKS = Clocks(monotonic_s=4.2, cloud_at=START)
SOON = START + timedelta(minutes=10)
ONE: dict[str, Any] = {"at": START, "target": "p", "attempt": 1}
RUN: dict[str, Any] = {"at": START}
TOLD: dict[str, r.Record] = {
    "asked the cloud: runs 2.1, 2.2 is on offer": r.PreflightDone(
        **ONE, wave="one", current_version="2.1", latest_version="2.2", can_upgrade=True
    ),
    "asked the cloud: runs 2.2, the newest on offer": r.PreflightDone(
        **ONE, wave="one", current_version="2.2", latest_version="2.2", can_upgrade=False
    ),
    "asked the cloud: runs 2.1, and the cloud says that it cannot be upgraded": r.PreflightDone(
        **ONE, wave="one", current_version="2.1", latest_version=None, can_upgrade=False
    ),
    "put off until 2026-03-01 22:10:00Z: job 7 runs on it": r.Postponed(
        **ONE, wave="one", why="job 7 runs on it", until=SOON
    ),
    "attempt 1 is on disk, and is sent: 1 -> 2": r.Intent(
        **ONE, wave="one", token="t0", source_version="1", target_version="2", clocks=CLOCKS
    ),
    "the cloud refused it: no ip (HTTP 200 after 13 ms, request id 0a)": r.AnswerSeen(
        **ONE, verdict="rejected", reason="no ip", http_status=200, duration_ms=13, request_id="0a"
    ),
    "no answer came that can be trusted: connection closed (DBS.1 odd)": r.AnswerSeen(
        **ONE, verdict="in_doubt", reason="connection closed", error_code="DBS.1", error_msg="odd"
    ),
    "no answer to attempt 1 was recorded: it is in doubt": r.AnswerMissing(**ONE),
    "found that it began, as workflow wf: started then": r.WorkflowAdopted(
        **ONE, workflow_id="wf", evidence="started then"
    ),
    "found that attempt 1 never began: no job": r.AttemptDisproved(**ONE, evidence="no job", period_s=900),
    "in doubt again: it runs elsewhere; workflow wf is not its own": r.DoubtRenewed(
        **ONE, why="it runs elsewhere", workflow_id="wf", clocks=CLOCKS
    ),
    "workflow wf: Failed at 2026-03-01 22:10:00Z: no node": r.JobSeen(
        **ONE, workflow_id="wf", status="Failed", ended=True, ended_at=SOON, fail_reason="no node"
    ),
    "looked again after the soak: NOT WELL, node down": r.Reverified(**ONE, healthy=False, finding="node down"),
    "internal error: KeyError at a.py:1; the next session goes on with it": r.StoryFailed(
        **ONE, error="KeyError at a.py:1"
    ),
    "no more memory: raise it (MemoryError); the next session goes on with it": r.StoryFailed(
        **ONE, error="MemoryError", host="no more memory: raise it"
    ),
    "the pace: no more memory: raise it (MemoryError)": r.PartFailed(
        **RUN, part="the pace", error="MemoryError", host="no more memory: raise it"
    ),
    "not verified: it could not be read": r.NotReverified(**ONE, finding="not verified: it could not be read"),
    "succeeded, runs 2.2": r.Settled(**ONE, outcome=Outcome.SUCCEEDED, verified_version="2.2"),
    "failed, settled by ann@desk (seen in the console)": r.Settled(
        **ONE, outcome=Outcome.FAILED, settled_by="ann", host="desk", note="seen in the console"
    ),
    "HELD by ann@desk: incident 4711": r.HoldSet(
        **RUN, cause="person", reason="incident 4711", note="incident 4711", by="ann", host="desk"
    ),
    "HELD: 1 failure, 0 allowed": r.HoldSet(**RUN, cause="failures", reason="1 failure, 0 allowed"),
    "wave one is approved by ann@desk: go": r.WaveApproved(**RUN, wave="one", by="ann", note="go", host="desk"),
    "scope bj4 is throttled by the cloud until 22:10:00Z: 429": r.ScopeThrottled(
        **RUN, scope="bj4", until=SOON, why="429"
    ),
    "session 1 begins, by ann@desk; set: limits.rate 2.0 -> 1.0": r.SessionStarted(
        **RUN, number=1, pid=1, host="desk", user="ann", orchestrator_version="1", set={"limits.rate": "2.0 -> 1.0"}
    ),
    "session 2 begins, by ann@desk; changed: limits.rate 1/s": r.SessionStarted(
        **RUN,
        number=2,
        pid=1,
        host="desk",
        user="ann",
        orchestrator_version="1",
        changed={"limits.rate": "1/s"},
    ),
    "its impact is measured, in 1 minute; the session ended 3 min before all was measured": r.ImpactSampled(
        **ONE,
        began=START,
        ended=SOON,
        grain_s=60.0,
        samples=((7, 1.0, None, 2.0),),
        missing="the session ended 3 min before all was measured",
    ),
    "scope bj4 goes on without metrics of its proxies: no permission": r.MetricsMissing(
        **RUN, scope="bj4", why="no permission"
    ),
    "the cloud has 0 events of its own in scope bj4, as far as is known: HTTP 503": r.CloudEventsRead(
        **RUN, scope="bj4", events=(), why="HTTP 503"
    ),
    "subnet s has 3 addresses left": r.SubnetRead(**RUN, scope="bj4", subnet_id="s", free=3),
    "subnet s cannot be read: HTTP 503": r.SubnetRead(**RUN, scope="bj4", subnet_id="s", why="HTTP 503"),
    "the clock of this host was set by -60.0 s": r.ClockStepped(**RUN, clock="host", by_s=-60),
}


@pytest.mark.parametrize("words", TOLD)
def test_a_record_is_told(words: str) -> None:
    assert sentence(TOLD[words]) == words


@given(st.integers(0, 10_000), st.integers(0, 80))
def test_no_sentence_of_any_run_shows_python(seed: int, steps: int) -> None:
    told = map(sentence, PlausibleRun(seed).steps(steps).records)
    assert [words for words in told if PYTHON.search(words) or not words] == []


def test_clocks_and_tokens_are_for_the_program() -> None:
    told = " ".join(map(sentence, TOLD.values()))
    assert "t0" not in told
    assert "4.2" not in told
