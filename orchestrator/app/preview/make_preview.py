"""The verb `plan`: what a run would do, with the versions that the cloud tells; after a run also what has changed."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial

import anyio
import msgspec
from msgspec import structs

from orchestrator.app.preview.addresses_learned import NOTHING_LEARNED, AddressesLearned
from orchestrator.app.preview.ask_gates import ask_gates
from orchestrator.app.preview.foresee import Foreseen
from orchestrator.app.preview.foresee_events import foresee_events
from orchestrator.app.preview.look_at_metrics import look_at_metrics
from orchestrator.app.preview.read_subnets import read_subnets
from orchestrator.app.preview.schedules import read_schedules
from orchestrator.app.preview.versions import read_versions
from orchestrator.app.process.event_loop import backend_options
from orchestrator.app.scopes.assume_rates import assume_rates
from orchestrator.app.scopes.open_scopes import open_scopes
from orchestrator.app.scopes.rate_memory import RateMemory
from orchestrator.app.scopes.serve_scopes import served
from orchestrator.clock import SystemClock
from orchestrator.cloud.secrets.registry import Secrets
from orchestrator.executor.scope.host_time import calendar_ahead_s
from orchestrator.model.learned.history import History
from orchestrator.model.plan.plan import Capacity, Plan
from orchestrator.model.plan.target import Target
from orchestrator.model.record.record import Record
from orchestrator.model.run.eligibility import Reading
from orchestrator.model.run.run import Run
from orchestrator.planner.next_run import NextRun
from orchestrator.planner.preview.audit import Audit, Schedules, audit, behind
from orchestrator.planner.preview.foretold import expecting
from orchestrator.planner.preview.preview import make_preview
from orchestrator.planner.preview.preview_values import EventPreview, GatePreview, Preview, SubnetPreview
from orchestrator.planner.preview.unusable import without_scopes
from orchestrator.planner.targets.resolve import Resolved


class OnlinePreview(msgspec.Struct, frozen=True):
    """A preview with versions, and what it was made of.

    Attributes:
        unusable: the scopes that could not be used: name and reason.
        coming: the run that a start takes up, as it stands by the clocks of the clouds.
        clouds: the cloud's time minus this host's in seconds, by scope, as far as answers have told it.
        expects: the plan, with the length of an upgrade as the cloud foretells it where the plan does not say it.
    """

    preview: Preview
    unusable: Mapping[str, str]
    coming: NextRun
    clouds: Mapping[str, float]
    expects: Plan

    @property
    def read_nothing(self) -> bool:
        """Whether no scope could be used at all, so that the preview shows nothing that was seen."""
        return bool(self.unusable) and self.unusable.keys() >= {
            share.name for share in self.preview.scopes if share.targets
        }


class _Read(msgspec.Struct, frozen=True):
    readings: dict[str, Reading]
    unusable: dict[str, str]
    schedules: Schedules
    calls: int
    gates: tuple[GatePreview, ...]
    subnets: tuple[SubnetPreview, ...]
    events: tuple[EventPreview, ...]
    missing: tuple[str, ...]
    clouds: dict[str, float]


def preview_online(
    plan: Plan,
    resolved: Resolved,
    environ: Mapping[str, str],
    on_read: Callable[[int], None],
    foreseen: Foreseen,
    *,
    history: History | None = None,
    spent: int = 0,
    memory: RateMemory | None = None,
    learned: AddressesLearned = NOTHING_LEARNED,
    note: Callable[[Record], None] | None = None,
) -> OnlinePreview:
    """Read every version and make the preview.

    Args:
        plan: what a person asked for.
        resolved: its targets.
        environ: where credentials may be.
        on_read: called with how many versions have been read so far.
        foreseen: what a start takes up.
        history: of the fleet's runs, to make it an audit too.
        spent: calls that discovery has taken.
        memory: what is known of rates; None for nothing.
        learned: what is known of the addresses that upgrades need.
        note: takes records about the scopes; None where nobody looks.

    Raises:
        PlanError: the plan cannot be carried out as it is.
    """
    read = anyio.run(
        partial(_read, run=foreseen.run, memory=memory, learned=learned, note=note),
        plan,
        _to_read(resolved, foreseen.coming),
        environ,
        on_read,
        history,
        backend="asyncio",
        backend_options=backend_options(),
    )
    rated, rates = assume_rates(plan, memory or RateMemory(environ=environ))
    coming = foreseen.by_clocks(read.clouds)
    whole = make_preview(rated, resolved, read.readings, coming)
    preview = without_scopes(whole, read.unusable, all_required=plan.scopes_required == "all")
    calls = structs.replace(preview.calls, read=spent + read.calls)
    audited = _audited(plan, resolved, history, read)
    known = structs.replace(
        preview,
        starts=0 if any(gate.keeps == "all" for gate in read.gates) else preview.starts,
        calls=calls,
        rates=rates,
        audit=audited,
        gates=read.gates,
        subnets=read.subnets,
        events=read.events,
        events_read=plan.cloud_events == "wait",
        warnings=(*preview.warnings, *read.missing),
    )
    return OnlinePreview(known, read.unusable, coming, read.clouds, expecting(plan, read.readings))


def _to_read(resolved: Resolved, coming: NextRun) -> list[Target]:
    """The targets of the plan, and those of the run that are in it no more."""
    known = {target.proxy_id for target in resolved.targets}
    return [*resolved.targets, *(each for each in coming.targets if each.proxy_id not in known)]


async def _read(
    plan: Plan,
    targets: Sequence[Target],
    environ: Mapping[str, str],
    on_read: Callable[[int], None],
    history: History | None,
    *,
    run: Run,
    memory: RateMemory | None,
    learned: AddressesLearned,
    note: Callable[[Record], None] | None,
) -> _Read:
    readers = plan.limits.concurrency
    clock, secrets = SystemClock(), Secrets()
    opened = open_scopes(plan, environ=environ, clock=clock, note=note, memory=memory, secrets=secrets)
    async with opened as scopes:
        readings, unusable = await read_versions(targets, scopes, readers=readers, on_read=on_read)
        told = {name: scope.cloud_time.offset_s for name, scope in scopes.items()}
        clouds = {name: offset_s for name, offset_s in told.items() if offset_s is not None}
        now = clock.now() + timedelta(seconds=calendar_ahead_s(0.0, clouds))
        late = behind(plan.target_version, targets, readings)
        schedules = Schedules() if history is None else await read_schedules(late, scopes, readers=readers)
        looks = late if plan.capacity is not None else []
        subnets, denied = await read_subnets(plan.capacity or Capacity(), looks, scopes, clock, learned)
        expected_s = expecting(plan, readings).follow.expected_s
        kept = late if plan.cloud_events == "wait" else []
        events, unlisted = await foresee_events(kept, scopes, clock, now, expected_s)
        async with served(scopes):
            look = look_at_metrics(plan, scopes, clock, run)
            gates = await ask_gates(plan, environ, clock, secrets, run, look)
        return _Read(
            readings=readings,
            unusable=unusable,
            schedules=schedules,
            calls=sum(scope.usage.calls for scope in scopes.values()),
            gates=gates,
            subnets=subnets,
            events=events,
            missing=(*denied, *unlisted),
            clouds=clouds,
        )


def _audited(plan: Plan, resolved: Resolved, history: History | None, read: _Read) -> Audit | None:
    if history is None:
        return None
    excluded = {each.target.proxy_id for each in resolved.excluded}
    return audit(plan.target_version, resolved.targets, excluded, history, read.readings, read.schedules)
