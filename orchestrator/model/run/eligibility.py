"""What one reading of a proxy's version means for its upgrade: go, or leave it out and why.

The preview and the preflight of a run ask the same question here, so the one forecasts what the other does.
"""

from collections.abc import Collection
from typing import Literal, TypeAlias

from msgspec import Struct

from orchestrator.model.record.outcome import Outcome
from orchestrator.model.reply.reply import Answered, ProxyVersion, Refused, Reply
from orchestrator.model.reply.version import at_least, is_short_for, is_version, same_version
from orchestrator.spoken import nearest

#: Why an outcome is `already` (`current`: it is there) or `skipped`, in the words of the report.
LeaveOutReason: TypeAlias = Literal["current", "drifted", "not_offered", "not_upgradable", "gone"]


class Eligible(Struct, frozen=True):
    """Upgrade it, from the version that was read, in the cloud's own spelling."""

    source_version: str


class LeaveOut(Struct, frozen=True):
    """Send nothing.

    Attributes:
        outcome: `already` or `skipped`.
        reason: the rule, as one word.
        why: the same for people, with the versions.
    """

    outcome: Outcome
    reason: LeaveOutReason
    why: str


Verdict: TypeAlias = Eligible | LeaveOut

#: What was read of a proxy: its version, that it is left out without one (gone), or why it could not be read.
Reading: TypeAlias = ProxyVersion | LeaveOut | str

#: The instance does not exist, or the proxy: nothing was read, so a reader says this instead of asking `verdict`.
NO_INSTANCE = "the cloud knows no such instance"
_NO_PROXY = "the cloud knows no such proxy"


def gone(proxy_id: str, listed: Reply[tuple[str, ...]]) -> LeaveOut:
    """A proxy that does not exist: where that is known, with the one of its instance that was probably meant.

    Args:
        proxy_id: of the proxy.
        listed: what the cloud answered when it was asked for the proxies of its instance.
    """
    if isinstance(listed, Refused) and listed.not_found:
        return _skipped("gone", NO_INSTANCE)
    meant = nearest(proxy_id, list(listed.value)) if isinstance(listed, Answered) else None
    return _skipped("gone", f"{_NO_PROXY}; did you mean {meant}, which its instance has?" if meant else _NO_PROXY)


def verdict(target_version: str, sources: Collection[str], version: ProxyVersion) -> Verdict:
    """What to do with a proxy whose version was just read.

    Args:
        target_version: the plan's.
        sources: the versions from which this target may be upgraded (see `allowed_sources`); empty for any.
        version: what the cloud says now. What it left out (`latest_version`, `can_upgrade`) refuses nothing.
    """
    current = version.current_version
    if at_least(current, target_version):
        return LeaveOut(Outcome.ALREADY, "current", f"runs {current}")
    if not is_version(current):
        return _skipped("drifted", f'runs "{current}", which is no version that could be compared')
    if sources and not any(same_version(current, source) for source in sources):
        return _skipped("drifted", f"runs {current}, expected {' or '.join(sources)}")
    latest = version.latest_version
    if latest is not None and (not at_least(latest, target_version) or is_short_for(target_version, latest)):
        return _skipped("not_offered", f"the newest version on offer is {latest}")
    if version.can_upgrade is False:
        return _skipped("not_upgradable", f"runs {current}, and the cloud says that it cannot be upgraded")
    return Eligible(current)


def allowed_sources(plan_sources: tuple[str, ...], own_source: str | None) -> tuple[str, ...]:
    """The versions from which a target may be upgraded: its own `source_version` decides before the plan's list."""
    return plan_sources if own_source is None else (own_source,)


def _skipped(reason: LeaveOutReason, why: str) -> LeaveOut:
    return LeaveOut(Outcome.SKIPPED, reason, why)
