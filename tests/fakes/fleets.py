"""Random small fleets with random troubles. Everything follows from one seed."""

from datetime import timedelta
from random import Random
from typing import Any

from fakes import acts
from fakes.acts import Act, Fate, refusing, rejecting, throttling
from fakes.clock import START
from fakes.clouds import NEW, FakeCloud
from fakes.stage import Stage, later, plan_of, targets_of

from orchestrator.executor.dispatch import Background
from orchestrator.model.amount import Amount
from orchestrator.model.plan import Failures, Follow, Limits, Plan, Retry, Scope, Wave, Window
from orchestrator.model.reply import Doubtful, Exchange, Failure, NotSent, Throttled

#: What an upgrade call may come to; ACCEPT is far the most frequent.
_ACTS: tuple[Act, ...] = (
    acts.PARTIAL,
    acts.LOST_ANSWER,
    acts.LOST_REQUEST,
    acts.LATE_EFFECT,
    acts.FIVE_HUNDRED,
    acts.FIVE_HUNDRED_AFTER,
    acts.EMPTY,
    acts.EMPTY_AFTER,
    acts.UNKNOWN_STATE,
    acts.UNKNOWN_NOT_BEGUN,
    acts.ACCEPT_WITHOUT_ID,
    acts.UNSENT,
    acts.UNAUTHENTICATED,
    acts.BUSY,
    rejecting(),
    rejecting("quota"),
    refusing(),
    throttling(),
    throttling(None),
)


class Scenario:
    """One random fleet.

    Args:
        seed: of everything.
        trouble: share of calls and upgrades that go wrong.
    """

    def __init__(self, seed: int, trouble: float = 0.3) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.trouble = self.random.choice((0.0, trouble, trouble, 2 * trouble))
        self.plan = self._plan()

    def stage(self, **changes: Any) -> Stage:
        """The stage on which it plays."""
        values: dict[str, Any] = {
            "plan": self.plan,
            "cloud_of": self._prepare,
            "seed": self.seed,
            "wait_s": self.random.choice((0.0, 3600.0, 86400.0)),
            "script": self.stops(),
        }
        return Stage(**{**values, **changes})

    def stops(self) -> tuple[Background, ...]:
        """Sometimes somebody stops the session."""
        if self.random.random() < 0.5:
            return ()
        after_s = self.random.choice((0.3, 2.0, 70.0, 400.0, 1000.0)) * self.random.random()
        return (later(after_s, lambda dispatcher: dispatcher.stop("stopped by SIGTERM")),)

    def _plan(self) -> Plan:
        choice = self.random.choice
        scopes = choice((["default"], ["default"], ["a", "b"], ["a", "b", "c"]))
        targets = targets_of(self.random.randint(1, 24), per_instance=choice((1, 2, 3)), scopes=scopes)
        used = dict.fromkeys(target.scope for target in targets)
        return plan_of(
            targets,
            scopes=tuple(
                Scope(name=name, project_id=f"p-{name}", max_failures=choice((None, None, Amount(1)))) for name in used
            ),
            waves=self._waves(),
            limits=Limits(
                concurrency=choice((1, 2, 10)),
                rate=choice((0.5, 2.0, 10.0)),
                in_flight=choice((Amount(1), Amount(3), Amount(10), Amount(50, percent=True))),
                per_instance=choice((1, 1, 2)),
                per_label=choice(({}, {}, {"app": 1})),
                ramp=choice((True, False)),
            ),
            failures=Failures(
                max=choice((Amount(1, percent=True), Amount(2), Amount(50, percent=True))),
                mode=choice(("strict", "soft")),
                max_rejected=choice((Amount(10, percent=True), Amount(60, percent=True))),
                new_reject=choice(("continue", "continue", "hold")),
            ),
            follow=Follow(to=choice(("verified", "verified", "verified", "completed", "accepted")), timeout_s=2400.0),
            windows=choice(((), (), (), (Window(opens=22 * 60, closes=23 * 60, timezone="UTC"),))),
            fit=choice((True, False)),
            retry=Retry(busy_for_s=choice((600.0, 7200.0))),
        )

    def _waves(self) -> tuple[Wave, ...]:
        canary = Wave(
            name="canary",
            size=Amount(1),
            soak_s=self.random.choice((0.0, 600.0)),
            max_failures=self.random.choice((None, Amount(0))),
        )
        early = Wave(name="early", size=self.random.choice((Amount(3), Amount(30, percent=True))))
        return self.random.choice(
            ((Wave(name="all"),), (canary, Wave(name="rest")), (canary, early, Wave(name="rest")))
        )

    def _prepare(self, cloud: FakeCloud) -> None:
        for target in cloud.proxies.values():
            if self.random.random() < self.trouble / 3:
                cloud.versions[target.proxy_id] = NEW
            elif self.random.random() < self.trouble / 6:
                cloud.can_upgrade[target.proxy_id] = False
            cloud.acts[target.proxy_id] = self._acts()
            cloud.fates[target.proxy_id] = self._fate()
        cloud.reads = self._reads
        cloud.offset_s = self.random.choice((0.0, 0.0, 90.0, -200.0))
        cloud.latency_s = self.random.choice((0.02, 0.5))
        cloud.offsets = self.random.choice(("page", "record", "record0"))
        self._strangers(cloud)
        self._outage(cloud)

    def _acts(self) -> list[Act]:
        acts = []
        while self.random.random() < self.trouble:
            acts.append(self.random.choice(_ACTS))
        return acts

    def _fate(self) -> Fate:
        fine = Fate(
            duration_s=self.random.choice((40.0, 300.0, 900.0)),
            visible_after_s=self.random.choice((0.0, 5.0, 60.0)),
            named=self.random.random() < 0.3,
            flips=self.random.choice((1.0, 0.5, 1.05)),
        )
        if self.random.random() >= self.trouble / 2:
            return fine
        return self.random.choice(
            (
                Fate(status="Failed", flips=None, fail_reason="disk"),
                Fate(status="Canceled", flips=None),
                Fate(nodes=("ACTIVE", "ABNORMAL")),
                Fate(flips=None),
                Fate(duration_s=3000.0),
            )
        )

    def _reads(self, _name: str, _key: str, _number: int) -> Failure | None:
        if self.random.random() >= self.trouble / 10:
            return None
        return self.random.choice(
            (
                Doubtful("HTTP 503", Exchange(http_status=503)),
                NotSent("connection refused"),
                Throttled(5.0, Exchange(http_status=429)),
            )
        )

    def _strangers(self, cloud: FakeCloud) -> None:
        for target in cloud.proxies.values():
            if self.random.random() < self.trouble / 6:
                fate = Fate(duration_s=self.random.choice((200.0, 4000.0)))
                cloud.add_foreign(target.instance_id, self.random.uniform(0, 3000), fate)

    def _outage(self, cloud: FakeCloud) -> None:
        """Sometimes nothing can be reached for a while, or the token ends."""
        if self.random.random() < self.trouble:
            begins = START + timedelta(seconds=self.random.uniform(0, 2000))
            ends = begins + timedelta(seconds=self.random.choice((30.0, 400.0, 1500.0)))
            failure = self.random.choice((NotSent("unreachable"), Doubtful("no answer", Exchange())))
            cloud.down = lambda now: failure if begins <= now < ends else None
        if self.random.random() < self.trouble:
            expires = START + timedelta(seconds=self.random.uniform(0, 2000))
            cloud.refuses_generation = lambda now, generation: generation == 1 and now > expires
