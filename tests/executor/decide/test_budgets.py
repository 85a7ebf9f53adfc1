"""Failure budgets: what stops a rollout, and what a release makes of it."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from fakes.acts import Fate, rejecting
from fakes.clock import START
from fakes.clouds import NEW, FakeCloud
from fakes.rollouts import LENIENT, failing, released, stage_of
from fakes.stage import fold_all, plan_of, targets_of

from orchestrator.app.status.outlook import look
from orchestrator.executor.decide.actions import CloseWave, Hold
from orchestrator.executor.decide.hold_causes import causes
from orchestrator.executor.decide.limits import due_hold
from orchestrator.executor.decide.next_action import next_action
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.order import order_key
from orchestrator.model.plan.plan import Failures, Limits, Scope, Wave
from orchestrator.model.plan.target import Target
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import HoldReleased, HoldSet, Intent, ScopeOpened, Settled, WaveOpened


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


def test_a_reject_reason_that_differs_in_a_number_holds_once() -> None:
    def setup(cloud: FakeCloud) -> None:
        for number, key in enumerate(cloud.proxies):
            cloud.acts[key] = [rejecting(f"quota of {number} is used up")]

    failures = Failures(max_rejected=Amount(100, percent=True), mode="soft", new_reject="hold")
    stage = stage_of(10, setup, failures=failures, limits=Limits(concurrency=1, rate=50.0))
    played = stage.play()
    assert played.run.hold is not None
    assert played.run.hold.reason.endswith(" is used up")
    assert len(played.run.hold.proxy_ids) == 1
    assert released(stage, played).outcomes() == {"rejected": 10}


def test_a_release_accepts_what_was_counted() -> None:
    stage = stage_of(30, failing(*range(30)), failures=Failures(max=Amount(2)))
    played = stage.play()
    assert played.outcomes() == {"failed": 3, "waiting": 27}
    assert released(stage, played).outcomes() == {"failed": 6, "waiting": 24}


def test_a_release_accepts_that_nothing_of_it_succeeded_in_its_wave() -> None:
    def setup(cloud: FakeCloud) -> None:
        cloud.default_act = rejecting("quota")

    waves = (Wave(name="canary", size=Amount(2)), Wave(name="rest"))
    stage = stage_of(4, setup, failures=Failures(max_rejected=Amount(0)), waves=waves)
    first = stage.play()
    second = released(stage, first)
    third = released(stage, second)
    assert [played.outcomes()["rejected"] for played in (first, second, third)] == [1, 2, 3]
    assert {record.cause for record in third.of(HoldSet)} == {"rejected"}
    assert third.run.hold is not None
    assert third.run.hold.reason == "1 rejected, 0 allowed for the fleet since the last release"


def test_what_ends_badly_after_a_release_fails_its_wave() -> None:
    one, other = targets_of(2)
    plan = plan_of([one, other], waves=(Wave(name="canary"),), failures=LENIENT)
    go = HoldReleased(at=START, by="ann", note="seen")
    begun = (ScopeOpened(at=START, scope="default"), WaveOpened(at=START, wave="canary"), sent(one), sent(other))
    accepted = fold_all(plan, (*begun, refused(one), refused(other), go))
    assert next_action(look(plan, accepted, (), START, working=True).rollout, START) == CloseWave("canary")
    missed = fold_all(plan, (*begun, refused(one), go, refused(other)))
    held = next_action(look(plan, missed, (), START, working=True).rollout, START)
    assert isinstance(held, Hold)
    assert held.reason == "wave canary: 2 sent, none succeeded"


def sent(target: Target) -> Intent:
    return Intent(
        at=START, target=target.proxy_id, attempt=1, wave="canary", token="t", source_version="1", target_version="2"
    )


def refused(target: Target, outcome: Outcome = Outcome.REJECTED) -> Settled:
    return Settled(at=START, target=target.proxy_id, attempt=1, outcome=outcome, reason="quota", wave="canary")


def test_a_hold_lists_every_budget_that_is_overdrawn() -> None:
    one, other = targets = targets_of(2)
    waves = (Wave(name="canary", max_failures=Amount(0)),)
    plan = plan_of(targets, waves=waves, failures=Failures(max_rejected=Amount(0)))
    run = fold_all(plan, (WaveOpened(at=START, wave="canary"), refused(one, Outcome.FAILED), refused(other)))
    rollout = look(plan, run, (), START, working=True).rollout
    hold = due_hold(rollout)
    assert hold is not None
    assert hold.words == "1 failure, 0 allowed for the fleet; 1 rejected, 0 allowed for the fleet"
    assert set(causes(run, hold)) == {target.proxy_id for target in targets}


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


def replaced_by(failing_at: tuple[int, ...], *, already: int = 10) -> Callable[[FakeCloud], None]:
    """The first ten targets in order need nothing, and some of those after them fail."""

    def setup(cloud: FakeCloud) -> None:
        ordered = sorted(cloud.proxies, key=lambda proxy_id: order(cloud, proxy_id))
        cloud.versions = dict.fromkeys(ordered[:already], NEW)
        for number in failing_at:
            cloud.fates[ordered[number]] = Fate(status="Failed", flips=None, duration_s=60.0)

    return setup


def test_the_budget_of_a_wave_is_a_share_of_what_it_really_sends() -> None:
    """10 of 40 were replaced by others, so the wave sends 10 all the same: 20 % of that bears 2 failures."""
    early = Wave(name="early", size=Amount(10), max_failures=Amount(20, percent=True))
    stage = stage_of(40, replaced_by((12, 13)), waves=(early, Wave(name="rest")))
    assert stage.play().outcomes() == {"already": 10, "failed": 2, "succeeded": 28}
    held = stage_of(40, replaced_by((12, 13, 14)), waves=(early, Wave(name="rest"))).play().run.hold
    assert held is not None
    assert held.reason == "3 failures, 2 allowed for the wave early"


def test_what_an_earlier_wave_drew_as_a_replacement_is_no_part_of_a_later_one() -> None:
    """The first wave takes 20 of 30, 10 in place of others: of the 10 that are left, 20 % are 2."""
    rest = Wave(name="rest", max_failures=Amount(20, percent=True))
    stage = stage_of(30, replaced_by(tuple(range(20, 30))), waves=(Wave(name="early", size=Amount(10)), rest))
    held = stage.play().run.hold
    assert held is not None
    assert held.reason.endswith("failures, 2 allowed for the wave rest")
