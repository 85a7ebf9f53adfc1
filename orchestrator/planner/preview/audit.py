"""The audit after a run: the plan, what the fleet's runs have said, and what the cloud says now. Pure.

All is well when every target runs the target version or a newer one, or moves on by itself in a run that has not
ended, and nothing that the last run knew is missing.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

from msgspec import Struct

from orchestrator.model.learned.history import History
from orchestrator.model.plan.target import Target
from orchestrator.model.record.outcome import GOOD, Outcome
from orchestrator.model.reply.reply import ProxyVersion
from orchestrator.model.reply.version import at_least
from orchestrator.model.run.eligibility import LeaveOut, Reading

What: TypeAlias = Literal[
    "gone_back", "missing", "new", "not_done", "not_read", "pending", "done_by_others", "done_by_us"
]

_IN_ORDER: tuple[What, ...] = (
    *("gone_back", "missing", "new", "not_done", "not_read", "pending", "done_by_others", "done_by_us"),
)


class Finding(Struct, frozen=True, kw_only=True):
    """Targets of which the same is to be said.

    Attributes:
        what: `done_by_us` and `done_by_others` run the target version; `gone_back` ran it once and do no more;
            `missing` were in the last run and are not there, or not in the plan; `new` are in no run; `not_done` run an
            older version although a run has settled them; `pending` are not settled in the unfinished run.
        well: whether nobody needs to look at them.
        told: whether a run has told the same of them already, so that it is no news: what failed, and is as it was.
    """

    what: What
    why: str
    well: bool
    targets: list[Target]
    told: bool = False


class Scheduled(Struct, frozen=True, kw_only=True):
    """An upgrade that was scheduled in the console; instants as text, None when the cloud gives none."""

    target: Target
    status: str | None
    starts_at: str | None


class Schedules(Struct, frozen=True, kw_only=True):
    """Upgrades scheduled in the console, and why some could not be asked for; None when all were."""

    scheduled: list[Scheduled] = []
    not_asked: str | None = None


class Audit(Struct, frozen=True, kw_only=True):
    """All findings, what needs a person first.

    Attributes:
        run_id: the run against which reality was held.
        scheduled: upgrades that the console has scheduled for targets that do not run the target version.
        not_asked: why it is not known of some targets whether one is scheduled.
    """

    run_id: str
    target_version: str
    well: bool
    findings: list[Finding]
    scheduled: list[Scheduled]
    not_asked: str | None = None

    @property
    def news(self) -> bool:
        """Whether something needs a person, and no run has told it."""
        return any(not finding.well and not finding.told for finding in self.findings)


class _Judged(NamedTuple):
    """What is to be said of one target, as in `Finding`."""

    what: What
    why: str
    well: bool
    told: bool = False


def audit(
    target_version: str,
    targets: Sequence[Target],
    excluded: Collection[str],
    history: History,
    readings: Mapping[str, Reading],
    schedules: Schedules,
) -> Audit:
    """Hold the plan's targets and the last run against what was read.

    Args:
        target_version: the plan's.
        targets: the plan's, as they are resolved now.
        excluded: proxies that the plan leaves out; they are not missing.
        history: of the fleet's runs.
        readings: by proxy_id.
        schedules: what the console has scheduled.
    """
    groups: dict[_Judged, list[Target]] = {}
    for target in targets:
        found = _judged(target_version, history, target.proxy_id, readings.get(target.proxy_id, "was not read"))
        groups.setdefault(found, []).append(target)
    there = {target.proxy_id for target in targets}.union(excluded)
    for target in history.targets:
        if target.proxy_id not in there:
            why = f"in run {history.run_id}, and no target of the plan now"
            groups.setdefault(_Judged("missing", why, well=False), []).append(target)
    findings = [Finding(**found._asdict(), targets=rows) for found, rows in groups.items()]
    findings.sort(key=lambda finding: (_IN_ORDER.index(finding.what), finding.why))
    return Audit(
        run_id=history.run_id,
        target_version=target_version,
        well=all(finding.well for finding in findings),
        findings=findings,
        scheduled=schedules.scheduled,
        not_asked=schedules.not_asked,
    )


def behind(target_version: str, targets: Sequence[Target], readings: Mapping[str, Reading]) -> list[Target]:
    """The targets that were read and run an older version: for these a scheduled upgrade would matter."""
    return [
        target
        for target in targets
        if isinstance(reading := readings.get(target.proxy_id), ProxyVersion)
        and not at_least(reading.current_version, target_version)
    ]


def _judged(target_version: str, history: History, proxy_id: str, reading: Reading) -> _Judged:
    if isinstance(reading, str):
        return _Judged("not_read", reading, well=False)
    if isinstance(reading, LeaveOut):
        known = history.known.get(proxy_id)
        return _Judged("missing", reading.why, well=False, told=known is not None and known.outcome is Outcome.SKIPPED)
    current = reading.current_version
    if at_least(current, target_version):
        return _there(target_version, current, history, proxy_id)
    return _behind(target_version, current, history, proxy_id)


def _behind(target_version: str, current: str, history: History, proxy_id: str) -> _Judged:
    known = history.known.get(proxy_id)
    if known is not None and known.had is not None and at_least(known.had, target_version):
        return _Judged("gone_back", f"runs {current}, and has run {known.had}", well=False)
    if proxy_id in history.pending:
        why = f"runs {current}, and is {history.pending[proxy_id]} in run {history.run_id}"
        return _Judged("pending", why, well=proxy_id not in history.stuck)
    if known is not None:
        why = f"runs {current}; {known.outcome.value} in run {known.run_id}"
        return _Judged("not_done", why, well=False, told=known.outcome not in GOOD)
    return _Judged("new", f"runs {current}, and no run knows it", well=False)


def _there(target_version: str, current: str, history: History, proxy_id: str) -> _Judged:
    known = history.known.get(proxy_id)
    if known is not None and known.upgraded_to is not None and at_least(known.upgraded_to, target_version):
        return _Judged("done_by_us", f"runs {current}, upgraded in run {known.upgraded_in}", well=True)
    if proxy_id in history.pending:
        why = f"runs {current} already, and is {history.pending[proxy_id]} in run {history.run_id}"
        return _Judged("pending", why, well=True)
    if known is None:
        return _Judged("new", f"runs {current} already, and no run knows it", well=True)
    return _Judged("done_by_others", f"runs {current}; {known.outcome.value} in run {known.run_id}", well=True)
