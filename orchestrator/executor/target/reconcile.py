"""Finding out what became of a doubtful attempt: looking again and again, and recording what the evidence allows."""

from collections.abc import Container
from datetime import timedelta
from functools import partial

import msgspec
from msgspec import structs

from orchestrator.executor.crash_points import Point
from orchestrator.executor.rate.lane import Lane
from orchestrator.executor.scope.jobs.job_list import JobList
from orchestrator.executor.scope.poll_schedule import DOUBT_AT_MOST_S, LIST_FRESH_S, SPARSEST_S, doubt_period_s
from orchestrator.executor.session import Session
from orchestrator.executor.target.doubt import Doubt, Sight
from orchestrator.executor.target.evidence import (
    CREATED_MARGIN,
    Adopt,
    Conclusion,
    Happened,
    NeverBegan,
    Unknown,
    known_elsewhere,
    weigh,
)
from orchestrator.executor.target.named_jobs import read_named
from orchestrator.executor.target.proxy_reads import read_health, read_version
from orchestrator.model.record.moment import Moment
from orchestrator.model.record.outcome import Phase
from orchestrator.model.record.record import (
    AttemptDisproved,
    DoubtLooked,
    DoubtRemains,
    FollowTimedOut,
    Record,
    VersionAdopted,
    WorkflowAdopted,
)
from orchestrator.model.reply.reply import Answered, Entry, Job, key_of, same_id
from orchestrator.model.run.run import Run
from orchestrator.model.run.state import TargetState
from orchestrator.spoken import counted


async def reconcile(state: TargetState, session: Session) -> bool:
    """Look until it is known what happened. True: the upgrade began, and is to be followed.

    False: it never began, and the target waits for another attempt, or is settled; or its attempt is `unsent`, from
    which the caller draws the consequences. While neither can be shown, it keeps looking. What others have written
    meanwhile, such as a late answer, counts before any look of ours.
    """
    gap_s = session.plan.follow.poll_s
    await session.calls(state).gate.passage(patient=True)  # the cloud's time is known then
    while not _known(state):
        left_s = _left_s(state, session)
        over = left_s <= 0
        conclusion = await _look(state, session, left_s=left_s)
        if _known(state):
            break
        if not isinstance(conclusion, Unknown):
            await _record(state, session, conclusion)
            session.reached(Point.DOUBT_RESOLVED)
            return state.phase is not Phase.WAITING
        if over and session.rollout.only_accepted and conclusion.began:
            return True
        await _record_unknown(state, session, conclusion, over=over)
        await session.sleep(state, gap_s if over else min(gap_s, max(0.0, _left_s(state, session))))
        gap_s = min(2 * gap_s, SPARSEST_S if over else DOUBT_AT_MOST_S)
    return state.began


def _known(state: TargetState) -> bool:
    """Whether another's record has ended the doubt: an answer of the attempt itself, a job, a person's word."""
    return state.began or state.unsent or not state.is_open


def _period_s(session: Session) -> float:
    return doubt_period_s(session.plan.retry.resend_after_s, session.plan.http.timeout_s)


def _left_s(state: TargetState, session: Session) -> float:
    """How much of the doubt period is left; less than nothing when it has passed."""
    return _period_s(session) - session.elapsed_s(state, state.doubt_since or state.last.sent)


async def _look(state: TargetState, session: Session, *, left_s: float) -> Conclusion:
    named = await _named(state, session)
    if named is not None:
        return named
    sight = Sight(
        listing=await _read_listing(state, session, left_s=left_s),
        version=await read_version(state, session),
        health=await read_health(state, session),
    )
    session.reached(Point.EVIDENCE_READ)
    doubt = await _doubt(state, session, sight.listing, over=left_s <= 0)
    conclusion = await _weigh(doubt, sight, session)
    if isinstance(conclusion, NeverBegan | Happened):
        age_s = LIST_FRESH_S if left_s > 0 else min(LIST_FRESH_S, -left_s)
        astray = await read_named(state, session, after=session.clock.now() - timedelta(seconds=age_s))
        if astray is None:
            return Unknown(
                "a workflow that an answer named could not be looked up", began=isinstance(conclusion, Happened)
            )
        sight = structs.replace(sight, named=astray.jobs, unexplained=astray.unexplained)
        conclusion = await _weigh(doubt, sight, session)
    if isinstance(conclusion, NeverBegan) and len(state.attempts) >= session.plan.retry.attempts:
        return Unknown(
            f"{conclusion.evidence}; but it has had {counted(len(state.attempts), 'attempt')}, and no more are allowed"
        )
    return conclusion


async def _weigh(doubt: Doubt, sight: Sight, session: Session) -> Conclusion:
    """The conclusion, when it is known what other runs tell of the ids that they share with jobs here."""
    shared = sorted(known_elsewhere(doubt, sight) - session.run.workflows.keys())
    elsewhere = {key: await session.told_elsewhere(key) for key in shared}
    return weigh(structs.replace(doubt, elsewhere=elsewhere), sight)


async def _named(state: TargetState, session: Session) -> Adopt | None:
    """The workflows that doubtful answers named: accepted ones, and those that the cloud knows as jobs."""
    entries = [entry for entry in state.doubtful_entries if entry.workflow_id]
    ids = [entry.workflow_id for entry in entries if entry.accepted or await _is_job(entry, state, session)]
    named = tuple(filter(None, ids))
    return Adopt(named, f"the answer named {', '.join(named)}") if named else None


async def _is_job(entry: Entry, state: TargetState, session: Session) -> bool:
    reply = await session.calls(state).read(lambda api: api.job(entry.workflow_id or ""), Lane.POLL)
    return isinstance(reply, Answered) and reply.value is not None


async def _read_listing(state: TargetState, session: Session, *, left_s: float) -> JobList | None:
    timeline, scope = session.run.timeline, state.target.scope
    instants = [timeline.earliest(_first_doubt(state), scope) - CREATED_MARGIN]
    accepted = session.run.accepted_in.get(scope)
    if accepted is not None:
        # Absence counts only where presence is seen: reach back to the latest upgrade that was accepted.
        instants.append(timeline.earliest(accepted, scope) - CREATED_MARGIN)
    after = session.clock.now() + timedelta(seconds=left_s) if left_s <= 0 else None
    return await session.board(state).since(instants, max_age_s=session.plan.follow.poll_s / 2, after=after)


async def _doubt(state: TargetState, session: Session, listing: JobList | None, *, over: bool) -> Doubt:
    run, target = session.run, state.target
    latest = run.timeline.cloud_time(state.last.sent, target.scope) + timedelta(seconds=_period_s(session))
    known, open_to = await session.known_workflows(), _open(state, run, listing)
    return Doubt(
        proxy_id=target.proxy_id,
        instance_id=target.instance_id,
        source_version=state.last.intent.source_version,
        target_version=session.plan.target_version,
        earliest=run.timeline.cloud_time(_first_doubt(state), target.scope),
        latest=latest,
        not_before=run.timeline.earliest(_first_doubt(state), target.scope),
        suspects=state.suspects,
        ours=_Ours(known, run.workflows, open_to),
        claimed=set(filter(run.workflows.__contains__, open_to - _misplaced(state, run, listing))),
        presence=run.accepted,
        job_names=run.job_names.get(target.scope, set()),
        alone=len(run.unknown_on(target.instance_id)) <= 1,
        named=frozenset(key_of(entry.workflow_id) for entry in state.doubtful_entries if entry.workflow_id),
        shown_before=_ShownBefore(session, state),
        accepted=any(entry.accepted for entry in state.doubtful_entries),
        period_over=over,
    )


class _ShownBefore(msgspec.Struct, frozen=True):
    """Jobs that a list of this session had shown before the first attempt of a target. Only looked up."""

    session: Session
    state: TargetState

    def __contains__(self, key: object) -> bool:
        first = self.session.run.timeline.here(self.state.attempts[0].sent)
        return first is not None and isinstance(key, str) and self.session.board(self.state).showed(key, first)


class _Ours(msgspec.Struct, frozen=True):
    """Workflows that are ours and not open to be the one in doubt. Only looked up: they may be a million.

    Attributes:
        known: of the state folder.
        run: of this run.
        open_to: those that may be the target's all the same.
    """

    known: Container[str]
    run: Container[str]
    open_to: Container[str]

    def __contains__(self, key: object) -> bool:
        return (key in self.known or key in self.run) and key not in self.open_to


def _open(state: TargetState, run: Run, listing: JobList | None) -> set[str]:
    """Workflows of ours that may be this target's all the same: nobody's, given to it too, or by the list."""
    nobodys = {each for each in run.contested if each not in run.workflows}
    explained = {job.key for job in _listed(state, listing) if _names_owner(job, run) and not job.names(state.key)}
    return (nobodys | state.shared | _misplaced(state, run, listing)) - explained


def _misplaced(state: TargetState, run: Run, listing: JobList | None) -> set[str]:
    """Jobs here that answers gave to targets elsewhere, or that name this one and no owner: the list knows better."""
    here = state.target.instance_id
    return {
        job.key
        for job in _listed(state, listing)
        if (owner := run.workflows.get(job.key)) not in (None, state.key)
        and (not same_id(run.targets[owner].instance_id, here) or (job.names(state.key) and not job.names(owner)))
    }


def _listed(state: TargetState, listing: JobList | None) -> list[Job]:
    return [] if listing is None else listing.about(state.target.instance_id, state.key)


def _names_owner(job: Job, run: Run) -> bool:
    owner = run.workflows.get(job.key)
    return owner is not None and job.names(owner)


def _first_doubt(state: TargetState) -> Moment:
    return state.doubtful_from or state.last.sent


async def _record(state: TargetState, session: Session, conclusion: Adopt | Happened | NeverBegan) -> None:
    about = session.about(state)
    evidence = conclusion.evidence
    records: list[Record]
    match conclusion:
        case Adopt(workflow_ids=ids, named=named, listed=listed):
            adopted = partial(WorkflowAdopted, **about, evidence=evidence, named=named, listed=listed)
            records = [adopted(workflow_id=each) for each in ids]
        case Happened(version=version):
            records = [VersionAdopted(**about, version=version, evidence=evidence)]
        case NeverBegan():
            records = [_disproved(state, session, evidence)]
    await session.ledger.record(*records)


def _disproved(state: TargetState, session: Session, evidence: str) -> AttemptDisproved:
    return AttemptDisproved(
        **session.about(state), evidence=evidence, clocks=session.clocks(state), period_s=_period_s(session)
    )


async def _record_unknown(state: TargetState, session: Session, unknown: Unknown, *, over: bool) -> None:
    """Record a finding that is new; when all patience is spent, the target keeps no session alive any more."""
    about = session.about(state)
    if (
        not state.evidence
        or state.evidence[-1] != unknown.why
        or not state.suspects.issuperset(map(key_of, unknown.jobs))
    ):
        await session.ledger.record(DoubtLooked(**about, finding=unknown.why, jobs=unknown.jobs))
    if not over or (unknown.began and not _overdue(state, session)):
        return
    if state.phase is Phase.DOUBT:
        await session.ledger.record(_spent(state, session, unknown))
    session.rest(state)


def _spent(state: TargetState, session: Session, unknown: Unknown) -> Record:
    about = session.about(state)
    if unknown.began:
        period_s = session.plan.follow.timeout_s
        return FollowTimedOut(**about, why=unknown.why, clocks=session.clocks(state), period_s=period_s)
    return DoubtRemains(**about, why=unknown.why)


def _overdue(state: TargetState, session: Session) -> bool:
    """Whether an upgrade that began, though its job is not known, should have ended by now."""
    return session.elapsed_s(state, state.last.sent) >= session.plan.follow.timeout_s
