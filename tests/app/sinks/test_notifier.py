"""A session with receivers: they are told at least once, through restarts, and it goes as it would without them."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import anyio
import pytest
from fakes.clock import START
from fakes.memory_state import MemoryFleet, MemoryState
from fakes.receiver import Ear
from fakes.stage import Played, Stage, fold_all, plan_of, targets_of
from msgspec.structs import replace

from orchestrator.app.notify.courier import Beside
from orchestrator.app.notify.notice import Notice
from orchestrator.app.sinks import notifier
from orchestrator.app.sinks.notifier import Notifier
from orchestrator.app.sinks.tee import end_all
from orchestrator.errors import ExitCode, JournalDamaged
from orchestrator.executor.decide.waits import Cause, Wait
from orchestrator.model.plan.plan import Plan, Wave
from orchestrator.model.record import record as r
from orchestrator.model.record.record import PartFailed, Record
from orchestrator.model.reply.reply import Entry
from orchestrator.tracker.runs.recovery import Recovered

APPROVED = (Wave(name="canary"), Wave(name="rest", approve=True))
#: Its first wave has no end: everything is in it.
PLAN = plan_of(targets_of(3), waves=(replace(APPROVED[0], size=None),))
DAY = timedelta(days=1)


async def here(work: Callable[[], None], _name: str) -> None:
    work()


class Night:
    """A fleet in memory, over as many sessions as a test plays."""

    def __init__(self, plan: Plan = PLAN) -> None:
        self.plan = plan
        self.fleet = MemoryFleet("fleet", MemoryState())
        self.records: list[Record] = []
        self.stage = Stage(plan=plan)

    def found(self) -> Recovered:
        if self.fleet.made:
            run = self.fleet.made[-1]
            run.kept[:] = self.records or run.kept
        else:
            run = self.fleet.begin(self.plan, self.plan.proxies, run_started("r1"))
        fold = fold_all(self.plan, run.kept)
        return Recovered(stored=run, plan=self.plan, in_force=self.plan, run=fold, next_seq=len(run.kept) + 1)

    def notifier(self, *ears: Ear, beside: Beside = here, now: datetime = START) -> Notifier:
        recovered = self.found()
        self.records = list(self.fleet.made[-1].kept)
        return Notifier(recovered, [each.receiver for each in ears], lambda wait, _: wait.cause.name, now, beside)

    def session(self, *ears: Ear, beside: Beside = here, killed: bool = False, **stage: Any) -> Played:
        """Play one; a session that is killed has no end, and its last records did not get into the box."""
        sink = self.notifier(*ears, beside=beside)
        kept = self.fleet.told
        played = Stage(plan=self.plan, records=self.records, sinks=(sink,), **stage).play()
        sink._recovered.run.started = played.run.started
        self.records = list(played.records)
        if killed:
            self.fleet.told = kept
        else:
            self.ends(sink, played.code)
        return played

    def ends(self, sink: Notifier, code: int) -> None:
        self.failed = end_all([sink], ExitCode(code), START)


def run_started(run_id: str) -> r.RunStarted:
    return r.RunStarted(
        at=START,
        run_id=run_id,
        name="fleet",
        target_version="2",
        plan_sha256="",
        simulated=False,
        targets=3,
        waves=("canary",),
        orchestrator_version="0",
    )


def kinds(notices: Sequence[Notice]) -> list[str]:
    return [notice.kind for notice in notices]


@pytest.fixture
def every(monkeypatch: pytest.MonkeyPatch) -> Ear:
    monkeypatch.setattr(notifier, "LAST_ROUND_S", 0.2)
    return Ear(kinds=(*Ear().kinds, "session_started", "session_ended"))


def test_a_session_is_told_from_its_start_to_its_end(every: Ear) -> None:
    night = Night()
    night.session(every)
    assert every.told == ["session_started", "ended", "session_ended"]
    assert night.failed == {}
    assert every.heard[-1].exit_code == 0
    assert [(each.run_id, each.fleet) for each in every.heard[:1]] == [("r1", "fleet")]


def test_what_a_person_has_to_do_is_told_with_the_counts(every: Ear) -> None:
    plan = plan_of(targets_of(3), waves=(Wave(name="canary", approve=True),))
    night = Night(plan)
    night.session(every)
    [approval] = [each for each in every.heard if each.kind == "approval"]
    assert (approval.sentence, approval.next_step) == ("wave canary waits for approval", "APPROVAL")
    assert (approval.targets, approval.counts) == (3, {"waiting": 3})


@pytest.mark.parametrize("manner", ["hangs", "refuses"])
def test_receivers_that_do_not_take_it_change_neither_time_nor_outcome(every: Ear, manner: str) -> None:
    async def deaf(work: Callable[[], None], name: str) -> None:
        if manner == "hangs" and name == "ear":
            await anyio.sleep_forever()
        work()

    usual = Stage(plan=PLAN).play()
    every.failures = 10**9
    night = Night()
    played = night.session(every, beside=deaf)
    assert (played.outcomes(), played.code) == (usual.outcomes(), usual.code)
    assert played.seconds == pytest.approx(usual.seconds, abs=1)  # the order of tasks at one instant is another
    assert "3 notifications not delivered (3 to ear: " in night.failed["the notifications"]
    assert all(each.part == "the notification of ear" for each in played.of(PartFailed))


def test_what_was_not_delivered_is_told_by_the_next_session_with_the_same_ids(every: Ear) -> None:
    night = Night()
    every.failures = 10**9
    night.session(every)
    every.failures = 0
    night.notifier(every)  # only to see that reading on loses nothing
    night.session(every)
    assert every.told[:3] == ["session_started", "ended", "session_ended"]
    ids = [each.id for each in every.heard]
    assert len(set(ids)) == len(ids)


def test_what_a_killed_session_did_not_come_to_tell_is_read_from_the_journal(every: Ear) -> None:
    night = Night()
    deaf = Ear(failures=10**9)
    night.session(deaf, killed=True)
    night.session(every)
    assert every.told[:3] == ["session_started", "ended", "session_ended"]


_REJECT = Entry(state="REJECT", error_message="no free ip")
_P1 = PLAN.proxies[0].proxy_id
_INTENT = r.Intent(at=START, target=_P1, attempt=1, wave="canary", token="t", source_version="1", target_version="2")
_WINDOW = Wait(Cause.BOUND).noted
#: Of each kind of event a record that says it.
SAYING: dict[str, tuple[Record, ...]] = {
    "held": (r.HoldSet(at=START, cause="failures", reason="2 failures, 1 allowed"),),
    "approval": (r.HoldSet(at=START, cause="approval", reason="wave canary waits", wave="canary"),),
    "person": (_INTENT, r.FollowTimedOut(at=START, target=_P1, attempt=1, why="no end")),
    "window_closes": (r.SessionEnded(at=START, exit_code=5, why="why", waits=_WINDOW),),
    "ended": (r.RunEnded(at=START),),
    "first_reject": (
        _INTENT,
        r.AnswerSeen(at=START, target=_P1, attempt=1, verdict="rejected", update_result=(_REJECT,)),
    ),
}


@pytest.mark.parametrize("kind", SAYING)
@pytest.mark.parametrize("killed", [True, False], ids=["killed", "ended"])
def test_each_kind_of_event_survives_a_receiver_that_took_nothing(kind: str, killed: bool) -> None:
    """A session that is killed has not come to keep it, and one that ended could not deliver it."""
    night = Night()
    sink = night.notifier(Ear(failures=10**9, kinds=(kind,)))
    for record in SAYING[kind]:
        night.fleet.made[-1].kept.append(record)
        sink.take(record)
    if not killed:
        night.ends(sink, 5)
    night.records = []
    ear = Ear(kinds=(kind,))
    for _ in range(2):
        night.ends(night.notifier(ear), 5)
    assert ear.told == [kind]


def test_told_once_it_is_not_told_again_by_the_next_session(every: Ear) -> None:
    night = Night()
    night.session(every)
    before = len(every.heard)
    sink = night.notifier(every)
    night.ends(sink, 0)
    assert kinds(every.heard[before:]) == ["session_ended"]  # of the one that never began
    assert every.heard[-1].sentence == "the session ended with 0"


def test_a_receiver_that_is_new_hears_nothing_of_the_years_before(every: Ear) -> None:
    night = Night()
    Stage(plan=PLAN).play()
    night.found()
    hold = r.HoldSet(at=START - 400 * DAY, cause="failures", reason="long ago")
    night.fleet.made[-1].kept.append(hold)
    night.notifier(every)
    assert every.heard == []


def test_after_an_error_that_no_record_could_tell_the_end_is_told_all_the_same(every: Ear) -> None:
    night = Night()
    sink = night.notifier(every)
    night.ends(sink, 8)
    assert [(each.kind, each.exit_code) for each in every.heard] == [("session_ended", 8)]


def test_a_box_that_is_damaged_begins_again(every: Ear) -> None:
    night = Night()
    night.fleet.told = b"nonsense"
    night.session(every)
    assert "ended" in every.told


def test_the_end_of_a_run_is_told_by_the_first_session_of_the_next_one(every: Ear) -> None:
    night = Night()
    night.session(Ear(failures=10**9), killed=True)
    night.fleet.made[-1].kept[:] = night.records
    second = replace(run_started("r2"), at=START + DAY)
    night.fleet.begin(PLAN, PLAN.proxies, second)
    night.records = []
    sink = night.notifier(every, now=START + DAY)
    night.ends(sink, 5)
    assert [(each.run_id, each.kind) for each in every.heard] == [
        *(("r1", "session_started"), ("r1", "ended"), ("r1", "session_ended"), ("r2", "session_ended"))
    ]
    assert every.heard[1].counts == {"succeeded": 3}


def test_an_earlier_run_that_is_damaged_hides_nothing_of_this_one(every: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    night = Night()
    night.session(Ear(failures=10**9), killed=True)
    first = night.fleet.made[-1]
    night.fleet.begin(PLAN, PLAN.proxies, run_started("r2"))
    night.records = []

    def damaged(_after: int = 0) -> Any:
        raise JournalDamaged("r1")

    monkeypatch.setattr(first, "records", damaged)
    night.session(every)
    assert every.told == ["session_started", "ended", "session_ended"]
