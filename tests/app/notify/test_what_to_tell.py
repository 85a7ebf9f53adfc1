"""Record -> signal: what a person should know of, and nothing else; the same for a journal that is read again."""

from datetime import timedelta
from typing import Any

import pytest
from fakes.clock import START

from orchestrator.app.notify.notice import notice_id
from orchestrator.app.notify.what_to_tell import Signals
from orchestrator.executor.decide.waits import Cause, Wait
from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.reply.reply import Entry

SESSION = r.SessionStarted(at=START, number=1, pid=1, host="h", orchestrator_version="0")
DOUBT = r.DoubtRemains(at=START, target="p1", attempt=1, why="no job was found")
LATE = r.FollowTimedOut(at=START, target="p2", attempt=1, why="no end within 1 h")
WINDOW = Wait(Cause.WINDOW, ("window opens Sat 22:00",)).noted


def hold(cause: Any = "failures", **values: Any) -> r.HoldSet:
    return r.HoldSet(at=START, cause=cause, reason="2 failures, 1 allowed", **values)


def reject(text: str, target: str = "p1") -> r.AnswerSeen:
    entry = Entry(instance_id=None, workflow_id=None, state="REJECT", error_message=text)
    return r.AnswerSeen(at=START, target=target, attempt=1, verdict="rejected", update_result=(entry,))


def ended(code: int, *waits: str) -> r.SessionEnded:
    return r.SessionEnded(at=START, exit_code=code, why="why", waits=waits)


def kinds(*records: r.Record, known: tuple[str, ...] = ()) -> list[str]:
    signals = Signals(known)
    return [signal.kind for record in records for signal in signals.of(record)]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (hold(), ["held"]),
        (hold("person", by="ann", since=START - timedelta(seconds=1), command=1), ["held"]),
        (hold("approval", wave="rest"), ["approval"]),
        (DOUBT, ["person"]),
        (LATE, ["person"]),
        (SESSION, ["session_started"]),
        (ended(0), ["session_ended"]),
        (ended(5, *WINDOW), ["window_closes", "session_ended"]),
        (ended(5, *Wait(Cause.BOUND).noted), ["window_closes", "session_ended"]),
        (ended(5), ["session_ended"]),
        (ended(6), ["person", "session_ended"]),
        (r.RunEnded(at=START), ["ended"]),
        (reject("no free ip"), ["first_reject"]),
        (r.WaveOpened(at=START, wave="rest"), []),
        (r.Settled(at=START, target="p1", outcome=Outcome.FAILED), []),
        (r.HoldReleased(at=START, by="ann", note="go"), []),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_what_a_record_says_to_a_person(record: r.Record, expected: list[str]) -> None:
    assert kinds(record) == expected


def test_a_hold_that_a_run_takes_over_from_the_one_before_is_no_news() -> None:
    assert kinds(hold(since=START - timedelta(days=1))) == []


def test_a_night_of_doubts_is_one_signal_a_session() -> None:
    assert kinds(SESSION, DOUBT, LATE, DOUBT, SESSION, DOUBT) == [
        *("session_started", "person", "session_started", "person")
    ]


def test_a_reason_is_new_once_whatever_it_names() -> None:
    assert kinds(reject("3 of 4 free"), reject("1 of 9 free", "p2"), reject("busy")) == ["first_reject"] * 2
    assert kinds(reject("3 of 4 free"), known=("# of # free",)) == []


def test_a_run_knows_the_reasons_of_the_runs_before() -> None:
    first = r.RunStarted(
        at=START,
        run_id="r2",
        name="f",
        target_version="2",
        plan_sha256="",
        simulated=False,
        targets=1,
        waves=("all",),
        orchestrator_version="0",
        known_rejects=("# of # free",),
    )
    assert kinds(first, reject("3 of 4 free")) == []


def test_a_signal_keeps_its_id_when_the_journal_is_read_again() -> None:
    records = (SESSION, hold(), reject("3 of 4 free"), ended(3))

    def ids(run_id: str, *read: r.Record) -> list[str]:
        signals = Signals()
        return [notice_id(run_id, each.kind, each.key) for record in read for each in signals.of(record)]

    assert ids("r1", *records) == ids("r1", *records)
    assert ids("r1", *records)[1:] == ids("r1", *records[1:])
    assert len({*ids("r1", *records), *ids("r2", *records)}) == 8
    assert ids("r1", reject("1 of 2 free", "p7")) == ids("r1", reject("3 of 4 free"))
