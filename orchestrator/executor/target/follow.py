"""Following an accepted upgrade until the cloud says that it ended."""

from datetime import datetime, timedelta

import msgspec

from orchestrator.executor.crash_points import Point
from orchestrator.executor.rate.lane import Lane
from orchestrator.executor.scope.jobs.job_list import has_ended
from orchestrator.executor.scope.poll_schedule import SPARSEST_S, TRUSTED_LISTS, next_look_s
from orchestrator.executor.session import Session
from orchestrator.executor.target.evidence import ended_before
from orchestrator.executor.target.proxy_reads import read_version
from orchestrator.model.record.moment import Moment
from orchestrator.model.record.outcome import Phase
from orchestrator.model.record.record import DoubtRenewed, FollowTimedOut, JobSeen, VersionReached
from orchestrator.model.reply.reply import Answered, Job, same_id
from orchestrator.model.reply.version import at_least
from orchestrator.model.run.run import Run
from orchestrator.model.run.state import TargetState

#: A job that nobody can see or read for so many polls is followed by the proxy's version.
_PATIENT_POLLS = 8

#: What is told of an upgrade whose id is known by the word of an answer alone.
NEVER_SHOWN = "version only, no job of it was shown"


class _Following(msgspec.Struct):
    """One target being followed.

    Attributes:
        began: when it was accepted.
        seen_at: as of when it is known that nothing has ended.
        gap_s: how far apart its looks have grown.
        lists: how many lists in a row have shown its jobs running.
    """

    state: TargetState
    session: Session
    began: Moment
    seen_at: datetime
    gap_s: float
    lists: int = 0

    @property
    def age_s(self) -> float:
        return self.session.elapsed_s(self.state, self.began)

    @property
    def seen_s(self) -> float:
        return self.age_s - (self.session.clock.now() - self.seen_at).total_seconds()

    @property
    def overdue(self) -> bool:
        return self.age_s >= self.session.plan.follow.timeout_s

    @property
    def ended(self) -> bool:
        return self.state.upgraded_by is not None or not self.state.unfinished_jobs


async def follow(state: TargetState, session: Session, *, resumed: bool) -> None:
    """Return when every job of the target has ended, or its version shows that the upgrade took effect.

    Args:
        state: the target, accepted or adopted.
        session: of this process.
        resumed: an earlier session followed it already, so the first look is due now.
    """
    await session.calls(state).gate.passage(patient=True)  # the cloud's time is known then
    began = state.accepted_at or state.last.sent
    seen_at = session.clock.now() - timedelta(seconds=session.elapsed_s(state, began))
    following = _Following(state, session, began, seen_at, session.plan.follow.poll_s)
    with session.running_jobs(state).following():
        if not resumed:
            await _wait(following)
        while not await _look(following):
            await _wait(following)
    session.reached(Point.JOB_ENDED)


async def _wait(following: _Following) -> None:
    session, age_s = following.session, following.age_s
    plan = session.plan.follow
    if following.overdue:
        following.gap_s = min(SPARSEST_S, 2 * following.gap_s)
        await session.sleep(following.state, following.gap_s)
        return
    # A list that another story asked for may have shown the job a little before its first look was due.
    at_s = max(next_look_s(following.seen_s, session.rollout.expected_s, plan.poll_s), following.seen_s + plan.poll_s)
    await session.sleep(following.state, max(0.0, min(at_s, max(plan.timeout_s, age_s)) - age_s))


async def _look(following: _Following) -> bool:
    """Look once. True: the upgrade has ended."""
    overdue = following.overdue
    if not (following.ended or overdue or following.lists >= TRUSTED_LISTS) and await _seen_running(following):
        following.lists += 1
        return False
    saw = following.ended or await _read_jobs(following)
    following.seen_at, following.lists = following.session.clock.now(), 0
    if following.ended:
        return True
    if overdue:
        await _time_out(following, saw=saw)
    return False


async def _seen_running(following: _Following) -> bool:
    """Whether one list, which serves all who look, shows that every unfinished job still runs."""
    state, session = following.state, following.session
    shown = await session.running_jobs(state).shows(
        frozenset(state.unfinished_jobs), after=following.seen_at, max_age_s=session.plan.follow.poll_s
    )
    if shown is None:
        return False
    following.seen_at = shown.asked_at
    others = {job.job_id: whose for job in shown.jobs if (whose := _anothers(state, session.run, job))}
    for job_id, whose in others.items():
        await _disown(state, session, job_id, whose)
    if others:
        return False
    for job in shown.jobs:
        await _record_job(state, session, job.job_id, job, shown.read_at)
    return True


async def _read_jobs(following: _Following) -> bool:
    """Read every unfinished job, and the version when none of them tells anything. False: something was not read."""
    state, session = following.state, following.session
    saw = True
    unfinished = state.unfinished_jobs
    silent = 0
    for job_id in unfinished:
        reply = await session.calls(state).read(lambda api, job_id=job_id: api.job(job_id), Lane.POLL)  # type: ignore[misc]
        session.reached(Point.JOB_READ)
        if not isinstance(reply, Answered):
            saw = False
            silent += 1
        elif reply.value is None:
            silent += 1
        elif whose := _anothers(state, session.run, reply.value):
            await _disown(state, session, job_id, whose)
        else:
            await _record_job(state, session, job_id, reply.value, session.clock.now())
    if silent == len(unfinished) and following.age_s >= _PATIENT_POLLS * session.plan.follow.poll_s:
        saw = await _look_at_version(state, session)
    return saw


def _anothers(state: TargetState, run: Run, job: Job) -> str | None:
    """Why a job is not of this target, in words: it runs elsewhere, had ended before, or names another target only."""
    if _had_ended(state, run, job):
        return f"ended at {job.ended_at}, before the first attempt"
    if job.instance_id is not None and not same_id(job.instance_id, state.target.instance_id):
        return f"runs on instance {job.instance_id}"
    named = sorted(job.proxies & run.targets.keys())
    return f"names {named[0]}" if named and not job.names(state.key) else None


def _had_ended(state: TargetState, run: Run, job: Job) -> bool:
    """Whether a job had ended before the first attempt. What was seen to run since has not, whatever its times say."""
    unseen = state.jobs.get(state.written(job.job_id)) is None
    return unseen and ended_before(job, run.timeline.earliest(state.attempts[0].sent, state.target.scope))


async def _disown(state: TargetState, session: Session, job_id: str, whose: str) -> None:
    """The job of an answer is another's: the answer was another's, and what became of ours is not known."""
    why = f"job {job_id} {whose}, so it is not of this target"
    await session.ledger.record(DoubtRenewed(**session.about(state), why=why, workflow_id=job_id))


async def _record_job(state: TargetState, session: Session, job_id: str, job: Job, at: datetime) -> None:
    """Record a status that is new, with the instant at which it was read."""
    job_id = state.written(job_id)
    if job_id not in state.jobs:  # disowned meanwhile
        return
    seen = state.jobs[job_id]
    if seen is not None and seen.status == job.status:
        return
    await session.ledger.record(
        JobSeen(
            at=at,
            target=state.key,
            attempt=len(state.attempts),
            workflow_id=job_id,
            status=job.status,
            name=job.name,
            ended=has_ended(job),
            ended_at=job.ended_at,
            fail_reason=job.fail_reason,
        )
    )


async def _look_at_version(state: TargetState, session: Session) -> bool:
    version = await read_version(state, session)
    if version is not None and at_least(version.current_version, session.plan.target_version):
        reached, evidence = version.current_version, "" if any(state.jobs.values()) else NEVER_SHOWN
        await session.ledger.record(VersionReached(**session.about(state), version=reached, evidence=evidence))
    return version is not None


async def _time_out(following: _Following, *, saw: bool) -> None:
    """After the deadline the target keeps no session alive; it is `timed_out` once a read has shown no end."""
    state, session = following.state, following.session
    if saw and state.phase is not Phase.TIMED_OUT:
        period_s = session.plan.follow.timeout_s
        why = f"no end within {period_s:g} s: {_describe_jobs(state)}"
        timed_out = FollowTimedOut(**session.about(state), why=why, clocks=session.clocks(state), period_s=period_s)
        await session.ledger.record(timed_out)
    session.rest(state)


def _describe_jobs(state: TargetState) -> str:
    words = [f"job {job_id} {seen.status if seen else 'not visible'}" for job_id, seen in state.jobs.items()]
    return ", ".join(words) or "the version did not change"
