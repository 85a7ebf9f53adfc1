"""Verifying that an upgrade did what it was for: the version is there, the proxy and all its nodes are ACTIVE."""

from datetime import timedelta
from typing import TypeAlias

import msgspec

from orchestrator.executor.crash_points import Point
from orchestrator.executor.session import Session
from orchestrator.executor.target.proxy_reads import read_health, read_version
from orchestrator.executor.target.settle import settle
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import NotReverified, Reverified
from orchestrator.model.reply.reply import ProxyHealth, ProxyVersion
from orchestrator.model.reply.version import at_least
from orchestrator.model.run.state import TargetState


class Verified(msgspec.Struct, frozen=True):
    """All is as it should be."""

    version: str


class NotYet(msgspec.Struct, frozen=True):
    """What is still wrong, and what it would be called if it stayed so."""

    outcome: Outcome
    why: str
    version: str | None


class HealthUnknown(msgspec.Struct, frozen=True):
    """The cloud did not tell; nothing is claimed. `why` when it answered, and not about this proxy."""

    why: str | None = None


Finding: TypeAlias = Verified | NotYet | HealthUnknown


def judge_health(version: ProxyVersion | None, health: ProxyHealth | None, target_version: str) -> Finding:
    """What one reading says of an upgrade whose job has ended."""
    if version is None:
        return HealthUnknown()
    current = version.current_version
    if not at_least(current, target_version):
        return NotYet(Outcome.MISMATCH, f"the job ended, but the proxy runs {current}", current)
    if health is None:
        return HealthUnknown()
    if health.status is None:
        return HealthUnknown("the list of the instance's proxies does not show it")
    if not health.active:
        nodes = ", ".join(health.nodes) or "none"
        return NotYet(Outcome.FAILED, f"unhealthy after the upgrade: {health.status}, nodes {nodes}", current)
    return Verified(current)


async def verify(state: TargetState, session: Session) -> None:
    """Read until all is well, for up to `verify_for`; then settle the target as what was seen last."""
    follow = session.plan.follow
    gives_up_at = session.clock.now() + timedelta(seconds=follow.verify_for_s)
    while True:
        finding = await read(state, session)
        session.reached(Point.VERIFIED)
        match finding:
            case Verified():
                await settle(state, session, Outcome.SUCCEEDED, None, finding.version)
                return
            case NotYet() if session.clock.now() >= gives_up_at:
                await settle(state, session, finding.outcome, finding.why, finding.version)
                return
            case HealthUnknown() if session.clock.now() >= gives_up_at:
                session.rest(state)
            case _:
                pass
        await session.sleep(state, follow.poll_s)


async def read(state: TargetState, session: Session) -> Finding:
    """One reading of version and, if that is right, health."""
    version = await read_version(state, session)
    reached = version is not None and at_least(version.current_version, session.plan.target_version)
    health = await read_health(state, session) if reached else None
    return judge_health(version, health, session.plan.target_version)


async def reverify(state: TargetState, session: Session) -> bool:
    """Read a proxy once more at the end of a soak, trying again for up to `verify_for` while nothing is known of it.

    False: nothing came to be known, and just that is recorded.
    """
    follow = session.plan.follow
    gives_up_at = session.clock.now() + timedelta(seconds=follow.verify_for_s)
    finding = await read(state, session)
    while isinstance(finding, HealthUnknown) and session.clock.now() < gives_up_at:
        await session.sleep(state, follow.poll_s)
        finding = await read(state, session)
    if isinstance(finding, HealthUnknown):
        why = finding.why or "it could not be read"
        unseen = f"not verified once more at the end of the soak: {why}"
        await session.ledger.record(NotReverified(**session.about(state), finding=unseen))
        return False
    await session.ledger.record(
        Reverified(
            **session.about(state),
            healthy=isinstance(finding, Verified),
            version=finding.version,
            finding="as it should be" if isinstance(finding, Verified) else f"at the end of the soak: {finding.why}",
        )
    )
    return True
