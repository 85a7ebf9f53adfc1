"""One process of a trial: the executor joined to the virtual world, as the application joins it to the real one."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import timedelta
from itertools import count
from random import Random
from typing import TypeAlias

import anyio
from soak.life import Life

from orchestrator.app.sinks.tee import RecordSink, Tee
from orchestrator.cloud.secrets.registry import Secrets
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.hosts.scopes_of_others import ScopesOfOthers
from orchestrator.executor.ledger import Ledger
from orchestrator.executor.ports import CloudApi, JournalPort
from orchestrator.executor.rate.auto_rate import auto_pacer
from orchestrator.executor.rate.fixed_rate import WindowPacer
from orchestrator.executor.rate.lanes import Lanes
from orchestrator.executor.restore_queue import make_queue
from orchestrator.executor.scope.host_time import HostTime
from orchestrator.executor.scope.jobs.job_list import Board
from orchestrator.executor.scope.rates import Rates
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.executor.session import Session
from orchestrator.model.plan.plan import Plan, Scope
from orchestrator.model.record.part_record import PartFailed
from orchestrator.model.record.record import Record
from orchestrator.model.run.run import Run
from orchestrator.planner.waves import assign_waves, scope_targets, wave_targets

#: How long a process waits for a window to open: most nights, not all of them.
_WAIT_S = 20 * 3600.0


#: Gives a record without the secrets in it.
Mask: TypeAlias = Callable[[Record], Record]


class Build:
    """How a process is put together; a test of the oracle overrides one part of it, and so breaks one promise."""

    life: type[Life] = Life

    def secrets(self) -> Secrets:
        """What hides the secrets that this process gets."""
        return Secrets()

    def run(self, run: Run) -> Run:
        """The run as it was recovered."""
        return run

    def plan(self, plan: Plan) -> Plan:
        """The plan that the executor is given."""
        return plan

    def api(self, api: CloudApi, plan: Plan) -> CloudApi:
        """The cloud as the executor sees it."""
        del plan
        return api

    def journal(self, journal: JournalPort) -> JournalPort:
        """The journal as the executor sees it."""
        return journal

    def tokens(self, life: Life, session: int) -> Callable[[], str]:
        """A token that no other execution has."""
        del life
        numbers = count()
        return lambda: f"{session}-{next(numbers)}"

    def ledger(self, rollout: Rollout, life: Life, changed: Callable[[], None], mask: Mask) -> Ledger:
        """The one owner of the state."""

        class Troubled(Ledger):
            def _apply(self, record: Record) -> None:
                if not isinstance(record, PartFailed):
                    life.trouble("fold")
                super()._apply(record)

        class Sink(RecordSink):
            name = "a sink"

            def take(self, record: Record) -> None:  # noqa: ARG002  # none is the cause
                life.trouble("sink")

        def failed(name: str, error: Exception) -> None:
            ledger.part_failed(name, error)

        ledger = Troubled(rollout, life, changed=changed, observe=Tee([Sink()], failed), mask=mask)
        return ledger


def _ignore(_record: Record) -> None:
    pass


def assemble(
    build: Build,
    run: Run,
    plan: Plan,
    life: Life,
    apis: Mapping[str, CloudApi],
    *,
    number: int,
    chance: Random,
    longest_s: float | None,
    mask: Mask,
    wake: Callable[[], None],
    elsewhere: ScopesOfOthers,
    leads: bool,
) -> Session:
    """A session that is ready for its dispatcher or server once a journal is attached to its ledger.

    Args:
        apis: of the scopes that are served here.
        elsewhere: the others.
    """
    plan, run = build.plan(plan), build.run(run)
    known = frozenset(run.workflows)

    def note(record: Record) -> None:
        ledger.note(record)

    lanes = new_lanes(plan, life)
    scopes = {
        scope.name: ScopeCalls(
            name=scope.name,
            api=build.api(apis[scope.name], plan),
            lanes=lanes[scope.name],
            retry=plan.retry,
            clock=life,
            chance=chance.random,
            note=note,
        )
        for scope in plan.scopes
        if scope.name in apis
    }
    rollout = _rollout(plan, run, scopes, life, longest_s, elsewhere)
    ledger = build.ledger(rollout, life, wake, mask)
    return Session(
        rollout=rollout,
        ledger=ledger,
        scopes=scopes,
        boards={name: Board(calls) for name, calls in scopes.items()},
        clock=life,
        sending=anyio.CapacityLimiter(plan.limits.concurrency),
        new_token=build.tokens(life, number),
        known_workflows=_known(known),
        reached=life.reached,
        leads=leads,
    )


async def _no_servers() -> Mapping[str, str]:
    return {}


def nobody_elsewhere(run: Run, life: Life) -> ScopesOfOthers:
    """Of a process that may serve every scope itself, or that does not decide."""
    return ScopesOfOthers((), run, life, _no_servers, {})


def new_run(plan: Plan, records: Iterable[Record]) -> Run:
    """The run that a journal tells of."""
    run = Run(
        plan.proxies,
        waves=[wave.name for wave in plan.waves],
        scopes=[scope.name for scope in plan.scopes],
        failures=plan.failures,
        most_unpacked=0,
    )
    for record in records:
        run.apply(record)
    return run


def _rollout(
    plan: Plan, run: Run, scopes: dict[str, ScopeCalls], life: Life, longest_s: float | None, elsewhere: ScopesOfOthers
) -> Rollout:
    targets, host = list(run.targets.values()), HostTime(life)
    staging = assign_waves(plan, targets)
    return Rollout(
        plan=plan,
        run=run,
        queue=make_queue(plan, targets, run),
        wave_targets=wave_targets(staging),
        scope_targets=scope_targets(staging),
        scope_rates=Rates(scopes, elsewhere.rate),
        available=lambda name: scopes[name].available if name in scopes else elsewhere.available(name),
        ahead=lambda: host.ahead(run.timeline.offsets),
        ends_at=None if longest_s is None else life.now() + timedelta(seconds=longest_s),
        wait_s=_WAIT_S,
    )


def new_lanes(plan: Plan, life: Life) -> dict[str, Lanes]:
    """Every scope has an endpoint of its own here, and so a rate of its own."""
    rates = {scope.name: scope_rate(plan, scope) for scope in plan.scopes}
    return {name: Lanes(auto_pacer() if rate is None else WindowPacer(rate), life) for name, rate in rates.items()}


def scope_rate(plan: Plan, scope: Scope) -> float | None:
    """Calls per second that a scope may make; None when it is to be found out."""
    rate = plan.limits.rate if scope.rate is None else scope.rate
    return None if rate == "auto" else rate


def _known(known: AbstractSet[str]) -> Callable[[], Awaitable[AbstractSet[str]]]:
    async def read() -> AbstractSet[str]:
        return known

    return read
