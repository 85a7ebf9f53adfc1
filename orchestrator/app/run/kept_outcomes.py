"""What the proxies keep that a new run leaves alone, as `--only-outcome` asks: what an earlier run said of each.

The report counts every proxy of the plan: one that no run has come to is `not_started` in it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from orchestrator.app.run.held_before import SUPERSEDED
from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.target import Target
from orchestrator.model.record.outcome import NOT_ASKED, Outcome
from orchestrator.model.record.record import OutcomeKept
from orchestrator.model.run.state import TargetState
from orchestrator.planner.next_run import LastOutcomes, NextRun
from orchestrator.tracker.report.build import build_report
from orchestrator.tracker.report.schema import TargetReport
from orchestrator.tracker.report.target import target_report
from orchestrator.tracker.runs.recovery import Recovered, recover
from orchestrator.tracker.state_store import Fleet


def kept_outcomes(
    plan: Plan,
    targets: Sequence[Target],
    new: NextRun,
    fleet: Fleet,
    last: LastOutcomes,
    before: Recovered | None,
    now: datetime,
) -> Iterator[OutcomeKept]:
    """What the others keep, between the targets of the run, in plan order.

    Args:
        plan: of the run.
        targets: of the plan.
        new: the run that begins.
        fleet: whose run it is.
        last: the last outcomes over all its runs.
        before: the latest of them; None when there was none.
        now: when the run begins.

    Raises:
        StateError: an earlier run cannot be read.
    """
    inside, position = {target.proxy_id for target in new.targets}, 0
    entries = _last_entries(fleet, last) if len(inside) < len(targets) else {}
    untold, told = _untold(before), _told(before)
    for target in targets:
        key = target.proxy_id
        position += key in inside
        if key in inside:
            continue
        if key in new.kept and key in entries:
            yield _keep(entries[key], new.kept[key], position, now, news=new.kept[key] in untold)
        else:
            entry = _not_started(plan, target, SUPERSEDED if key in new.kept else NOT_ASKED, now)
            yield _keep(entry, Outcome.NOT_STARTED, position, now, news=key not in told)


def _not_started(plan: Plan, target: Target, reason: str, now: datetime) -> TargetReport:
    """What the report says of a proxy that no run has come to."""
    state = TargetState(target, outcome=Outcome.NOT_STARTED, reason=reason, settled_at=now)
    projects = {scope.name: scope.project_id for scope in plan.scopes}
    return target_report(target, state, plan.target_version, projects.get(target.scope))


def _told(before: Recovered | None) -> frozenset[str]:
    """The proxies of which the run before said already that it left them alone."""
    return frozenset() if before is None else frozenset(kept.target for kept in before.run.kept if kept.target)


def _untold(before: Recovered | None) -> frozenset[Outcome]:
    """The outcomes that targets took when the run before was ended for this one: no session has told them."""
    ended = None if before is None else before.run.ended
    return frozenset({Outcome.NOT_STARTED}) if ended is not None and ended.why == SUPERSEDED else frozenset()


def _last_entries(fleet: Fleet, last: Mapping[str, tuple[Outcome, str]]) -> dict[str, TargetReport]:
    """What the report says of each proxy where it took its last outcome; a later run may just have left it out."""
    entries: dict[str, TargetReport] = {}
    for run in reversed(fleet.runs()):
        if len(entries) == len(last):
            break
        recovered = recover(run)
        for entry in build_report(recovered.run, recovered.in_force).targets:
            if entry.proxy_id in last and entry.outcome == last[entry.proxy_id][0].value:
                entries.setdefault(entry.proxy_id, entry)
    return entries


def _keep(entry: TargetReport, outcome: Outcome, position: int, now: datetime, *, news: bool) -> OutcomeKept:
    raw = msgspec.Raw(msgspec.json.encode(entry))
    return OutcomeKept(at=now, target=entry.proxy_id, outcome=outcome, position=position, entry=raw, news=news)
