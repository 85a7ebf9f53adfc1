"""Waves, soaks, budgets and holds: how far a rollout goes, and what stops it."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from fakes import clouds
from fakes.checker import Checker
from fakes.clock import START
from fakes.clouds import NEW, FakeCloud, Fate, rejecting
from fakes.stage import Played, Stage, later, plan_of, resume, targets_of

from orchestrator.executor.dispatch import Dispatcher
from orchestrator.model.amount import Amount
from orchestrator.model.order import order_key
from orchestrator.model.outcome import Outcome
from orchestrator.model.plan import Failures, Follow, Limits, Plan, Scope, Selector, Wave
from orchestrator.model.record import (
    CommandIgnored,
    HoldReleased,
    HoldSet,
    Intent,
    Record,
    ReturnedToWaiting,
    Reverified,
    Settled,
    WaveApproved,
    WaveDone,
    WaveOpened,
    WaveSoaking,
)

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


def wave_of_each(played: Played) -> dict[str, list[str]]:
    return {name: wave.targets for name, wave in played.run.waves.items()}


# --- waves ------------------------------------------------------------------------------------------------------------


def test_waves_open_one_after_the_other_and_soak() -> None:
    waves = (Wave(name="one", size=Amount(2), soak_s=600.0), Wave(name="two", size=Amount(3)), Wave(name="rest"))
    played = stage_of(9, waves=waves).play()
    Checker(played.dispatcher.session.plan).read(played.records)
    assert [len(targets) for targets in wave_of_each(played).values()] == [2, 3, 4]
    (soaking,) = played.of(WaveSoaking)
    assert soaking.until - soaking.at == timedelta(seconds=600)
    assert [record.wave for record in played.of(WaveOpened)] == ["one", "two", "rest"]
    assert len(played.of(Reverified)) == 2


def test_the_last_wave_does_not_soak() -> None:
    played = stage_of(3, waves=(Wave(name="all", soak_s=600.0),)).play()
    assert not played.of(WaveSoaking)
    assert played.seconds < 600


def test_a_wave_replaces_those_that_need_nothing() -> None:
    waves = (Wave(name="one", size=Amount(2)), Wave(name="rest"))

    def setup(cloud: FakeCloud) -> None:
        cloud.versions = dict.fromkeys(list(cloud.proxies)[:6], NEW)

    played = stage_of(10, setup, waves=waves).play()
    sent = {
        wave: sum(bool(played.run.states[key].attempts) for key in keys) for wave, keys in wave_of_each(played).items()
    }
    assert sent == {"one": 2, "rest": 2}
    assert played.outcomes() == {"already": 6, "succeeded": 4}
    assert played.code == 0


def test_waves_select_their_targets() -> None:
    waves = (Wave(name="gold", select=Selector(labels={"app": "a1"})), Wave(name="rest"))
    played = stage_of(9, waves=waves).play()
    assert len(played.run.waves["gold"].targets) == 3
    assert {played.run.targets[key].labels["app"] for key in played.run.waves["gold"].targets} == {"a1"}


def test_a_wave_in_which_nothing_succeeded_holds_whatever_the_budget() -> None:
    waves = (Wave(name="one", size=Amount(1)), Wave(name="rest"))
    stage = stage_of(5, failing(*range(5)), waves=waves)
    played = stage.play()
    assert played.code == 3
    assert played.run.hold is not None
    assert played.run.hold.cause == "wave_failed"
    assert len(played.run.hold.proxy_ids) == 1
    again = released(stage, played)
    assert [record.cause for record in again.of(HoldSet)] == ["wave_failed", "wave_failed"]
    assert len(again.of(Intent)) == 5


def test_a_wave_that_fails_at_the_end_of_its_soak_holds() -> None:
    def setup(cloud: FakeCloud) -> None:
        cloud.default_fate = Fate(duration_s=60.0)
        cloud.reads = lambda name, key, _number: sicken(key) if name == "proxy_version" else None

        def sicken(key: str) -> None:
            if cloud.by_proxy[key] and cloud.clock.monotonic() > 600:
                cloud.by_proxy[key][-1].fate = Fate(duration_s=60.0, nodes=("ABNORMAL",))

    waves = (Wave(name="one", size=Amount(1), soak_s=1200.0), Wave(name="rest"))
    played = stage_of(5, setup, waves=waves).play()
    assert played.code == 3
    assert played.outcomes() == {"failed": 1, "waiting": 4}
    assert not played.of(WaveDone)


def test_a_soak_is_verified_again_in_the_session_that_ends_it() -> None:
    waves = (Wave(name="one", size=Amount(1), soak_s=7200.0), Wave(name="rest"))
    stage = stage_of(3, waves=waves)
    stage.wait_s = 600.0
    played = stage.play()
    assert played.code == 5
    assert "next possible start" in played.finish.why
    again = resume(stage, played, after=timedelta(hours=3)).play()
    assert again.outcomes() == {"succeeded": 3}
    assert len(again.of(Reverified)) == 1


def test_a_soak_that_is_near_is_waited_for() -> None:
    waves = (Wave(name="one", size=Amount(1), soak_s=3000.0), Wave(name="rest"))
    assert stage_of(3, waves=waves).play().outcomes() == {"succeeded": 3}


def test_a_wave_that_asks_for_approval_waits_for_it() -> None:
    waves = (Wave(name="one", size=Amount(1)), Wave(name="rest", approve=True))
    stage = stage_of(4, waves=waves)
    played = stage.play()
    assert played.code == 3
    assert played.outcomes() == {"succeeded": 1, "waiting": 3}
    approval = WaveApproved(at=played.ended_at, wave="rest", by="ann", note="go")
    assert released(stage, played, approval).outcomes() == {"succeeded": 4}
    assert released(stage, played).outcomes() == {"succeeded": 4}


def test_approval_may_be_given_in_advance() -> None:
    waves = (Wave(name="one", size=Amount(1)), Wave(name="rest", approve=True))

    async def approve(dispatcher: Dispatcher) -> None:
        now = dispatcher.session.clock.now()
        await dispatcher.session.ledger.record(WaveApproved(at=now, wave="rest", by="ann", note="go"))

    stage = stage_of(4, waves=waves)
    stage.script = (later(20.0, approve),)
    played = stage.play()
    assert played.outcomes() == {"succeeded": 4}
    assert not played.of(HoldSet)


# --- budgets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("concurrency", [1, 10, 100])
def test_a_strict_budget_holds_after_the_same_number_of_failures(concurrency: int) -> None:
    limits = Limits(concurrency=concurrency, in_flight=Amount(concurrency), rate=50.0, ramp=False)
    played = stage_of(60, failing(), limits=limits, failures=Failures(max=Amount(5))).play()
    assert played.outcomes() == {"failed": 6, "waiting": 54}
    assert played.code == 3


def test_a_soft_budget_holds_and_what_is_open_is_followed() -> None:
    limits = Limits(concurrency=20, in_flight=Amount(20), rate=50.0, ramp=False)
    played = stage_of(60, failing(), limits=limits, failures=Failures(max=Amount(5), mode="soft")).play()
    assert played.code == 3
    assert set(played.outcomes()) == {"failed", "waiting"}
    assert 6 <= played.outcomes()["failed"] <= 26


def test_the_budget_is_a_share_of_what_may_still_need_an_upgrade() -> None:
    def setup(cloud: FakeCloud) -> None:
        failing()(cloud)
        cloud.versions = dict.fromkeys(list(cloud.proxies)[5:], NEW)

    played = stage_of(100, setup, failures=Failures(max=Amount(10, percent=True), mode="soft")).play()
    assert played.code == 3
    assert played.run.hold is not None


def test_rejections_have_their_own_budget() -> None:
    def setup(cloud: FakeCloud) -> None:
        cloud.default_act = rejecting()

    limits = Limits(concurrency=1, rate=50.0, ramp=False)
    played = stage_of(50, setup, limits=limits, failures=Failures(max_rejected=Amount(3), mode="soft")).play()
    assert played.outcomes() == {"rejected": 4, "waiting": 46}
    assert played.run.hold is not None
    assert played.run.hold.cause == "rejected"
    assert len(played.run.hold.proxy_ids) == 4


@pytest.mark.parametrize("concurrency", [1, 20])
def test_strict_mode_never_has_more_rejections_than_one_above_the_budget(concurrency: int) -> None:
    def setup(cloud: FakeCloud) -> None:
        cloud.default_act = rejecting()

    limits = Limits(concurrency=concurrency, in_flight=Amount(50), rate=50.0, ramp=False)
    failures = Failures(max=Amount(40), max_rejected=Amount(3))
    assert stage_of(50, setup, limits=limits, failures=failures).play().outcomes()["rejected"] == 4


def test_waves_and_scopes_have_budgets_of_their_own() -> None:
    waves = (Wave(name="one", size=Amount(10), max_failures=Amount(1)), Wave(name="rest"))
    played = stage_of(30, failing(), waves=waves, failures=Failures(max=Amount(20))).play()
    assert played.run.hold is not None
    assert (played.run.hold.cause, played.run.hold.wave) == ("failures", "one")
    assert played.outcomes()["failed"] == 2

    def only_b(cloud: FakeCloud) -> None:
        if cloud.prefix == "wf-b":
            failing()(cloud)

    scopes = (Scope(name="a"), Scope(name="b", max_failures=Amount(1)))
    played = stage_of(30, only_b, scopes_of=("a", "b"), scopes=scopes, failures=Failures(max=Amount(20))).play()
    assert played.run.hold is not None
    assert played.run.hold.scope == "b"
    assert played.outcomes()["failed"] == 2


def test_a_hold_names_its_causes_root_causes_first() -> None:
    def setup(cloud: FakeCloud) -> None:
        failing(*range(6))(cloud)
        many = list(cloud.proxies)
        for number in (1, 3):
            cloud.fates[many[number]] = Fate(status="Failed", flips=None, duration_s=45.0 + number, fail_reason="disk")

    played = stage_of(6, setup, failures=Failures(max=Amount(2), mode="soft")).play()
    held = played.run.hold
    assert held is not None
    disk = ["disk" in (played.run.states[key].reason or "") for key in held.proxy_ids]
    assert len(disk) >= 3
    assert sum(one != other for one, other in pairwise(disk)) <= 1


def test_a_reject_reason_never_seen_before_holds_if_the_plan_says_so() -> None:
    def setup(cloud: FakeCloud) -> None:
        cloud.default_act = rejecting("quota")

    failures = Failures(max_rejected=Amount(100, percent=True), mode="soft", new_reject="hold")
    stage = stage_of(6, setup, failures=failures, limits=Limits(concurrency=1, rate=50.0))
    played = stage.play()
    assert played.run.hold is not None
    assert played.run.hold.cause == "new_reject"
    assert "quota" in played.run.hold.reason
    assert len(played.run.hold.proxy_ids) == 1
    assert played.outcomes() == {"rejected": 1, "waiting": 5}
    again = released(stage, played)
    assert again.outcomes() == {"rejected": 6}


def test_a_release_accepts_what_was_counted() -> None:
    stage = stage_of(30, failing(*range(30)), failures=Failures(max=Amount(2)))
    played = stage.play()
    assert played.outcomes() == {"failed": 3, "waiting": 27}
    assert released(stage, played).outcomes() == {"failed": 6, "waiting": 24}


def test_after_a_release_an_open_failure_no_longer_blocks_the_strict_budget() -> None:
    def setup(cloud: FakeCloud) -> None:
        first = min(cloud.proxies, key=lambda proxy_id: order(cloud, proxy_id))
        cloud.fates[first] = Fate(duration_s=1e7, flips=None)

    stage = stage_of(5, setup, failures=Failures(max=Amount(0)), limits=Limits(ramp=False))
    played = stage.play()
    assert played.code == 3
    assert played.outcomes() == {"timed_out": 1, "waiting": 4}
    again = released(stage, played)
    assert again.outcomes() == {"timed_out": 1, "succeeded": 4}
    assert again.code == 6


def order(_cloud: FakeCloud, proxy_id: str) -> bytes:
    return order_key("fleet", proxy_id)


# --- holds and people -------------------------------------------------------------------------------------------------


def test_a_person_holds_a_running_process() -> None:
    async def hold(dispatcher: Dispatcher) -> None:
        now = dispatcher.session.clock.now()
        await dispatcher.session.ledger.record(HoldSet(at=now, cause="person", reason="held by ann", by="ann"))

    stage = stage_of(40, limits=Limits(ramp=False, rate=2.0))
    stage.script = (later(10.0, hold),)
    played = stage.play()
    assert played.code == 3
    assert set(played.outcomes()) == {"succeeded", "waiting"}
    assert max(record.at for record in played.of(Intent)) <= START + timedelta(seconds=10.1)
    assert released(stage, played).outcomes() == {"succeeded": 40}


def test_a_hold_released_in_the_same_session_goes_on() -> None:
    async def hold(dispatcher: Dispatcher) -> None:
        ledger, clock = dispatcher.session.ledger, dispatcher.session.clock
        await ledger.record(HoldSet(at=clock.now(), cause="person", reason="held by ann", by="ann"))
        await clock.sleep(30.0)
        await ledger.record(HoldReleased(at=clock.now(), by="ann", note="go"))

    stage = stage_of(40, limits=Limits(ramp=False, rate=2.0))
    stage.script = (later(10.0, hold),)
    assert stage.play().outcomes() == {"succeeded": 40}


def settle_later(number: int, seconds: float, record: type[Record], **fields: Any) -> Any:
    async def settle(dispatcher: Dispatcher) -> None:
        session = dispatcher.session
        state = session.run.state(list(session.run.targets)[number])
        about = {"at": session.clock.now(), "target": state.key, "attempt": len(state.attempts)}
        await dispatcher.overrule(record(**about, **fields))  # type: ignore[arg-type]

    return later(seconds, settle)


def test_a_person_settles_an_open_target_and_its_slot_is_free() -> None:
    def setup(cloud: FakeCloud) -> None:
        cloud.default_fate = Fate(duration_s=1e7, flips=None)

    stage = stage_of(2, setup, per_instance=2)
    fields = {"outcome": Outcome.FAILED, "settled_by": "ann", "note": "looked"}
    stage.script = tuple(settle_later(number, at, Settled, **fields) for number in (0, 1) for at in (1000.0, 2000.0))
    played = stage.play()
    assert played.outcomes() == {"failed": 2}
    assert played.cloud.counts["upgrade"] == 2


def test_a_person_returns_a_target_and_it_is_sent_again() -> None:
    def setup(cloud: FakeCloud) -> None:
        cloud.acts[next(iter(cloud.proxies))] = [clouds.LOST_REQUEST]

    stage = stage_of(1, setup)
    stage.script = (settle_later(0, 300.0, ReturnedToWaiting, settled_by="ann", note="not there"),)
    played = stage.play()
    assert played.outcomes() == {"succeeded": 1}
    assert played.state(0).attempts[1].intent.at >= START + timedelta(seconds=300)


def test_a_target_whose_answer_is_under_way_cannot_be_settled_yet() -> None:
    slow = clouds.Act(clouds.ACCEPT.reply, effect=True, latency_s=25.0)

    def setup(cloud: FakeCloud) -> None:
        cloud.default_act = slow

    stage = stage_of(1, setup)
    stage.script = (settle_later(0, 10.0, ReturnedToWaiting, settled_by="ann", note="?", command=7),)
    played = stage.play()
    assert played.outcomes() == {"succeeded": 1}
    assert [record.command for record in played.of(CommandIgnored)] == [7]
    assert played.cloud.counts["upgrade"] == 1


def test_what_was_sent_cannot_be_returned_and_is_followed_on() -> None:
    stage = stage_of(1)
    stage.script = (settle_later(0, 30.0, ReturnedToWaiting, settled_by="ann", note="?", command=7),)
    played = stage.play()
    assert played.outcomes() == {"succeeded": 1}
    assert len(played.of(CommandIgnored)) == 1
    assert played.cloud.counts["upgrade"] == 1


# --- limits -----------------------------------------------------------------------------------------------------------


def most_at_once(played: Played, key: Any) -> int:
    """The most targets between intent and outcome at one instant, of one kind."""
    now_open: dict[str, Any] = {}
    most = 0
    for record in played.records:
        if isinstance(record, Intent):
            now_open[record.target or ""] = key(played.run.targets[record.target or ""])
        elif isinstance(record, Settled):
            now_open.pop(record.target or "", None)
        most = max([most, *(list(now_open.values()).count(kind) for kind in set(now_open.values()))])
    return most


@pytest.mark.parametrize("cap", [1, 2])
def test_per_instance_bounds_what_is_in_flight_on_one(cap: int) -> None:
    limits = Limits(in_flight=Amount(50), rate=50.0, ramp=False, per_instance=cap)
    played = stage_of(24, limits=limits, per_instance=4).play()
    assert played.outcomes() == {"succeeded": 24}
    assert most_at_once(played, lambda target: target.instance_id) == cap


def test_per_label_bounds_what_shares_a_value() -> None:
    limits = Limits(in_flight=Amount(50), rate=50.0, ramp=False, per_label={"app": 2})
    played = stage_of(24, limits=limits).play()
    assert played.outcomes() == {"succeeded": 24}
    assert most_at_once(played, lambda target: target.labels["app"]) == 2


def test_in_flight_is_reached_and_never_exceeded() -> None:
    limits = Limits(in_flight=Amount(7), rate=50.0, ramp=False)
    played = stage_of(30, limits=limits).play()
    assert most_at_once(played, lambda _target: "all") == 7


def test_the_ramp_doubles_with_success() -> None:
    limits = Limits(in_flight=Amount(8), rate=50.0)
    waves = (Wave(name="canary", size=Amount(1)), Wave(name="rest"))
    played = stage_of(60, limits=limits, waves=waves).play()
    now_open: set[str] = set()
    most_by_success: dict[int, int] = {}
    for record in played.records:
        if isinstance(record, Intent) and record.wave == "rest":
            now_open.add(record.target or "")
        elif isinstance(record, Settled):
            now_open.discard(record.target or "")
        successes = sum(isinstance(other, Settled) for other in played.records[: played.records.index(record)]) - 1
        most_by_success[successes] = max(most_by_success.get(successes, 0), len(now_open))
    for successes, most in most_by_success.items():
        assert most <= max(1, 2 ** max(0, (successes + 1).bit_length() - 1)), (successes, most)
    assert max(most_by_success.values()) == 8


# --- following only to acceptance -------------------------------------------------------------------------------------


def test_following_to_acceptance_needs_no_slots_but_keeps_off_busy_instances() -> None:
    plan: Plan = stage_of(8, per_instance=2, follow=Follow(to="accepted"), limits=Limits(rate=50.0)).plan
    played = Stage(plan=plan).play()
    assert played.outcomes() == {"accepted": 8}
    by_instance: dict[str, list[Any]] = {}
    for record in played.of(Intent):
        by_instance.setdefault(played.run.targets[record.target].instance_id, []).append(record.at)
    for first, second in by_instance.values():
        assert second - first >= timedelta(seconds=300)
