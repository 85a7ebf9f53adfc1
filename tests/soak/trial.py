"""One trial: processes on virtual time, one after the other, each killed or stopped or left alone, until nothing moves.

A process finds what the one before left on disk, and nothing else. What the oracle needs to know is kept as `Evidence`.
"""

from collections import Counter
from collections.abc import Callable
from functools import partial
from random import Random

import anyio
from soak.announce import announce
from soak.bad_end import ended_badly
from soak.difference import difference
from soak.disk import Disk, VirtualJournal
from soak.evidence import Evidence, Process
from soak.fleet import Fleet, Ordeal
from soak.life import Died, Life, die_with
from soak.loop import ZERO, Stuck, VirtualLoop, instant, play
from soak.person import Person
from soak.plans import changed
from soak.poison import Poisoner
from soak.process import Build, assemble, new_run, nobody_elsewhere
from soak.virtual_api import Wire, open_clients

from orchestrator.errors import ExitCode, StateError
from orchestrator.executor.decide.exit_code import exit_code
from orchestrator.executor.dispatch import Dispatcher, guarded
from orchestrator.executor.hosts.scopes_of_others import ScopesOfOthers
from orchestrator.executor.session import Session
from orchestrator.model.run.run import Run
from orchestrator.simulator.cloud import SimulatedCloud
from orchestrator.tracker.report.build import build_report
from orchestrator.tracker.report.schema import Report

#: A trial that takes more processes than this does not end by itself.
_MOST_SESSIONS = 80

#: How often a person releases the fleet, settles what is stuck, or waits for a scope to come back.
_PATIENCE = {ExitCode.INTERNAL: 3, ExitCode.HELD: 3, ExitCode.PERSON_NEEDED: 2, ExitCode.SCOPE_UNUSABLE: 2}

#: From one night to the next, after one in which the window closed.
_NEXT_NIGHT_S = 24 * 3600.0

#: Until somebody has seen to a scope that was given up.
_REPAIR_S = 600.0

#: How often a task beside the loop does something.
_SERVED_EVERY_S = 20.0


class Trial:
    """The world of one trial, and its processes so far."""

    def __init__(self, fleet: Fleet, build: Build) -> None:
        self.fleet = fleet
        self.build = build
        self.chance = Random(f"trial {fleet.seed}")
        self.cloud = SimulatedCloud(fleet.config, ZERO)
        poisoner = Poisoner(fleet.dose, Random(f"poison {fleet.seed}"), fleet.secrets)
        self.wire = Wire(self.cloud, self.chance, poisoner, fleet.outages)
        self.wire.many_hosts = any(scope.hosts for scope in fleet.plan.scopes)
        self.disk = Disk(fleet.disk_delay_s)
        self.person = Person(fleet, self.cloud, self.chance)
        self.processes: list[Process] = []
        self.servers: list[Process] = []
        self.codes: Counter[int | None] = Counter()
        self.now_s = 0.0
        self.folded: tuple[int, Run] | None = None

    def play(self) -> Evidence:
        """Start processes until nothing is left to do, or nobody cares any more."""
        while self._goes_on():
            self._next()
        self.wire.catch_up(self.now_s)
        self.cloud.advance(instant(self.now_s))
        run = self.recovered()
        story = build_report(run, self.fleet.plan)
        head = {name: getattr(story.head, name) for name in story.head.__struct_fields__}
        return Evidence(
            fleet=self.fleet,
            cloud=self.cloud,
            wire=self.wire,
            disk=self.disk,
            processes=self.processes,
            report=Report(**head, targets=list(story.targets)),
            ended=run.ended is not None,
            endless=len(self.processes) >= _MOST_SESSIONS,
            servers=self.servers,
        )

    def _goes_on(self) -> bool:
        if not self.processes:
            return True
        last = self.processes[-1]
        if last.how in ("stuck", "broken"):
            return False
        if len(self.processes) >= _MOST_SESSIONS or last.code in (ExitCode.DONE, ExitCode.OTHER_OUTCOMES):
            return False
        if any(self.codes[code] >= patience for code, patience in _PATIENCE.items()):
            return False
        return last.code != ExitCode.PERSON_NEEDED or self.fleet.helpful

    def _next(self) -> None:
        try:
            play(self.night, self.now_s)
        except Stuck as stuck:
            last = self.processes[-1]
            last.how, last.why, last.ended_s = "stuck", str(stuck), self.now_s
        process = self.processes[-1]
        ordeal = process.ordeal
        self.now_s = max(each.ended_s for each in (*self.processes, *self.servers)) + ordeal.down_s
        if process.code == ExitCode.MORE_TO_DO and ordeal.stop_s is None:
            self.now_s = self._next_night_s()
        if process.code == ExitCode.SCOPE_UNUSABLE:
            self.now_s += _REPAIR_S
        self.codes[process.code] += 1

    async def night(self, loop: VirtualLoop) -> None:
        """All that goes on from one start to the next."""
        await self._live(loop, self.new_process(self.now_s))

    def new_process(self, now_s: float) -> Process:
        number, ordeals = len(self.processes) + 1, self.fleet.ordeals
        ordeal = ordeals[number - 1] if number <= len(ordeals) else Ordeal()
        plan = changed(self.fleet.plan, self.chance) if ordeal.changes else self.fleet.plan
        self.processes.append(Process(number=number, plan=plan, ordeal=ordeal, began_s=now_s))
        return self.processes[-1]

    def _next_night_s(self) -> float:
        """The next instant at which the cloud's clock, which windows follow, shows the hour of the beginning."""
        skew_s = self.cloud.profile.clock_skew_s
        return _NEXT_NIGHT_S * (1 + (self.now_s + skew_s) // _NEXT_NIGHT_S) - skew_s

    async def _live(self, loop: VirtualLoop, process: Process) -> None:
        ordeal = process.ordeal
        life, run = self.build.life(loop, ordeal.death, ordeal.raises, self.fleet.host), self.recovered()
        dispatcher = self.dispatcher(process, run, life)
        ledger = dispatcher.session.ledger
        journal = VirtualJournal(self.disk, life, self.chance, ledger.on_durable, process.ordeal.full_after)
        ledger.attach(self.build.journal(journal))
        try:
            await self.work(process, dispatcher, life)
            await journal.drained()
            process.fold_differs = None if life.missed else self._difference(run)
        except (BaseExceptionGroup, StateError, Died) as error:
            ended_badly(process, life, error)
            journal.lose()
        process.raised = life.raised
        process.ended_s = loop.time()

    def recovered(self) -> Run:
        """What the journal tells; folded anew, unless that was just done."""
        folded, self.folded = self.folded, None
        if folded is not None and folded[0] == len(self.disk.lines):
            return folded[1]
        return new_run(self.fleet.plan, self.disk.records)

    def _difference(self, live: Run) -> str | None:
        folded = new_run(self.fleet.plan, self.disk.records)
        self.folded = (len(self.disk.lines), folded)
        return difference(live, folded)

    def dispatcher(self, process: Process, run: Run, life: Life, elsewhere: ScopesOfOthers | None = None) -> Dispatcher:
        async def typed(dispatcher: Dispatcher) -> None:
            await self.person.during(dispatcher, process.ordeal, life)

        async def watch(dispatcher: Dispatcher) -> None:
            if elsewhere is not None:
                await elsewhere.watch(dispatcher.session)

        def wake() -> None:
            dispatcher.wake()

        session = self.session(process, run, life, wake, elsewhere or nobody_elsewhere(run, life))
        background = (typed, guarded("a service", partial(_served, life), vital=False), watch)
        dispatcher = Dispatcher(session, background=background)
        return dispatcher

    def session(
        self, process: Process, run: Run, life: Life, wake: Callable[[], None], elsewhere: ScopesOfOthers
    ) -> Session:
        """What a process works with, in the scopes that its host may serve."""
        secrets = self.build.secrets()
        clients = open_clients(process.plan, self.wire, life, self.fleet.environ, process.number, secrets)
        return assemble(
            self.build,
            run,
            process.plan,
            life,
            {name: client for name, client in clients.items() if process.serves is None or name in process.serves},
            number=process.number,
            chance=self.chance,
            longest_s=process.ordeal.until_s,
            mask=secrets.mask,
            wake=wake,
            elsewhere=elsewhere,
            leads=process.decides,
        )

    async def work(self, process: Process, dispatcher: Dispatcher, life: Life) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(die_with, life)
            await announce(dispatcher, self.fleet.plan, process, life)
            await self.person.before(
                dispatcher, life, settle=self.codes[ExitCode.PERSON_NEEDED] + self.codes[ExitCode.INTERNAL] > 0
            )
            if process.ordeal.stop_s is not None:
                life.loop.call_at(process.began_s + process.ordeal.stop_s, dispatcher.stop, "stopped by SIGTERM")
            finish = await dispatcher.run()
            process.code = int(exit_code(dispatcher.session.run, finish))
            process.why = finish.why
            group.cancel_scope.cancel()


async def _served(life: Life, _dispatcher: Dispatcher) -> None:
    """A task beside the loop, in which exceptions are raised."""
    while True:
        await life.sleep(_SERVED_EVERY_S)
        life.trouble("service")


def run_trial(fleet: Fleet, build: Build | None = None) -> Evidence:
    """Play one trial to its end."""
    return Trial(fleet, build or Build()).play()
