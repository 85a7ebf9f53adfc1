"""What is read just before an attempt, and what it means: go, leave out, come back later."""

from datetime import datetime
from typing import TypeAlias

import msgspec

from orchestrator.executor.crash_points import Point
from orchestrator.executor.decide.one_target.busy_target import busy_until
from orchestrator.executor.decide.opening.addresses import applies
from orchestrator.executor.ledger import SetAside
from orchestrator.executor.rate.lane import Lane
from orchestrator.executor.scope.jobs.job_list import JobList
from orchestrator.executor.scope.poll_schedule import LIST_FRESH_S
from orchestrator.executor.session import Session
from orchestrator.executor.target.evidence import CREATED_MARGIN
from orchestrator.executor.target.instance_jobs import foreign_job, ours_running, resurfaced_job
from orchestrator.executor.target.settle import settle
from orchestrator.model.record.outcome import Outcome, Phase
from orchestrator.model.record.record import DoubtRenewed, Postponed, PreflightDone
from orchestrator.model.reply.reply import Answered, Busy, Doubtful, Job, ProxyVersion, Refused, same_id
from orchestrator.model.reply.risk import Risk
from orchestrator.model.run.eligibility import Eligible, LeaveOut, allowed_sources, gone, verdict
from orchestrator.model.run.state import TargetState


class Ready(msgspec.Struct, frozen=True):
    """The upgrade may be sent, from this version, unless the target has more than `folded` records by then."""

    source_version: str
    read_at: datetime
    folded: int


class NotNow(msgspec.Struct, frozen=True):
    """The target comes back later."""

    why: str
    error_code: str | None = None


class Denied(msgspec.Struct, frozen=True):
    """The cloud refuses even to tell the version."""

    why: str
    error_code: str | None


class Resurfaced(msgspec.Struct, frozen=True):
    """Of a doubtful attempt that was disproved, something shows after all, or may do. `jobs`: what could be it."""

    why: str
    jobs: tuple[str, ...] = ()


Finding: TypeAlias = Ready | NotNow | Denied | LeaveOut | Resurfaced


async def preflight(state: TargetState, session: Session) -> Ready | None:
    """Read what must be known before an attempt. None: something else follows from it, and that is recorded.

    Where another host's record has shown meanwhile that an earlier attempt began, what was read is no reason for
    anything.

    Raises:
        Yielded, ScopeGone: the scope cannot be used now.
        SetAside: what was read cannot be counted.
    """
    session.reached(Point.TARGET_CHOSEN)
    finding = doubting(state, await _look(state, session))
    session.reached(Point.PREFLIGHT_READ)
    if state.set_aside:
        raise SetAside
    if state.phase is not Phase.WAITING:
        return None
    match finding:
        case Ready():
            return finding
        case NotNow():
            await postpone_busy(state, session, finding.why, finding.error_code)
        case Denied():
            wave = _wave(state, session)
            await settle(state, session, Outcome.REJECTED, finding.why, wave=wave, error_code=finding.error_code)
        case Resurfaced():
            about, clocks = session.about(state), session.clocks(state)
            await session.ledger.record(DoubtRenewed(**about, why=finding.why, jobs=finding.jobs, clocks=clocks))
        case LeaveOut():
            reason = None if finding.outcome is Outcome.ALREADY else finding.reason
            wave = _wave(state, session)
            await settle(state, session, finding.outcome, reason, wave=wave, evidence=finding.why)
    return None


def doubting(state: TargetState, finding: Finding) -> Finding:
    """After an attempt nothing is claimed from one reading, whatever its answer: what it may have done is looked for.

    The target version always speaks for the attempt. Any other finding is believed when it stands after one such look.
    """
    if isinstance(finding, LeaveOut) and finding.outcome is Outcome.ALREADY and state.attempted:
        return Resurfaced(finding.why)
    if isinstance(finding, LeaveOut | Denied) and state.unexamined and _speaks(state, finding):
        return Resurfaced(finding.why)
    return finding


def _speaks(state: TargetState, finding: LeaveOut | Denied) -> bool:
    """Whether a finding may come of an upgrade of ours. One without a version says so only after a doubtful attempt."""
    return state.doubtful_from is not None or (isinstance(finding, LeaveOut) and finding.reason != "gone")


async def _look(state: TargetState, session: Session) -> Finding:
    target = state.target
    if _newer_than(state, session) is not None:  # what has ended by the list has changed the version that is read next
        await _running(state, session)
    reply = await session.calls(state).read(
        lambda api: api.proxy_version(target.instance_id, target.proxy_id), Lane.START
    )
    read_at = session.clock.now()
    if not isinstance(reply, Answered):
        return await _unread(reply, state, session)
    judged = verdict(
        session.plan.target_version, allowed_sources(session.plan.source_versions, target.source_version), reply.value
    )
    nodes = None if isinstance(judged, LeaveOut) else await _nodes(state, session)
    if state.phase is Phase.WAITING:
        _note_reading(state, session, reply.value, nodes)
    if isinstance(judged, LeaveOut):
        return judged
    return await _look_at_jobs(state, session, judged, read_at)


async def _unread(reply: Refused | Busy | Doubtful, state: TargetState, session: Session) -> Finding:
    code, target = reply.exchange.error_code, state.target
    if isinstance(reply, Refused) and reply.not_found:
        listed = await session.calls(state).read(lambda api: api.proxy_ids(target.instance_id), Lane.START)
        return gone(target.proxy_id, listed)
    if isinstance(reply, Refused):
        return Denied(reply.reason, code)
    return NotNow(f"its version could not be read: {reply.reason}", code)


async def _look_at_jobs(state: TargetState, session: Session, go: Eligible, read_at: datetime) -> Finding:
    listing = await _running(state, session)
    if listing is None:
        return NotNow("the list of running jobs could not be read")
    shown = await _of_its_attempts(state, session, listing) if state.unexamined else None
    if shown is not None:
        return shown
    foreign = foreign_job(listing, state, session.run)
    if foreign is not None:
        return NotNow(_runs(foreign, state))
    if session.rollout.only_accepted and _sibling_runs(listing, state, session):
        return NotNow("an upgrade of another proxy runs on the instance")
    return Ready(go.source_version, read_at, state.folded)


async def _running(state: TargetState, session: Session) -> JobList | None:
    return await session.board(state).running(after=_newer_than(state, session))


def _newer_than(state: TargetState, session: Session) -> datetime | None:
    """A target that was busy, or that an attempt was made for, is judged by what was read since."""
    tried = state.last.sent if state.attempted else None
    return max(filter(None, map(session.run.timeline.here, (state.busy_at, tried))), default=None)


async def _of_its_attempts(state: TargetState, session: Session, running: JobList) -> Resurfaced | NotNow | None:
    """What shows of earlier attempts that were not executed, as the cloud said, or were disproved.

    A job that waits, and one that has ended since, is on no list of those that run.
    """
    began = session.run.timeline.earliest(state.attempts[0].sent, state.target.scope)
    after = _newer_than(state, session)
    since = await session.board(state).since([began - CREATED_MARGIN], max_age_s=LIST_FRESH_S, after=after)
    if since is None:
        return NotNow("the list of jobs since its first attempt could not be read")
    ours = await session.known_workflows()
    found = (resurfaced_job(listing, state, session.run, ours) for listing in (running, since))
    mine = next(filter(None, found), None)
    return None if mine is None else Resurfaced(_runs(mine, state), (mine.job_id,))


def _runs(job: Job, state: TargetState) -> str:
    here = same_id(job.instance_id, state.target.instance_id)
    place = "the instance" if here else f"instance {job.instance_id}, and names the proxy"
    verb = "runs" if job.status.lower() == "running" else f"is {job.status}"
    return f"job {job.job_id} ({job.name}) {verb} on {place}"


def _sibling_runs(listing: JobList, state: TargetState, session: Session) -> bool:
    ours = ours_running(listing, state, session.run, session.rollout.expected_s)
    return ours >= session.plan.limits.per_instance


async def _nodes(state: TargetState, session: Session) -> int | None:
    """How many nodes the proxy has, where its upgrade needs an address for each; None where the cloud did not tell."""
    target = state.target
    known = state.nodes or (target.facts and target.facts.nodes)
    if known or not applies(session.rollout, target):
        return None
    reply = await session.calls(state).read(
        lambda api: api.proxy_health(target.instance_id, target.proxy_id), Lane.START
    )
    return len(reply.value.nodes) or None if isinstance(reply, Answered) else None


def _note_reading(state: TargetState, session: Session, version: ProxyVersion, nodes: int | None) -> None:
    risk = version.risk or Risk()
    session.ledger.note(
        PreflightDone(
            at=session.clock.now(),
            target=state.key,
            attempt=len(state.attempts) + 1,
            wave=session.rollout.queue.starting[state.key],
            current_version=version.current_version,
            latest_version=version.latest_version,
            can_upgrade=version.can_upgrade,
            upgrade_s=risk.upgrade_s,
            service_impact_s=risk.service_impact_s,
            nodes=nodes,
        )
    )


async def postpone_busy(state: TargetState, session: Session, why: str, error_code: str | None) -> None:
    """Put a target that the cloud is busy with back into the queue, or give it up for this run."""
    now, wave = session.clock.now(), _wave(state, session)
    busy_s = session.elapsed_s(state, state.busy_since) if state.busy_since else 0.0
    until = busy_until(session.rollout, state, now, busy_s)
    if until is None:
        await settle(state, session, Outcome.DEFERRED, why, wave=wave, error_code=error_code)
        return
    await session.ledger.record(
        Postponed(**session.about(state), wave=wave, why=why, until=until, busy=True, error_code=error_code)
    )


def _wave(state: TargetState, session: Session) -> str:
    return state.wave or session.rollout.queue.starting[state.key]
