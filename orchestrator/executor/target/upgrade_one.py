"""The story of one proxy, from its turn to its outcome. Nothing in it knows who runs it, or how many beside it."""

from datetime import timedelta

from orchestrator.executor.decide.opening.addresses import hopeless, subnet_wait
from orchestrator.executor.session import Session
from orchestrator.executor.target.attempt import attempt
from orchestrator.executor.target.follow import follow
from orchestrator.executor.target.preflight import postpone_busy, preflight
from orchestrator.executor.target.proxy_reads import read_version
from orchestrator.executor.target.reconcile import reconcile
from orchestrator.executor.target.settle import settle
from orchestrator.executor.target.verify import verify
from orchestrator.model.learned.refusal import rejection
from orchestrator.model.record.outcome import NOT_RECOVERED, Outcome, Phase
from orchestrator.model.record.record import AnswerMissing, AnswerSeen, DoubtRenewed, JobSeen, Postponed
from orchestrator.model.reply.version import at_least
from orchestrator.model.run.state import TargetState
from orchestrator.spoken import counted


async def upgrade_one(state: TargetState, session: Session) -> None:
    """Bring one target as far as it goes in this session: preflight, attempt, reconcile, follow, verify, settled.

    A target that is open from an earlier session is taken up where it stands.

    Raises:
        Yielded: its scope cannot be used now; it goes back to the queue.
        ScopeGone: its scope was given up for this session.
    """
    resumed = state.is_open
    if state.phase is Phase.WAITING and hopeless(session.rollout, state.target, session.clock.now()):
        await _defer_for_addresses(state, session)
        return
    if state.phase is Phase.WAITING:
        ready = await preflight(state, session)
        if ready is not None:
            await attempt(state, session, ready)
    while state.is_open and await began(state, session):
        if session.rollout.only_accepted:
            await _settle_accepted(state, session)
            return
        await follow(state, session, resumed=resumed)
        if state.phase is not Phase.DOUBT:  # else what was followed was not ours
            await conclude(state, session)
            return


async def _defer_for_addresses(state: TargetState, session: Session) -> None:
    """Its subnet was short of addresses for `busy_for`, with nothing of ours in it: the next run tries again."""
    why = str(subnet_wait(session.rollout, state.target))
    wave = state.wave or session.rollout.queue.starting[state.key]
    await settle(state, session, Outcome.DEFERRED, "insufficient subnet addresses", wave=wave, evidence=why)


async def began(state: TargetState, session: Session) -> bool:
    """Whether the latest attempt started an upgrade. False: it did not, and what follows from that is recorded."""
    if state.jobs or state.upgraded_by is not None:
        return True
    if state.unanswered:
        await session.ledger.record(AnswerMissing(**session.about(state)))
    answer = state.last.answer
    if state.doubtful or answer is None:
        found = await reconcile(state, session)
        answer = state.last.answer
        if answer is None or not state.unsent:
            return found
    return await _after_answer(state, session, answer)


async def _after_answer(state: TargetState, session: Session, answer: AnswerSeen) -> bool:
    """What follows from an answer that no doubt hangs over."""
    match answer.verdict:
        case "accepted" | "partial":
            return True
        case "refused" if answer.already_latest:
            return await _already_latest(state, session, answer)
        case "rejected" | "refused":
            await _settle_refused(state, session, answer)
        case "busy":
            await postpone_busy(state, session, answer.error_msg or answer.reason or "busy", answer.error_code)
        case _:
            await _wait_again(state, session, answer)
    return False


async def _already_latest(state: TargetState, session: Session, answer: AnswerSeen) -> bool:
    """It is believed only after the version was read; and then an attempt of ours may be what brought it there."""
    version = await read_version(state, session)
    if version is None or not at_least(version.current_version, session.plan.target_version):
        await _settle_refused(state, session, answer)
        return False
    why = f"runs {version.current_version}; {answer.error_msg or answer.reason or 'already the latest'}"
    await session.ledger.record(DoubtRenewed(**session.about(state), why=why))
    return await reconcile(state, session)


async def _settle_refused(state: TargetState, session: Session, answer: AnswerSeen) -> None:
    reason = answer.error_msg if answer.verdict == "refused" else answer.reason
    await settle(state, session, Outcome.REJECTED, reason or answer.reason, error_code=answer.error_code)


async def _wait_again(state: TargetState, session: Session, answer: AnswerSeen) -> None:
    """Not sent, throttled, or credentials refused: nothing of the target happened, its scope is being probed.

    Where others get through and its own attempts do not, `retry.attempts` times in a row, it is given up for this run.
    """
    why = f"{answer.verdict}: {answer.reason or ''}".rstrip(": ")
    if state.turned_away >= session.plan.retry.attempts and session.run.others_got_through(state):
        evidence = f"turned away {counted(state.turned_away, 'time')} in a row while others got through; {why}"
        code = answer.error_code
        await settle(state, session, Outcome.DEFERRED, answer.verdict, error_code=code, evidence=evidence)
        return
    pause = timedelta(seconds=session.calls(state).backoff_s(state.turned_away))
    await session.ledger.record(
        Postponed(
            **session.about(state),
            wave=state.last.intent.wave,
            why=why,
            until=session.clock.now() + pause,
            error_code=answer.error_code,
        )
    )


async def _settle_accepted(state: TargetState, session: Session) -> None:
    """Followed only to the answer: nothing is claimed beyond it."""
    if state.refused_in_part and not state.upgraded_by:
        await settle(state, session, Outcome.PARTIAL, _reasons(state))
        return
    await settle(state, session, Outcome.ACCEPTED, None if state.jobs else NOT_RECOVERED)


async def conclude(state: TargetState, session: Session) -> None:
    """The jobs have ended: settle the target, after verification if the plan asks for it."""
    bad = [seen for seen in state.jobs.values() if seen is not None and seen.ended and not _completed(seen)]
    if bad:
        version = await read_version(state, session)
        await settle(state, session, Outcome.FAILED, _failure(bad[0]), version.current_version if version else None)
    elif session.plan.follow.to == "verified":
        await verify(state, session)
    elif state.refused_in_part:
        await settle(state, session, Outcome.PARTIAL, _reasons(state))
    else:
        await settle(state, session, Outcome.SUCCEEDED, None, state.upgraded_by)


def _reasons(state: TargetState) -> str:
    return "; ".join(map(rejection, state.refused_in_part))


def _completed(seen: JobSeen) -> bool:
    return seen.status.lower() == "completed"


def _failure(seen: JobSeen) -> str:
    return f"job {seen.workflow_id} {seen.status}" + (f": {seen.fail_reason}" if seen.fail_reason else "")
