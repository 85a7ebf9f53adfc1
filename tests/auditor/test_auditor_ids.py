"""Whose a workflow is that two targets were given: the audit says what the evidence says, and so does the program."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from auditor.ids import Ids
from auditor.journal import Book, read_book
from fakes.clock import START
from fakes.stage import fold_all, plan_of, targets_of

from orchestrator.model.plan.plan import Wave
from orchestrator.model.plan.target import Target
from orchestrator.model.record import record as r
from orchestrator.model.reply.reply import Entry
from orchestrator.tracker.journal.line import encode_lines

#: Two on one instance, one on another.
MINE, NEIGHBOUR, FAR = targets_of(3, per_instance=2)
PLAN = plan_of([MINE, NEIGHBOUR, FAR], waves=(Wave(name="all"),))
JOB = "wf-1"
TAKEN = "workflow wf-1 was given to another target too"


def sent(target: Target) -> r.Record:
    return r.Intent(
        at=START,
        target=target.proxy_id,
        attempt=1,
        wave="all",
        token=target.proxy_id,
        source_version="1",
        target_version="2",
    )


def doubted(target: Target) -> r.Record:
    return r.AnswerSeen(at=START, target=target.proxy_id, attempt=1, verdict="in_doubt")


def answered(target: Target, *, stray: bool = True) -> r.Record:
    """An answer that names the job; `stray`: it was known before the question."""
    entry = Entry(instance_id=None, workflow_id=JOB, state="ACCEPT", error_message=None)
    return r.AnswerSeen(
        at=START,
        target=target.proxy_id,
        attempt=1,
        verdict="in_doubt" if stray else "accepted",
        update_result=(entry,),
        strays=(JOB,) if stray else (),
    )


def adopted(target: Target, *, named: bool = False, listed: bool = False) -> r.Record:
    return r.WorkflowAdopted(
        at=START, target=target.proxy_id, attempt=1, workflow_id=JOB, evidence="seen", named=named, listed=listed
    )


def seen(target: Target) -> r.Record:
    return r.JobSeen(at=START, target=target.proxy_id, attempt=1, workflow_id=JOB, status="Running", ended=False)


@dataclass(frozen=True)
class Case:
    """What is recorded after the intents of all, whose the job is then, and of whom it is told that it was taken."""

    records: tuple[r.Record, ...]
    owner: Target | None
    told: tuple[Target, ...] = ()


CASES = {
    "the only one that could be": Case((adopted(MINE), answered(FAR)), None, (MINE,)),
    "it names the proxy": Case((adopted(MINE, named=True), answered(FAR)), MINE),
    "it names the proxy, asked for beside it": Case((adopted(MINE, named=True), answered(NEIGHBOUR)), MINE),
    "it runs on the instance": Case((adopted(MINE, listed=True), answered(FAR)), MINE),
    "it runs on the instance of both": Case((adopted(MINE, listed=True), answered(NEIGHBOUR)), None, (MINE,)),
    "it was followed": Case((adopted(MINE), seen(MINE), answered(FAR)), MINE),
    "it turns out to name the other": Case(
        (adopted(MINE, named=True), adopted(NEIGHBOUR, named=True)), NEIGHBOUR, (MINE,)
    ),
    "it named one that has lost it since": Case(
        (adopted(MINE, named=True), adopted(NEIGHBOUR), answered(FAR)), None, (MINE, NEIGHBOUR)
    ),
    "it was an answer alone": Case((answered(MINE, stray=False), answered(FAR)), None, (MINE,)),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_workflow_that_two_were_given_stays_with_the_one_that_the_job_itself_shows(
    case: Case, tmp_path: Path
) -> None:
    records = [*map(sent, (MINE, NEIGHBOUR, FAR)), *map(doubted, (NEIGHBOUR, FAR)), *case.records]
    run = fold_all(PLAN, records)
    (tmp_path / "journal").write_bytes(encode_lines(records, 1))
    book: Book = read_book(tmp_path / "journal")
    ids = Ids(book, {target.proxy_id: target.instance_id for target in PLAN.proxies})
    by_audit = {target.proxy_id: list(ids.of[target.proxy_id]) for target in PLAN.proxies}
    told = {target.proxy_id for target in PLAN.proxies if any(said == TAKEN for _, said in ids.told[target.proxy_id])}
    assert by_audit == {key: list(state.jobs) for key, state in run.states.items()}
    assert by_audit == {target.proxy_id: [JOB] * (target is case.owner) for target in PLAN.proxies}
    assert told == {target.proxy_id for target in case.told}
    assert told == {key for key, state in run.states.items() if TAKEN in state.evidence}
