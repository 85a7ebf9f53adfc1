"""Where a fleet stands, for programs: `orchestrator.status/1`. The same decisions as the lines that people read."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from orchestrator.app.status.ahead import look_ahead
from orchestrator.app.status.coming_plan import coming_changes
from orchestrator.app.status.fleet_hosts import HostStatus, TakeoverStatus, host_statuses, takeover_status
from orchestrator.app.status.fleet_status import outlook
from orchestrator.app.status.one_proxy.before_first_run import known_proxy
from orchestrator.app.status.one_proxy.target_line import target_next
from orchestrator.app.status.one_proxy.unknown_target import unknown_target
from orchestrator.app.status.outlook import Outlook
from orchestrator.app.status.what_next.last_line import next_step
from orchestrator.executor.decide.waits import Wait
from orchestrator.model.plan.plan import Plan
from orchestrator.tracker.report.build import Story, build_report, one_target
from orchestrator.tracker.report.schema import (
    RejectReason,
    RunReport,
    ScopeReport,
    TargetReport,
    Text,
    Totals,
    WaveReport,
)
from orchestrator.tracker.runs.recovery import Recovered
from orchestrator.tracker.state_store import Fleet

FORM: Literal["orchestrator.status/1"] = "orchestrator.status/1"


class WaitsFor(Struct, frozen=True, kw_only=True):
    """What is waited for, and what to do."""

    cause: Annotated[str, Meta(description="One word, as in docs/status.md, such as window or budget")]
    sentence: Annotated[str, Meta(description="The same for people")]
    until: Annotated[datetime | None, Meta(description="When it ends by itself; null when that is not known")]
    next_step: Annotated[str, Meta(description="What to do; a command is ready to paste")]


class UnreadCommand(Struct, frozen=True, kw_only=True):
    """What a person has asked for and no process has read yet."""

    command: Annotated[str, Meta(description="In words")]
    at: datetime
    by: Annotated[str, Meta(description="User and host")]
    note: str


class StatusDocument(Struct, frozen=True, kw_only=True):
    """Where a fleet stands, and what it waits for."""

    schema: Annotated[Literal["orchestrator.status/1"], Meta(description="Form and version of this document")] = FORM
    name: Annotated[str, Meta(description="The fleet")]
    target_version: str
    at: Annotated[datetime, Meta(description="When this was asked")]
    worker: Annotated[Text, Meta(description="The process that works on the fleet; null when none does")]
    hosts: Annotated[
        list[HostStatus], Meta(description="The one that works, then those that stand by, of which some serve scopes")
    ]
    takeover: Annotated[TakeoverStatus | None, Meta(description="The latest of the run; null without one")]
    waits_for: WaitsFor
    waiting: Annotated[int, Meta(description="Targets without an outcome that are not under way")]
    under_way: Annotated[int, Meta(description="Upgrades under way, as far as they still move")]
    in_doubt: Annotated[int, Meta(description="Attempts of which evidence is looked for: nobody knows what began")]
    need_person: Annotated[list[str], Meta(description="proxy_id of each target that only a person can settle now")]
    asked: list[UnreadCommand]
    changed: Annotated[
        dict[str, str],
        Meta(description="Settings with which the next start differs from the latest session, old -> new, by key"),
    ]
    run: Annotated[RunReport | None, Meta(description="As in the report; null before the first run")]
    totals: Annotated[Totals | None, Meta(description="As in the report; null before the first run")]
    reject_reasons: list[RejectReason]
    waves: list[WaveReport]
    scopes: list[ScopeReport]
    target: Annotated[TargetReport | None, Meta(description="The proxy that was asked for")] = None
    target_waits_for: Annotated[WaitsFor | None, Meta(description="What that proxy waits for, and what to do")] = None


def status_schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Status of an orchestrator fleet",
        **msgspec.json.schema(StatusDocument),
    }


def fleet_document(recovered: Recovered, plan: Plan, now: datetime, named: str, proxy_id: str = "") -> StatusDocument:
    """The status of a fleet by its latest run.

    Args:
        recovered: that run.
        plan: as the file has it now.
        now: by this host's clock.
        named: the plan as commands name it.
        proxy_id: of a target to be looked at; empty for none.

    Raises:
        UsageError: the run has no such target.
    """
    seen = outlook(recovered, plan, now)
    story = build_report(seen.run, recovered.in_force)
    changed = coming_changes(seen.run, recovered.in_force, seen.rollout.plan)
    return _document(seen, plan, now, recovered.stored.fleet, story, named, proxy_id=proxy_id, changed=changed)


def first_document(fleet: Fleet, plan: Plan, now: datetime, named: str, word: str = "") -> StatusDocument:
    """The status of a fleet that has had no run yet.

    Args:
        fleet: which exists.
        plan: as its file has it.
        now: by this host's clock.
        named: the plan as commands name it.
        word: what means a proxy to be looked at; empty for none.

    Raises:
        UsageError: the plan has no such proxy, or several.
    """
    _, seen = look_ahead(fleet, plan, now)
    proxy_id = known_proxy(seen, plan, word) if word else None
    return _document(seen, plan, now, fleet, None, named, proxy_id=proxy_id or "")


def _document(
    seen: Outlook,
    plan: Plan,
    now: datetime,
    fleet: Fleet,
    story: Story | None,
    named: str,
    *,
    proxy_id: str = "",
    changed: Mapping[str, str] = MappingProxyType({}),
) -> StatusDocument:
    worker = fleet.holder()
    head = None if story is None else story.head
    of_target = target_next(seen, proxy_id, named) if proxy_id else None
    stuck = [state.key for state in seen.stuck]
    return StatusDocument(
        name=plan.name,
        target_version=plan.target_version,
        at=now,
        worker=worker,
        hosts=host_statuses(seen.run, fleet, seen.rollout.plan.scopes, working=worker is not None),
        takeover=takeover_status(seen.run),
        waits_for=_waits_for(seen.fleet(), next_step(seen, named)),
        waiting=0 if seen.run.ended else seen.run.waiting,
        under_way=seen.moving.upgrades,
        in_doubt=seen.moving.doubts,
        need_person=stuck,
        asked=[UnreadCommand(command=each.what, at=each.at, by=each.who, note=each.note) for each in seen.asked],
        changed=dict(changed),
        run=head.run if head else None,
        totals=head.totals if head else None,
        reject_reasons=head.reject_reasons if head else [],
        waves=head.waves if head else [],
        scopes=head.scopes if head else [],
        target=_target(seen, story.plan, story.head.run.run_id, proxy_id) if story and proxy_id else None,
        target_waits_for=_waits_for(*of_target) if of_target else None,
    )


def _target(seen: Outlook, plan: Plan, run_id: str, proxy_id: str) -> TargetReport:
    found = one_target(seen.run, plan, proxy_id)
    if found is None:
        raise unknown_target(f"run {run_id}", proxy_id, seen.run.targets)
    return found


def _waits_for(wait: Wait, step: str) -> WaitsFor:
    return WaitsFor(cause=wait.cause.name.lower(), sentence=str(wait), until=wait.until, next_step=step)
