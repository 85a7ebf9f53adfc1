"""Rollouts as tests play them: plain plans, targets that fail, sessions that follow a release."""

from collections.abc import Sequence
from typing import Any

from fakes.acts import Act, Fate
from fakes.clock import START
from fakes.clouds import FakeCloud
from fakes.stage import Played, Stage, fold_all, plan_of, resume, targets_of

from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.restore_queue import make_queue
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Limits, Plan, Wave
from orchestrator.model.plan.selection import Selector
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import HoldReleased, Record, ScopeOpened, Settled, WaveOpened
from orchestrator.planner.waves import assign_waves, scope_targets, wave_targets

FREE = Limits(in_flight=Amount(100), concurrency=50, rate=50.0, ramp=False)
LENIENT = Failures(max=Amount(100, percent=True), max_rejected=Amount(100, percent=True), mode="soft")
ALL = (Wave(name="all"),)
FAILS = Fate(status="Failed", flips=None, duration_s=60.0)


def stage_of(number: int, setup: Any = lambda _cloud: None, *, per_instance: int = 1, **changes: Any) -> Stage:
    targets = targets_of(number, per_instance=per_instance, scopes=changes.pop("scopes_of", ("default",)))
    values = {"limits": FREE, "failures": LENIENT, "waves": ALL, **changes}
    return Stage(plan=plan_of(targets, **values), cloud_of=setup)


def failing(*numbers: int, fate: Fate = FAILS) -> Any:
    def setup(cloud: FakeCloud) -> None:
        for number, proxy_id in enumerate(list(cloud.proxies)):
            if number in numbers or not numbers:
                cloud.fates[proxy_id] = fate

    return setup


def released(stage: Stage, played: Played, record: Record | None = None) -> Played:
    """The next session, after a person has released the hold."""
    following = resume(stage, played)
    release = record or HoldReleased(at=played.ended_at, by="ann", note="seen")
    following.records = [*played.records, release]
    return following.play()


def play_first(
    acts: Sequence[Act] = (),
    *,
    others: int = 4,
    fate: Fate | None = None,
    setup: Any = lambda _cloud: None,
    **changes: Any,
) -> Played:
    """Target 0 meets `acts`; the others are upgraded plainly, some of them before, so that their jobs are known."""
    targets = targets_of(1 + others)
    first = targets[0].proxy_id

    def prepare(cloud: FakeCloud) -> None:
        cloud.acts[first] = list(acts)
        if fate is not None:
            cloud.fates[first] = fate
        setup(cloud)

    before = Wave(name="others", select=Selector(labels={"app": "a1"}))
    waves = (before, Wave(name="rest")) if others else ALL
    values = {"failures": LENIENT, "waves": waves, **changes}
    return Stage(plan=plan_of(targets, **values), cloud_of=prepare).play()


def outcome(played: Played) -> tuple[str, str | None]:
    state = played.state(0)
    return state.standing, state.reason


def starts(played: Played) -> int:
    return played.cloud.books[played.state(0).key]


def rollout_of(plan: Plan, **settled: int) -> Rollout:
    """A rollout in which so many targets have these outcomes, and nothing is in flight."""
    outcomes = [Outcome(name) for name, count in settled.items() for _ in range(count)]
    wave = plan.waves[0].name
    records: list[Record] = [ScopeOpened(at=START, scope="default"), WaveOpened(at=START, wave=wave)]
    for target, outcome in zip(plan.proxies, outcomes, strict=False):
        records.append(Settled(at=START, target=target.proxy_id, outcome=outcome, wave=wave))
    run, staging = fold_all(plan, records), assign_waves(plan, plan.proxies)
    return Rollout(
        plan=plan,
        run=run,
        queue=make_queue(plan, plan.proxies, run),
        wave_targets=wave_targets(staging),
        scope_targets=scope_targets(staging),
        scope_rates={"default": 50.0},
    )
