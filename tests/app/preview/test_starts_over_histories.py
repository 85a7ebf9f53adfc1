"""What the preview says starts, and stops, is what a run does in which nothing fails, whatever the fleet has seen."""

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from fakes.acts import Fate, refusing, rejecting
from fakes.clock import START, VirtualClock
from fakes.clouds import NEW, FakeCloud
from fakes.kept_fleet import KeptFleet
from fakes.stage import later, plan_of, targets_of
from msgspec import structs

from orchestrator.errors import ExitCode, OrchestratorError
from orchestrator.executor.dispatch import Background
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.commands import Command, HoldCommand, ReleaseCommand
from orchestrator.model.plan.plan import Failures, Follow, Limits, Plan, Wave, Window
from orchestrator.model.record.outcome import Outcome
from orchestrator.planner.next_run import Asked

#: So many random fleets in one test.
_FLEETS = 25


class History:
    """One random fleet with a random past. Everything follows from the seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.plan = self._plan()
        self.fleet = KeptFleet(self.plan, self._clouds(), seed)

    def play(self) -> None:
        """Some starts, of which some are stopped, with what persons order between them."""
        for _ in range(self.random.randint(0, 3)):
            with suppress(OrchestratorError):  # such as --new while something is open
                self.fleet.start(self.asked(), self._stops())
            for command in self._commands():
                self.fleet.give(command)
        for cloud in self.fleet.clouds.values():
            cloud.acts, cloud.fates = {}, {}
            for job in cloud.jobs_made:
                job.fate = replace(job.fate, status="Completed", flips=1.0)
        if self.plan.follow.to == "accepted":
            self.fleet.now += timedelta(hours=1)  # what nobody follows ends before the preview is made

    def asked(self) -> Asked:
        """Options of a start."""
        some = (Outcome.FAILED, Outcome.REJECTED, Outcome.SUCCEEDED, Outcome.NOT_STARTED, Outcome.ALREADY)
        only = frozenset(self.random.sample(some, 2)) if self.random.random() < 0.3 else None
        return Asked(new=self.random.random() < 0.25, only=only)

    def _plan(self) -> Plan:
        choice = self.random.choice
        scopes = choice((("default",), ("a", "b")))
        targets = targets_of(self.random.randint(4, 14), per_instance=choice((1, 2)), scopes=scopes)
        return plan_of(
            targets,
            waves=choice(
                (
                    (Wave(name="all"),),
                    (Wave(name="canary", size=Amount(2)), Wave(name="rest", approve=True)),
                    (
                        Wave(name="canary", size=Amount(1), soak_s=600.0, approve=choice((True, False))),
                        Wave(name="early", size=Amount(40, percent=True), approve=choice((True, False))),
                        Wave(name="rest", approve=choice((True, False))),
                    ),
                )
            ),
            windows=choice(((), (), (Window(opens=23 * 60, closes=4 * 60, timezone="UTC"),))),
            limits=Limits(in_flight=Amount(choice((1, 3, 12))), rate=10.0, ramp=choice((True, False))),
            failures=Failures(
                max=choice((Amount(1), Amount(100, percent=True))),
                max_rejected=choice((Amount(1), Amount(100, percent=True))),
                mode=choice(("strict", "soft")),
            ),
            follow=Follow(to=choice(("verified", "completed", "accepted")), expected_s=300.0),
        )

    def _clouds(self) -> dict[str, FakeCloud]:
        return {scope.name: self._cloud(scope.name) for scope in self.plan.scopes}

    def _cloud(self, scope: str) -> FakeCloud:
        targets = [target for target in self.plan.proxies if target.scope == scope]
        cloud = FakeCloud(VirtualClock(START), targets, prefix=f"wf-{scope}")
        trouble = self.random.choice((0.0, 0.2, 0.6))
        for proxy_id in cloud.proxies:
            if self.random.random() < 0.1:
                cloud.versions[proxy_id] = NEW
            elif self.random.random() < 0.1:
                cloud.can_upgrade[proxy_id] = False
            if self.random.random() < trouble:
                cloud.acts[proxy_id] = [self.random.choice((rejecting(), rejecting("quota"), refusing()))]
            if self.random.random() < trouble / 2:
                cloud.fates[proxy_id] = Fate(status="Failed", flips=None, fail_reason="disk")
        return cloud

    def _stops(self) -> tuple[Background, ...]:
        after_s = self.random.choice((2.0, 100.0, 400.0, 1000.0)) * self.random.random()
        stop = later(after_s, lambda dispatcher: dispatcher.stop("stopped by SIGTERM"))
        return (stop,) if self.random.random() < 0.7 else ()

    def _commands(self) -> list[Command]:
        at, wave = self.fleet.now, self.random.choice(self.plan.waves).name
        hold = HoldCommand(at=at, user="ann", note="incident")
        release = ReleaseCommand(at=at, user="ann", note="over")
        some: tuple[Command, ...] = (hold, release, release, structs.replace(release, wave=wave))
        return self.random.choices(some, k=self.random.randint(0, 2))


def difference(seed: int) -> str | None:
    """What the preview said and the run did otherwise; None when they agree."""
    history = History(seed)
    history.play()
    asked = history.asked()
    try:
        said = history.fleet.preview(asked)
    except OrchestratorError as error:
        refused = str(error)
        try:
            history.fleet.start(asked)
        except OrchestratorError as same:
            return None if str(same) == refused else f"seed {seed}: {refused!r}, and run: {same!r}"
        return f"seed {seed}: the preview refuses what run does: {refused}"
    sent = history.fleet.start(asked)
    starts = {target.proxy_id for wave in said.waves for group in wave.groups for target in group.targets}
    if (said.starts, Counter(sent.values())[1]) != (sent.total(), sent.total()) or not sent.keys() <= starts:
        return f"seed {seed}: {asked}: {said.starts} said, {sent.total()} sent, in {said.state}"
    held = any(line.startswith("held: ") for line in said.state)
    stops = held or any(wave.awaits_approval for wave in said.waves)
    if (history.fleet.code == ExitCode.HELD) != stops:
        return f"seed {seed}: {asked}: exit code {history.fleet.code}, and the preview has {said.state}"
    return None


@pytest.mark.parametrize("first", range(0, 4 * _FLEETS, _FLEETS))
def test_the_preview_says_how_many_a_run_starts(first: int) -> None:
    assert not [found for seed in range(first, first + _FLEETS) if (found := difference(seed))]


def test_a_run_stops_before_a_wave_that_asks_for_approval_though_none_of_it_needs_an_upgrade() -> None:
    waves = (Wave(name="canary", size=Amount(1), approve=True), Wave(name="rest"))
    plan = plan_of(targets_of(4), waves=waves)
    cloud = FakeCloud(VirtualClock(START), plan.proxies)
    cloud.versions.update(dict.fromkeys(cloud.proxies, NEW))
    fleet = KeptFleet(plan, {scope.name: cloud for scope in plan.scopes})
    said = fleet.preview(Asked())
    assert [wave.awaits_approval for wave in said.waves] == [True, False]
    assert (said.starts, fleet.start(Asked()).total(), fleet.code) == (0, 0, ExitCode.HELD)
