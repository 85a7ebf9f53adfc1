"""A fleet whose runs are kept in memory over many starts, with its cloud: what a start should send, and does send."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fakes.clock import START, VirtualClock, run_virtual
from fakes.clouds import FakeCloud
from fakes.memory_state import MemoryState
from fakes.stage import Stage
from msgspec import structs

from orchestrator.app.preview.foresee import foresee
from orchestrator.app.run.begin_or_resume import Beginning, begin_run, end_run, take_up, unfinished_run
from orchestrator.app.run.found_before import past_of
from orchestrator.app.session.apply_command import carry_out
from orchestrator.errors import FleetHeld
from orchestrator.executor.dispatch import Background
from orchestrator.model.plan.commands import Command
from orchestrator.model.plan.plan import Plan
from orchestrator.model.reply.reply import ProxyVersion
from orchestrator.model.run.eligibility import Reading
from orchestrator.planner.next_run import Asked, run_goes_on
from orchestrator.planner.preview.preview import make_preview
from orchestrator.planner.preview.preview_values import Preview
from orchestrator.planner.targets.resolve import Resolved
from orchestrator.tracker.runs.recovery import Recovered, recover

#: Windows and soaks are waited for, however far away they are.
_WAIT_S = 1e9


@dataclass
class KeptFleet:
    """One fleet.

    Attributes:
        clouds: by scope.
        now: when the next start is.
        code: exit code of the last start.
    """

    plan: Plan
    clouds: dict[str, FakeCloud]
    seed: int = 0
    now: datetime = START
    state: MemoryState = field(default_factory=MemoryState)
    code: int = 0

    def give(self, command: Command) -> None:
        """A person asks for something between two starts."""
        self.state.fleet(self.plan.name).give(command)

    def preview(self, asked: Asked) -> Preview:
        """What `plan` says now of a start with these options."""
        targets = list(self.plan.proxies)
        found = foresee(self.plan, targets, self.state, structs.replace(asked, wait_s=_WAIT_S), self.now)
        coming, plan = found.by_clocks({}), found.plan
        return make_preview(plan, Resolved(targets, []), run_virtual(self._readings), coming)

    def start(self, asked: Asked, script: tuple[Background, ...] = ()) -> Counter[str]:
        """How often an upgrade of each proxy was sent by one session of `run` with these options, if one begins."""
        try:
            stored = self._taken_up(asked).stored
        except FleetHeld as error:
            self.code = error.exit_code
            self.now += timedelta(minutes=1)
            return Counter()
        run = next(run for run in self.state.fleet(self.plan.name).made if run.run_id == stored.run_id)
        before = self._sent()
        plan = structs.replace(self.plan, proxies=run.members)
        played = Stage(
            plan=plan,
            clouds=self.clouds,
            records=run.kept,
            start=self.now,
            wait_s=_WAIT_S,
            seed=self.seed,
            script=script,
        ).play()
        run.kept, self.code = played.records, played.code
        self.now = played.ended_at + timedelta(minutes=1)
        return self._sent() - before

    def _taken_up(self, asked: Asked) -> Recovered:
        """As `run` does: go on, or end what has not ended and begin."""
        fleet = self.state.fleet(self.plan.name)
        latest = unfinished_run(fleet)
        goes_on = latest is not None and run_goes_on(past_of(latest, {}, self.plan), asked)
        if latest is not None and goes_on:
            opened = take_up(latest, self.plan)
            assert opened.barred is None
        elif latest is not None:
            end_run(latest, self.now)
        recovered = latest if latest is not None and goes_on else self._begun(asked)
        for number, command in fleet.inbox().new(recovered.run.commands_seen):
            record = carry_out(recovered.run, number, command, self.now)
            recovered.run.apply(record)
            fleet.runs()[-1].kept.append(record)
        return recovered

    def _begun(self, asked: Asked) -> Recovered:
        fleet = self.state.fleet(self.plan.name)
        beginning = Beginning(fleet=fleet, now=self.now, suffix=f"{len(fleet.made):06x}", only=asked.only)
        return recover(begin_run(self.plan, self.plan.proxies, beginning).stored)

    async def _readings(self) -> dict[str, Reading]:
        found: dict[str, Reading] = {}
        for cloud in self.clouds.values():
            cloud.clock = VirtualClock(self.now)
            for proxy_id in cloud.proxies:
                found[proxy_id] = ProxyVersion(
                    current_version=cloud.version_of(proxy_id),
                    latest_version=cloud.latest,
                    can_upgrade=cloud.can_upgrade.get(proxy_id, True),
                )
        return found

    def _sent(self) -> Counter[str]:
        return sum((cloud.upgrades for cloud in self.clouds.values()), Counter())
