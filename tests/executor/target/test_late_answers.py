"""What another process writes while we reconcile: an answer, a job, a word of a person. It counts before our looks."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from fakes import acts
from fakes.clock import START
from fakes.clouds import NEW, OLD, FakeCloud
from fakes.stage import Stage, fold_all, later, plan_of, targets_of
from msgspec import structs

from orchestrator.executor.crash_points import Point
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Limits, Wave
from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import Outcome, Phase
from orchestrator.model.record.record import Record
from orchestrator.model.reply.reply import Entry
from orchestrator.model.run.state import TargetState

(TARGET,) = targets_of(1)
KEY = TARGET.proxy_id
ACCEPT = Entry(instance_id=TARGET.instance_id, workflow_id="wf-late", state="ACCEPT", error_message=None)


def about(attempt: int = 1) -> dict[str, Any]:
    return {"at": START, "target": KEY, "attempt": attempt}


INTENT = r.Intent(**about(), wave="all", token="t", source_version=OLD, target_version=NEW)
MISSING = r.AnswerMissing(**about())
ACCEPTED = r.AnswerSeen(**about(), verdict="accepted", update_result=(ACCEPT,))
ADOPTED = r.WorkflowAdopted(**about(), workflow_id="wf-late", evidence="the only one")
VERSION = r.VersionAdopted(**about(), version=NEW, evidence="version only")
SETTLED = r.Settled(**about(), outcome=Outcome.SUCCEEDED, settled_by="ann", note="seen in the console")
RETURNED = r.ReturnedToWaiting(**about(), settled_by="ann", note="saw nothing")
DISPROVED = r.AttemptDisproved(**about(), evidence="no job of it")
REMAINS = r.DoubtRemains(**about(), why="no evidence")
TIMED_OUT = r.FollowTimedOut(**about(), why="no end")
RENEWED = r.DoubtRenewed(**about(), why="a job shows")
NOT_SENT = r.AnswerSeen(**about(), verdict="not_sent", reason="it took too long")
THROTTLED = r.AnswerSeen(**about(), verdict="throttled", reason="HTTP 429")
UNCLEAR = r.AnswerSeen(**about(), verdict="in_doubt", reason="HTTP 504")
LOOKED = r.DoubtLooked(**about(), finding="nothing of it is seen")
SUSPECTED = r.DoubtLooked(**about(), finding="several jobs could be it", jobs=("j-1", "j-2"))
AGAIN = r.Intent(**about(2), wave="all", token="u", source_version=OLD, target_version=NEW)
LATER = structs.replace(AGAIN, at=START + timedelta(hours=1))


def phase_after(*records: Record) -> Phase:
    plan = plan_of([TARGET], waves=(Wave(name="all"),))
    return fold_all(plan, records).state(KEY).phase


BEGAN = {"accepted": ACCEPTED, "adopted": ADOPTED, "version": VERSION}


@pytest.mark.parametrize("news", BEGAN.values(), ids=BEGAN)
@pytest.mark.parametrize("conclusion", [DISPROVED, REMAINS, MISSING, RENEWED, RETURNED])
def test_once_it_is_known_that_it_began_a_conclusion_about_the_doubt_is_void(news: Record, conclusion: Record) -> None:
    if isinstance(conclusion, r.ReturnedToWaiting) and isinstance(news, r.VersionAdopted):
        pytest.skip("a person may settle an upgrade without a workflow_id as not sent")
    assert phase_after(INTENT, MISSING, news, conclusion) is Phase.IN_FLIGHT


@pytest.mark.parametrize("news", BEGAN.values(), ids=BEGAN)
@pytest.mark.parametrize("conclusion", [DISPROVED, REMAINS])
def test_what_shows_that_it_began_counts_after_any_conclusion(news: Record, conclusion: Record) -> None:
    assert phase_after(INTENT, MISSING, conclusion, news) is Phase.IN_FLIGHT


@pytest.mark.parametrize("conclusion", [DISPROVED, REMAINS, TIMED_OUT, ACCEPTED, ADOPTED])
def test_what_a_person_has_settled_stays_settled(conclusion: Record) -> None:
    assert phase_after(INTENT, MISSING, SETTLED, conclusion) is Phase.SETTLED


@pytest.mark.parametrize("conclusion", [DISPROVED, REMAINS, TIMED_OUT, MISSING])
def test_what_a_person_has_sent_back_waits(conclusion: Record) -> None:
    assert phase_after(INTENT, MISSING, RETURNED, conclusion) is Phase.WAITING


def test_a_conclusion_about_an_earlier_attempt_says_nothing_of_the_latest() -> None:
    assert phase_after(INTENT, MISSING, DISPROVED, AGAIN, DISPROVED) is Phase.IN_FLIGHT


def state_after(*records: Record) -> TargetState:
    return fold_all(plan_of([TARGET], waves=(Wave(name="all"),)), records).state(KEY)


def second(record: Record) -> Record:
    """The same of the second attempt."""
    return structs.replace(record, attempt=2)


@pytest.mark.parametrize("before", [(MISSING,), (MISSING, LOOKED)])
@pytest.mark.parametrize("conclusion", [(), (REMAINS,), (MISSING,), (LOOKED,)])
def test_the_senders_word_that_it_never_left_ends_a_doubt_that_is_nothing_but_silence(
    before: Sequence[Record], conclusion: Sequence[Record]
) -> None:
    state = state_after(INTENT, *before, NOT_SENT, *conclusion)
    assert (state.unsent, state.phase, state.doubtful_from) == (True, Phase.IN_FLIGHT, None)


@pytest.mark.parametrize(
    ("records", "phase"),
    [
        ((INTENT, MISSING, DISPROVED, AGAIN, second(MISSING), NOT_SENT), Phase.DOUBT),
        ((INTENT, MISSING, DISPROVED, AGAIN, second(MISSING), second(NOT_SENT)), Phase.DOUBT),
        ((INTENT, UNCLEAR, DISPROVED, AGAIN, second(MISSING), second(NOT_SENT)), Phase.DOUBT),
        ((INTENT, THROTTLED, RENEWED, DISPROVED, LATER, second(MISSING), second(NOT_SENT)), Phase.DOUBT),
        ((INTENT, UNCLEAR, NOT_SENT), Phase.DOUBT),
        ((INTENT, MISSING, SUSPECTED, NOT_SENT), Phase.DOUBT),
        ((INTENT, MISSING, RENEWED, NOT_SENT), Phase.DOUBT),
        ((INTENT, MISSING, REMAINS, NOT_SENT), Phase.IN_DOUBT),
        ((INTENT, MISSING, TIMED_OUT, NOT_SENT), Phase.TIMED_OUT),
        ((INTENT, MISSING, ADOPTED, NOT_SENT), Phase.IN_FLIGHT),
        ((INTENT, MISSING, ADOPTED, UNCLEAR), Phase.IN_FLIGHT),
        ((INTENT, MISSING, VERSION, NOT_SENT), Phase.IN_FLIGHT),
        ((INTENT, MISSING, SETTLED, NOT_SENT), Phase.SETTLED),
        ((INTENT, MISSING, RETURNED, NOT_SENT), Phase.WAITING),
        ((INTENT, MISSING, NOT_SENT, DISPROVED), Phase.WAITING),
        *(((INTENT, MISSING, structs.replace(NOT_SENT, verdict=no)), Phase.DOUBT) for no in ("throttled", "refused")),
    ],
)
def test_no_other_word_ends_it(records: Sequence[Record], phase: Phase) -> None:
    state = state_after(*records)
    assert (state.unsent, state.phase) == (False, phase)


# --- a process that reconciles meanwhile ------------------------------------------------------------------------------


def stage(script: Callable[[Dispatcher], Awaitable[None]], after_s: float) -> Stage:
    """The first target's job is not listed and its answer never comes here; the second shows that jobs are listed."""
    targets = targets_of(2)

    def prepare(cloud: FakeCloud) -> None:
        cloud.acts[targets[0].proxy_id] = [acts.LOST_REQUEST]

    return Stage(
        plan=plan_of(
            targets,
            waves=(Wave(name="all"),),
            failures=Failures(max=Amount(10), mode="soft"),
            limits=Limits(ramp=False, in_flight=Amount(2)),
        ),
        cloud_of=prepare,
        script=(later(after_s, script),),
    )


def writing(made: Callable[[datetime], Sequence[Record]]) -> Callable[[Dispatcher], Awaitable[None]]:
    async def write(dispatcher: Dispatcher) -> None:
        await dispatcher.session.ledger.record(*made(dispatcher.session.clock.now()))

    return write


def accepted(at: datetime) -> Sequence[Record]:
    return [r.AnswerSeen(at=at, target=KEY, attempt=1, verdict="accepted", update_result=(ACCEPT,))]


def adopted(at: datetime) -> Sequence[Record]:
    return [r.WorkflowAdopted(at=at, target=KEY, attempt=1, workflow_id="wf-late", evidence="seen by another host")]


def in_doubt(at: datetime) -> Sequence[Record]:
    return [r.AnswerSeen(at=at, target=KEY, attempt=1, verdict="in_doubt", http_status=502, reason="bad gateway")]


def not_sent(at: datetime) -> Sequence[Record]:
    return [structs.replace(NOT_SENT, at=at)]


def heard(made: Callable[[datetime], Sequence[Record]]) -> Callable[[Dispatcher], Awaitable[None]]:
    """The journal brings what another host has written."""

    async def hear(dispatcher: Dispatcher) -> None:
        for record in made(dispatcher.session.clock.now()):
            dispatcher.session.on_others(record)

    return hear


def successor(after_s: float, what: Callable[[datetime], Sequence[Record]]) -> Stage:
    """The session of the host that goes on: the one before it had the first target's intent written, and was silent."""
    records: list[Record] = [r.WaveOpened(at=START, wave="all"), INTENT]
    made = replace(stage(heard(what), after_s), records=records, start=START + timedelta(seconds=12))
    made.cloud_of = lambda _cloud: None
    return made


@pytest.mark.parametrize("after_s", [1.5, 40.0, 400.0, 880.0])
def test_a_late_word_that_nothing_was_sent_ends_the_doubt_at_once(after_s: float) -> None:
    made = successor(after_s, not_sent)
    played = made.play()
    assert (played.cloud.upgrades[KEY], played.state(0).outcome) == (1, Outcome.SUCCEEDED)
    assert not played.of(r.AttemptDisproved)
    (back,) = [each for each in played.of(r.Postponed) if each.target == KEY]
    assert back.why == "not_sent: it took too long"
    assert back.at - made.start < timedelta(seconds=after_s + 5)  # a look that has begun comes to its end


def test_without_a_word_the_doubt_lasts_its_whole_period() -> None:
    played = successor(1.0, lambda _at: ()).play()
    (disproved,) = played.of(r.AttemptDisproved)
    assert disproved.at >= START + timedelta(minutes=15)


@pytest.mark.parametrize("made", [accepted, adopted])
def test_news_during_a_doubt_ends_it_and_nothing_is_sent_again(made: Callable[[datetime], Sequence[Record]]) -> None:
    played = stage(writing(made), 400.0).play()
    assert played.cloud.upgrades[KEY] == 1
    assert not played.of(r.AttemptDisproved)
    assert "wf-late" in played.state(0).jobs


def test_news_between_a_look_and_its_conclusion_ends_the_doubt() -> None:
    written: list[Point] = []

    async def write(dispatcher: Dispatcher) -> None:
        session = dispatcher.session

        def at_evidence(point: Point) -> None:
            if point is Point.EVIDENCE_READ and not written:
                written.append(point)
                session.ledger.note(accepted(session.clock.now())[0])

        session.reached = at_evidence
        await session.clock.sleep(0)

    played = stage(write, 895.0).play()
    assert written
    assert played.cloud.upgrades[KEY] == 1
    assert played.state(0).standing != "waiting"


@pytest.mark.parametrize("point", [Point.TARGET_CHOSEN, Point.PREFLIGHT_READ])
@pytest.mark.parametrize("made", [accepted, adopted])
def test_news_while_the_next_attempt_is_prepared_is_followed_and_nothing_is_sent(
    made: Callable[[datetime], Sequence[Record]], point: Point
) -> None:
    written: list[Point] = []

    async def write(dispatcher: Dispatcher) -> None:
        session = dispatcher.session

        def here(reached: Point) -> None:
            if reached is point and not written:
                written.append(reached)
                session.on_others(made(session.clock.now())[0])

        session.reached = here
        await session.clock.sleep(0)

    plan = plan_of([TARGET], waves=(Wave(name="all"),))
    began = Stage(plan=plan).play().records[:2]
    played = Stage(plan=plan, records=(*began, INTENT, MISSING, DISPROVED), script=(write,)).play()
    assert written
    assert not played.cloud.upgrades[KEY]
    assert not played.of(r.StoryFailed)
    assert "wf-late" in played.state(0).jobs


@pytest.mark.parametrize("wait_s", [0.0, 3600.0])
def test_a_doubt_that_comes_late_is_looked_into_though_its_story_had_ended(wait_s: float) -> None:
    """A person had sent the target back; it waits, or is prepared once more, when the answer comes."""
    made = stage(heard(in_doubt), 1.0)
    until = START + timedelta(seconds=wait_s)
    records: list[Record] = [
        r.WaveOpened(at=START, wave="all"),
        INTENT,
        MISSING,
        r.ReturnedToWaiting(at=START, target=KEY, attempt=1, settled_by="ann", note="the console shows nothing"),
        r.Postponed(at=START, target=KEY, attempt=1, wave="all", why="busy", until=until, busy=True),
    ]
    played = replace(made, records=records, cloud_of=lambda _cloud: None).play()
    (disproved,) = played.of(r.AttemptDisproved)
    assert disproved.at >= START + timedelta(minutes=15)
    assert disproved.at < START + timedelta(minutes=30)
    assert (played.cloud.upgrades[KEY], played.state(0).outcome) == (1, Outcome.SUCCEEDED)


def test_what_a_person_decides_right_after_news_of_it_is_taken_up_by_nobody() -> None:
    seen: list[bool] = []

    async def decide(dispatcher: Dispatcher) -> None:
        session = dispatcher.session
        at = session.clock.now()
        session.on_others(in_doubt(at)[0])
        record = session.ledger.record

        async def recorded(*records: Record) -> None:
            await session.clock.sleep(1)  # a slow disk
            seen.append(any(state.key == KEY for state in session.stories.awake()))
            await record(*records)

        session.ledger.record = recorded  # type: ignore[method-assign]  # only the disk is slower
        await dispatcher.overrule(
            r.Settled(at=at, target=KEY, attempt=1, outcome=Outcome.FAILED, reason="seen", settled_by="ann")
        )
        session.ledger.record = record  # type: ignore[method-assign]

    played = stage(decide, 400.0).play()
    assert seen[0] is False
    assert [each.outcome for each in played.of(r.Settled) if each.target == KEY] == [Outcome.FAILED]


def test_what_is_known_to_have_begun_is_not_sent_back_to_wait() -> None:
    busy = r.Postponed(**about(), wave="all", why="busy", until=START, busy=True)
    assert phase_after(INTENT, MISSING, DISPROVED, ACCEPTED, busy) is Phase.IN_FLIGHT
    assert phase_after(INTENT, MISSING, DISPROVED, busy) is Phase.WAITING


def test_a_late_answer_is_as_old_as_the_clock_of_the_host_that_sent_it_says() -> None:
    far = START + timedelta(days=2)
    session = r.SessionStarted(at=START, step="session", number=1, pid=1, host="a", orchestrator_version="0")
    taken = structs.replace(session, at=far, number=2, host="b")
    clocks = r.Clocks(monotonic_s=1.0, cloud_at=START + timedelta(seconds=40), within_s=1.0)
    intent = structs.replace(INTENT, clocks=clocks)
    late = structs.replace(ACCEPTED, at=START + timedelta(seconds=9))
    run = fold_all(plan_of([TARGET], waves=(Wave(name="all"),)), (session, intent, taken, MISSING, late))
    accepted_at = run.state(KEY).accepted_at
    assert accepted_at is not None
    assert (accepted_at.session, accepted_at.cloud_at) == (1, START + timedelta(seconds=49))
    assert run.timeline.elapsed_s(accepted_at, far + timedelta(seconds=5), "default") <= 5.0


# --- who concludes that nothing began, and has not heard of an answer ------------------------------------------------

NOTHING = [
    r.Settled(**about(), outcome=outcome, wave="all", reason="seen")
    for outcome in (Outcome.ALREADY, Outcome.REJECTED, Outcome.DEFERRED, Outcome.SKIPPED)
]


@pytest.mark.parametrize("settled", NOTHING, ids=[each.outcome.value for each in NOTHING])
@pytest.mark.parametrize(("late", "phase"), [(ACCEPTED, Phase.IN_FLIGHT), (UNCLEAR, Phase.DOUBT)])
def test_that_nothing_began_is_void_where_a_late_answer_says_otherwise(
    settled: r.Settled, late: Record, phase: Phase
) -> None:
    disproved = (INTENT, MISSING, DISPROVED, RENEWED, DISPROVED)
    for crossing in ((settled, late), (late, settled)):
        state = state_after(*disproved, *crossing)
        assert (state.phase, state.outcome, state.ended, state.settled_at) == (phase, None, None, None)
        assert list(state.jobs) == (["wf-late"] if late is ACCEPTED else [])


def test_a_late_doubt_is_not_sent_back_to_wait_by_one_that_had_not_heard_of_it() -> None:
    busy = r.Postponed(**about(), wave="all", why="busy", until=START, busy=True)
    assert phase_after(INTENT, MISSING, DISPROVED, UNCLEAR, busy) is Phase.DOUBT


def test_what_a_person_has_sent_back_without_its_workflow_waits_for_a_busy_instance() -> None:
    busy = r.Postponed(**about(), wave="all", why="busy", until=LATER.at, busy=True)
    state = state_after(INTENT, MISSING, VERSION, RETURNED, busy)
    assert (state.phase, state.not_before) == (Phase.WAITING, LATER.at)


@pytest.mark.parametrize("answer_first", [True, False])
@pytest.mark.parametrize(("late", "seen"), [(accepted, ["wf-late"]), (in_doubt, [])])
def test_what_began_is_followed_though_it_was_left_out_in_the_same_instant(
    late: Callable[[datetime], Sequence[Record]], seen: Sequence[str], *, answer_first: bool
) -> None:
    crossed: list[Record] = []

    async def cross(dispatcher: Dispatcher) -> None:
        journal, session = made.journal, dispatcher.session
        assert journal is not None
        durable = journal.on_durable

        def on_durable(record: Record) -> None:
            if not isinstance(record, r.Settled) or crossed:
                durable(record)
                return
            crossed.append(record)
            for each in ("answer", "settlement") if answer_first else ("settlement", "answer"):
                if each == "answer":
                    session.on_others(late(session.clock.now())[0])
                else:
                    durable(record)

        journal.on_durable = on_durable
        await session.clock.sleep(0)

    plan = plan_of(
        targets_of(2),
        waves=(Wave(name="all", size=Amount(1)), Wave(name="rest")),
        limits=Limits(ramp=False, in_flight=Amount(5)),
        failures=Failures(max=Amount(5), mode="soft"),
    )
    began = Stage(plan=plan).play().records[:2]
    made = Stage(plan=plan, records=(*began, INTENT, MISSING, DISPROVED, RENEWED, DISPROVED), script=(cross,))
    made.cloud_of = lambda cloud: cloud.can_upgrade.update({KEY: False})
    played = made.play()
    assert [each.outcome for each in crossed if isinstance(each, r.Settled)] == [Outcome.SKIPPED]
    assert not played.cloud.upgrades.total()  # nor does its wave of one draw another in its place
    assert not played.of(r.StoryFailed)
    assert list(played.state(0).jobs) == seen
    assert played.of(r.FollowTimedOut if seen else r.DoubtLooked)
