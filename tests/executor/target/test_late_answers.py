"""What another process writes while we reconcile: an answer, a job, a word of a person. It counts before our looks."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

import pytest
from fakes import acts
from fakes.clock import START
from fakes.clouds import NEW, OLD, FakeCloud
from fakes.stage import Stage, fold_all, later, plan_of, targets_of

from orchestrator.executor.crash_points import Point
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Limits, Wave
from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import Outcome, Phase
from orchestrator.model.record.record import Record
from orchestrator.model.reply.reply import Entry

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
    again = r.Intent(**about(2), wave="all", token="u", source_version=OLD, target_version=NEW)
    assert phase_after(INTENT, MISSING, DISPROVED, again, DISPROVED) is Phase.IN_FLIGHT


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
