"""Finding out what became of a doubtful attempt: looking again and again, and recording what the evidence allows."""

from datetime import datetime, timedelta

from orchestrator.executor.evidence import (
    CREATED_MARGIN,
    Adopt,
    Conclusion,
    Doubt,
    Happened,
    NeverBegan,
    Sight,
    Unknown,
    weigh,
)
from orchestrator.executor.lanes import Lane
from orchestrator.executor.listing import Listing
from orchestrator.executor.looks import DOUBT_AT_MOST_S, SPARSEST_S, doubt_period_s
from orchestrator.executor.points import Point
from orchestrator.executor.readings import read_health, read_version
from orchestrator.executor.session import Session
from orchestrator.model.outcome import Phase
from orchestrator.model.record import (
    AttemptDisproved,
    DoubtLooked,
    DoubtRemains,
    Record,
    VersionAdopted,
    WorkflowAdopted,
)
from orchestrator.model.reply import Answered
from orchestrator.model.state import TargetState, is_accept, is_reject


async def reconcile(state: TargetState, session: Session) -> bool:
    """Look until it is known what happened. True: the upgrade began, and is to be followed.

    False: it never began, and the target waits for another attempt. While neither can be shown, it keeps looking.
    """
    gap_s = session.plan.follow.poll_s
    while True:
        over = _period_over(state, session)
        conclusion = await _look(state, session, over=over)
        if not isinstance(conclusion, Unknown):
            await _record(state, session, conclusion)
            session.reached(Point.DOUBT_RESOLVED)
            return state.phase is not Phase.WAITING
        if over and session.rollout.only_accepted and was_accepted(state):
            return True
        await _record_unknown(state, session, conclusion, over=over)
        await session.clock.sleep(min(gap_s, _left_s(state, session) if not over else gap_s))
        gap_s = min(2 * gap_s, SPARSEST_S if over else DOUBT_AT_MOST_S)


def _period_ends(state: TargetState, session: Session) -> datetime:
    period_s = doubt_period_s(session.plan.retry.resend_after_s, session.plan.http.timeout_s)
    return state.last.intent.at + timedelta(seconds=period_s)


def _left_s(state: TargetState, session: Session) -> float:
    return max(0.0, (_period_ends(state, session) - session.clock.now()).total_seconds())


def _period_over(state: TargetState, session: Session) -> bool:
    return session.clock.now() >= _period_ends(state, session)


async def _look(state: TargetState, session: Session, *, over: bool) -> Conclusion:
    named = await _poll_named(state, session)
    if named is not None:
        return named
    sight = Sight(
        listing=await _read_listing(state, session, over=over),
        version=await read_version(state, session),
        health=await read_health(state, session),
    )
    session.reached(Point.EVIDENCE_READ)
    doubt = await _doubt(state, session, over=over)
    conclusion = weigh(doubt, sight)
    if isinstance(conclusion, NeverBegan) and len(state.attempts) >= session.plan.retry.attempts:
        return Unknown(f"{conclusion.evidence}; but all {len(state.attempts)} attempts are used up")
    return conclusion


async def _poll_named(state: TargetState, session: Session) -> Adopt | None:
    """Ids that doubtful answers named, polled first: a job that exists says that it happened."""
    for job_id in _named_ids(state):
        reply = await session.calls(state).read(lambda api, job_id=job_id: api.job(job_id), Lane.POLL)  # type: ignore[misc]
        if isinstance(reply, Answered) and reply.value is not None:
            return Adopt(job_id, f"the answer named {job_id}, and the cloud knows it as a job: {reply.value.status}")
    return None


def _named_ids(state: TargetState) -> list[str]:
    answers = (attempt.answer for attempt in state.attempts if attempt.answer and attempt.doubtful)
    entries = (entry for answer in answers for entry in answer.update_result)
    return [entry.workflow_id for entry in entries if entry.workflow_id and not is_reject(entry)]


async def _read_listing(state: TargetState, session: Session, *, over: bool) -> Listing | None:
    instants = [_first_doubt(state) - CREATED_MARGIN]
    accepted = session.run.accepted_in.get(state.target.scope, [])
    if accepted and accepted[-1] < _first_doubt(state):
        # Absence counts only where presence is seen: reach back to the latest upgrade that was accepted before.
        instants.append(accepted[-1] - CREATED_MARGIN)
    after = _period_ends(state, session) if over else state.last.intent.at
    return await session.board(state).since(instants, max_age_s=session.plan.follow.poll_s / 2, after=after)


async def _doubt(state: TargetState, session: Session, *, over: bool) -> Doubt:
    run, target = session.run, state.target
    known = await session.known_workflows()
    return Doubt(
        proxy_id=target.proxy_id,
        instance_id=target.instance_id,
        source_version=state.last.intent.source_version,
        target_version=session.plan.target_version,
        intent_at=_first_doubt(state),
        cloud_offset_s=session.calls(state).cloud_offset_s,
        ours=known | run.workflows.keys(),
        presence=run.workflows.keys(),
        job_names=run.job_names.get(target.scope, set()),
        alone=len(run.unknown_on(target.instance_id)) <= 1,
        accepted=was_accepted(state),
        period_over=over,
    )


def _first_doubt(state: TargetState) -> datetime:
    return state.doubtful_from or state.last.intent.at


def was_accepted(state: TargetState) -> bool:
    """Whether a doubtful answer said ACCEPT, so that only the id of the workflow is in doubt."""
    answers = (attempt.answer for attempt in state.attempts if attempt.answer and attempt.doubtful)
    return any(is_accept(entry) for answer in answers for entry in answer.update_result)


async def _record(state: TargetState, session: Session, conclusion: Adopt | Happened | NeverBegan) -> None:
    now, attempt = session.clock.now(), len(state.attempts)
    record: Record
    match conclusion:
        case Adopt(workflow_id=workflow_id, evidence=evidence):
            record = WorkflowAdopted(
                at=now, target=state.key, attempt=attempt, workflow_id=workflow_id, evidence=evidence
            )
        case Happened(version=version, evidence=evidence):
            record = VersionAdopted(at=now, target=state.key, attempt=attempt, version=version, evidence=evidence)
        case NeverBegan(evidence=evidence):
            record = AttemptDisproved(at=now, target=state.key, attempt=attempt, evidence=evidence)
    await session.ledger.record(record)


async def _record_unknown(state: TargetState, session: Session, unknown: Unknown, *, over: bool) -> None:
    """Record a finding that is new; after the doubt period the target is `in_doubt` and keeps no session alive."""
    now, attempt = session.clock.now(), len(state.attempts)
    if not state.evidence or state.evidence[-1] != unknown.why:
        await session.ledger.record(DoubtLooked(at=now, target=state.key, attempt=attempt, finding=unknown.why))
    if not over:
        return
    if state.phase is not Phase.IN_DOUBT:
        await session.ledger.record(DoubtRemains(at=now, target=state.key, attempt=attempt, why=unknown.why))
    session.rest(state)
