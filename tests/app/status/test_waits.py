"""What a target waits for, in each state that a fleet can be in."""

from datetime import timedelta
from typing import Any

import pytest
from fakes.clock import START
from fakes.documents import read, rows
from fakes.stage import fold_all, plan_of, targets_of

from orchestrator.app.status.waits import Cause, view, wait_of
from orchestrator.model import record as r
from orchestrator.model.amount import Amount
from orchestrator.model.outcome import Outcome
from orchestrator.model.plan import Freeze, Limits, Wave, Window

TARGETS = targets_of(4, per_instance=2)
MINE, NEIGHBOUR, FAR = TARGETS[0], TARGETS[1], TARGETS[2]
SOON = START + timedelta(minutes=10)
OPEN = r.WaveOpened(at=START, wave="one")
ONE = {"waves": (Wave(name="one"),)}
TWO = {"waves": (Wave(name="one", size=Amount(1), soak_s=600.0), Wave(name="two", approve=True))}


def sent(target: Any) -> r.Intent:
    return r.Intent(
        at=START, target=target.proxy_id, attempt=1, wave="one", token="t", source_version="1", target_version="2"
    )


MINE_IS_SENT = sent(MINE)
SETTLED = r.Settled(at=START, target=FAR.proxy_id, attempt=1, outcome=Outcome.SUCCEEDED, wave="one")
SOAKS = r.WaveSoaking(at=START, wave="one", until=SOON)
CASES: list[tuple[Cause, tuple[r.Record, ...], dict[str, Any], str]] = [
    (Cause.HOLD, (r.HoldSet(at=START, cause="person", reason="asked for"),), ONE, "held: asked for"),
    (Cause.APPROVAL, (r.HoldSet(at=START, cause="approval", reason="x", wave="two"),), TWO, "approval of wave two"),
    (Cause.APPROVAL, (r.WaveDone(at=START, wave="one"),), TWO, "approval of wave two"),
    (Cause.SOAK, (OPEN, sent(FAR), SETTLED, SOAKS), TWO, "the soak of wave one, in 10 min 00 s"),
    (Cause.EARLIER_WAVE, (OPEN, sent(FAR)), TWO, "wave one comes first"),
    (Cause.SCOPE, (r.ScopeThrottled(at=START, scope="default", until=SOON, why="429"),), ONE, "throttled"),
    (Cause.SCOPE, (r.ScopePaused(at=START, scope="default", why="no route"),), ONE, "paused"),
    (Cause.SCOPE, (r.ScopeGivenUp(at=START, scope="default", why="401"),), ONE, "given up"),
    (Cause.CLOSED, (OPEN,), {**ONE, "windows": (Window(opens=60, closes=120, timezone="UTC"),)}, "window opens"),
    (
        Cause.CLOSED,
        (OPEN,),
        {**ONE, "freezes": (Freeze(start="2026-03-01", end="2026-03-02", timezone="UTC"),)},
        "frozen",
    ),
    (
        Cause.BUSY,
        (OPEN, r.Postponed(at=START, target=MINE.proxy_id, wave="one", why="job 7", until=SOON, busy=True)),
        ONE,
        "busy until 2026-03-01 22:10:00 UTC (in 10 min 00 s)",
    ),
    (Cause.LIMIT, (OPEN, sent(NEIGHBOUR)), ONE, "per_instance is full"),
    (Cause.LIMIT, (OPEN, sent(FAR)), {**ONE, "limits": Limits(in_flight=Amount(1))}, "in_flight 1 is full"),
    (
        Cause.LIMIT,
        (OPEN, sent(TARGETS[3])),
        {**ONE, "limits": Limits(per_label={"app": 1})},
        "per_label app=a0 is full",
    ),
    (Cause.TURN, (OPEN,), ONE, "nothing in its way"),
    (Cause.JOB, (OPEN, MINE_IS_SENT), ONE, "the end of its upgrade"),
    (
        Cause.DOUBT,
        (OPEN, MINE_IS_SENT, r.AnswerSeen(at=START, target=MINE.proxy_id, attempt=1, verdict="in_doubt")),
        ONE,
        "evidence",
    ),
    (
        Cause.PERSON,
        (
            OPEN,
            MINE_IS_SENT,
            r.AnswerSeen(at=START, target=MINE.proxy_id, attempt=1, verdict="in_doubt"),
            r.DoubtRemains(at=START, target=MINE.proxy_id, attempt=1, why="no trace"),
        ),
        ONE,
        "a person, to settle it: no trace",
    ),
]


@pytest.mark.parametrize(("cause", "records", "plan_keys", "says"), CASES)
def test_the_very_thing_is_named(
    cause: Cause, records: tuple[r.Record, ...], plan_keys: dict[str, Any], says: str
) -> None:
    plan = plan_of(TARGETS, **plan_keys)
    wait = wait_of(view(plan, fold_all(plan, records)), MINE, START, START)
    assert wait.cause is cause
    assert says in str(wait)


def test_every_cause_is_shown() -> None:
    assert {cause for cause, *_ in CASES} == set(Cause)


def test_the_page_lists_each_cause_with_its_sentence_in_order() -> None:
    told = [(row[0].strip("`"), row[1].strip("`")) for row in rows(read("docs/status.md"))]
    assert told == [(cause.name, cause.value) for cause in Cause]
