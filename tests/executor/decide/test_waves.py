"""Waves: who is in them, when the next one opens, soaks and approvals."""

from datetime import timedelta
from typing import Any

import pytest
from fakes import acts
from fakes.acts import Fate
from fakes.clock import START
from fakes.clouds import NEW, FakeCloud
from fakes.rollouts import FREE, LENIENT, failing, released, stage_of
from fakes.stage import Played, Stage, later, plan_of, resume, targets_of
from judge.journal import expect_kept
from msgspec.structs import replace

from orchestrator.executor.dispatch import Dispatcher
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.order import order_key
from orchestrator.model.plan.plan import Failures, Follow, Limits, Plan, Retry, Wave
from orchestrator.model.plan.selection import Selector
from orchestrator.model.plan.target import Facts
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import (
    HoldSet,
    Intent,
    NotReverified,
    ReturnedToWaiting,
    Reverified,
    Settled,
    VersionReached,
    WaveApproved,
    WaveDone,
    WaveOpened,
    WaveSoaking,
)
from orchestrator.model.reply.reply import Exchange, Failure, NotSent, Refused
from orchestrator.tracker.report.build import build_report


def wave_of_each(played: Played) -> dict[str, list[str]]:
    return {name: wave.targets for name, wave in played.run.waves.items()}


def test_waves_open_one_after_the_other_and_soak() -> None:
    waves = (Wave(name="one", size=Amount(2), soak_s=600.0), Wave(name="two", size=Amount(3)), Wave(name="rest"))
    played = stage_of(9, waves=waves).play()
    expect_kept(played.dispatcher.session.plan, played.records)
    assert [len(targets) for targets in wave_of_each(played).values()] == [2, 3, 4]
    (soaking,) = played.of(WaveSoaking)
    assert soaking.until - soaking.at == timedelta(seconds=600)
    assert [record.wave for record in played.of(WaveOpened)] == ["one", "two", "rest"]
    assert len(played.of(Reverified)) == 2


def test_a_wave_in_which_a_stuck_target_moves_again_in_the_soak_is_not_done_before_that_has_ended() -> None:
    late = Fate(duration_s=400.0, visible_after_s=None, nodes=("ACTIVE", "ABNORMAL"))
    waves = (Wave(name="one", size=Amount(2), soak_s=3000.0), Wave(name="rest"))
    follow = Follow(timeout_s=300.0, expected_s=100.0, verify_for_s=3000.0)
    targets = targets_of(4)
    first = min(range(4), key=lambda number: order_key("fleet", targets[number].proxy_id))
    played = stage_of(4, failing(first, fate=late), waves=waves, follow=follow).play()
    key = targets[first].proxy_id
    reached = next(record.at for record in played.of(VersionReached) if record.target == key)
    settled = next(record.at for record in played.of(Settled) if record.target == key)
    (soaking,) = played.of(WaveSoaking)
    done = next(record.at for record in played.of(WaveDone) if record.wave == "one")
    assert soaking.at < reached < soaking.until < settled <= done


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


@pytest.mark.parametrize(
    "select",
    [
        Selector(scope="b"),
        Selector(name="prod-*"),
        Selector(tags={"env": "prod"}),
        Selector(instance_id=targets_of(2)[1].instance_id),
        Selector(proxy_id=targets_of(2)[1].proxy_id),
    ],
    ids=["scope", "name", "tags", "instance_id", "proxy_id"],
)
def test_a_wave_selects_by_any_fact(select: Selector) -> None:
    """The second of three targets is in another scope, and is the only one of production."""
    facts = [Facts(name=f"{env}-orders", tags={"env": env}) for env in ("test", "prod", "test")]
    known = zip(targets_of(3, scopes=("a", "b")), facts, strict=True)
    proxies = [replace(target, facts=fact) for target, fact in known]
    played = Stage(plan=plan_of(proxies, waves=(Wave(name="first", select=select), Wave(name="rest")))).play()
    assert wave_of_each(played)["first"] == [proxies[1].proxy_id]
    assert len(wave_of_each(played)["rest"]) == 2


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


def test_following_to_acceptance_needs_no_slots_but_keeps_off_busy_instances() -> None:
    plan: Plan = stage_of(8, per_instance=2, follow=Follow(to="accepted"), limits=Limits(rate=50.0)).plan
    played = Stage(plan=plan).play()
    assert played.outcomes() == {"accepted": 8}
    by_instance: dict[str, list[Any]] = {}
    for record in played.of(Intent):
        by_instance.setdefault(played.run.targets[record.target].instance_id, []).append(record.at)
    for first, second in by_instance.values():
        assert second - first >= timedelta(seconds=300)


def test_at_the_end_of_a_soak_what_cannot_be_read_is_read_again_and_nothing_is_claimed() -> None:
    """The version cannot be read for a while; what is seen then is that a proxy has gone back."""
    waves = (Wave(name="one", size=Amount(1), soak_s=600.0), Wave(name="rest"))
    unread = Refused("no permission", Exchange(http_status=403))

    def setup(cloud: FakeCloud) -> None:
        def reads(name: str, _key: str, _number: int) -> Failure | None:
            return unread if name == "proxy_version" and 800 < cloud.clock.monotonic() < 1100 else None

        cloud.reads = reads

    played = stage_of(3, setup, waves=waves).play()
    (reverified,) = played.of(Reverified)
    assert reverified.healthy
    assert (reverified.at - START).total_seconds() > 1100
    assert played.outcomes() == {"succeeded": 3}


def test_a_proxy_that_cannot_be_read_after_its_soak_is_read_as_long_as_after_its_upgrade_and_that_is_said() -> None:
    waves = (Wave(name="one", size=Amount(1), soak_s=600.0), Wave(name="rest"))
    unread = Refused("no permission", Exchange(http_status=403))

    def setup(cloud: FakeCloud) -> None:
        cloud.reads = lambda name, _key, _number: (
            unread if name == "proxy_version" and cloud.clock.monotonic() > 800 else None
        )

    stage = stage_of(3, setup, waves=waves)
    played = stage.play()
    (told,) = played.of(NotReverified)
    assert "it could not be read" in told.finding
    assert (played.code, played.finish.why) == (7, "wave one could not be verified after its soak")
    assert played.seconds < 800 + 600 + stage.plan.follow.verify_for_s + 60
    assert not played.of(WaveDone)
    report = {each.proxy_id: each for each in build_report(played.run, stage.plan).targets}[told.target or ""]
    assert (report.outcome, report.evidence) == ("succeeded", [told.finding])
    played.cloud.reads = lambda _name, _key, _number: None
    again = resume(stage, played).play()
    assert (again.code, again.outcomes()) == (0, {"succeeded": 3})


def test_a_wave_that_cannot_be_verified_after_its_soak_is_not_done() -> None:
    waves = (Wave(name="one", size=Amount(1), soak_s=600.0), Wave(name="rest"))
    gone = NotSent("connection refused")

    def setup(cloud: FakeCloud) -> None:
        cloud.down = lambda now: gone if now > START + timedelta(seconds=800) else None

    played = stage_of(3, setup, waves=waves).play()
    assert played.code == 7
    assert "could not be verified after its soak" in played.finish.why
    assert not played.of(WaveDone)
    assert played.outcomes() == {"succeeded": 1, "waiting": 2}


def test_a_sibling_waits_no_longer_than_an_upgrade_should_take() -> None:
    """When upgrades take seconds, a job that is not listed any more is over, and not too new to be listed."""
    played = stage_of(
        2,
        lambda cloud: setattr(cloud, "default_fate", Fate(duration_s=4.0, visible_after_s=1.0)),
        per_instance=2,
        follow=Follow(to="accepted", expected_s=5.0),
        retry=Retry(busy_s=1.0, busy_for_s=20.0),
    ).play()
    assert played.outcomes() == {"accepted": 2}


def test_a_doubtful_upgrade_that_began_late_keeps_its_siblings_off_too() -> None:
    """It shows only when the last list of running jobs has just been read; that list says nothing of it."""

    def setup(cloud: FakeCloud) -> None:
        first = next(iter(cloud.proxies))
        cloud.acts[first] = [acts.LATE_EFFECT]  # 120 s later
        cloud.fates[first] = Fate(duration_s=600.0, visible_after_s=70.0)

    stage = stage_of(4, setup, per_instance=2, follow=Follow(to="accepted"), limits=Limits(rate=50.0))
    played = stage.play()
    assert played.outcomes() == {"accepted": 4}
    sibling = next(record for record in played.of(Intent) if record.target == played.state(1).key)
    assert sibling.at >= played.started_at + timedelta(seconds=720)


# --- stuck targets ---------------------------------------------------------------------------------------------------

_STUCK_WAVES = (Wave(name="one", size=Amount(3)), Wave(name="two", size=Amount(3)), Wave(name="rest"))


def _drawn(stage: Stage, rank: int) -> str:
    """The proxy_id that waves draw at this rank."""
    return sorted((each.proxy_id for each in stage.plan.proxies), key=lambda key: order_key(stage.plan.name, key))[rank]


def _one_stuck(stage: Stage) -> str:
    """The upgrade of the first target of the first wave never ends."""
    stuck = _drawn(stage, 0)
    stage.cloud_of = lambda cloud: cloud.fates.update({stuck: Fate(duration_s=1e9)})
    return stuck


def test_a_stuck_target_does_not_stop_later_waves_that_the_budget_allows() -> None:
    stage = stage_of(9, waves=_STUCK_WAVES)
    _one_stuck(stage)
    played = stage.play()
    expect_kept(stage.plan, played.records)
    assert played.outcomes() == {"timed_out": 1, "succeeded": 8}
    assert [record.wave for record in played.of(WaveDone)] == ["one", "two"]
    assert played.code == 6
    assert not played.of(HoldSet)


def test_a_stuck_target_that_the_budget_does_not_allow_holds_the_fleet_and_its_end_lifts_no_hold() -> None:
    stage = stage_of(9, waves=_STUCK_WAVES, failures=Failures(max=Amount(0), mode="soft"))
    stuck = _one_stuck(stage)
    played = stage.play()
    assert played.code == 3
    assert played.outcomes()["timed_out"] == 1
    following = resume(stage, played)
    settled = Settled(
        at=played.ended_at, target=stuck, attempt=1, outcome=Outcome.SUCCEEDED, settled_by="ann", note="ok"
    )
    following.records = [*played.records, settled]
    again = following.play()
    assert again.code == 3
    assert again.run.tally.fleet.failed == 0
    assert again.run.hold is not None


def test_a_wave_goes_on_after_a_stuck_target_whose_sibling_waits_for_its_slot() -> None:
    """Two proxies on each instance, one at a time: the sibling of the stuck one cannot start, and stops nobody else."""
    waves = (Wave(name="one", select=Selector(labels={"app": "a0"})), Wave(name="rest"))
    targets = [
        replace(each, labels={"app": "a0" if number < 4 else "a1"})
        for number, each in enumerate(targets_of(8, per_instance=2))
    ]
    stage = Stage(plan=plan_of(targets, waves=waves, limits=FREE, failures=LENIENT))
    stuck = min((each.proxy_id for each in targets[:2]), key=lambda key: order_key(stage.plan.name, key))
    stage.cloud_of = lambda cloud: cloud.fates.update({stuck: Fate(duration_s=20_000.0)})
    played = stage.play()
    expect_kept(stage.plan, played.records)
    assert played.outcomes() == {"timed_out": 1, "waiting": 1, "succeeded": 6}
    assert played.code == 6
    one = build_report(played.run, stage.plan).head.waves[0]
    assert (one.state, one.ended_at, one.targets) == ("open", None, 4), "one of it still has its turn"
    assert one.outcomes == {"succeeded": 2, "timed_out": 1, "waiting": 1}
    again = resume(stage, played, after=timedelta(hours=8)).play()
    assert build_report(again.run, stage.plan).head.waves[0].state == "done"
    assert again.outcomes() == {"succeeded": 8}
    assert again.code == 0
    assert len(again.run.waves["one"].targets) == 4


def test_a_stuck_target_that_a_person_says_was_not_sent_is_sent_again_in_its_own_wave() -> None:
    stage = stage_of(9, waves=_STUCK_WAVES, retry=Retry(attempts=2))
    stuck = _drawn(stage, 0)
    stage.cloud_of = lambda cloud: cloud.acts.update({stuck: [acts.LOST_REQUEST] * 2})
    played = stage.play()
    assert played.outcomes() == {"in_doubt": 1, "succeeded": 8}
    following = resume(stage, played)
    back = ReturnedToWaiting(at=played.ended_at, target=stuck, attempt=2, settled_by="ann", note="seen", command=1)
    following.records = [*played.records, back]
    again = following.play()
    expect_kept(stage.plan, again.records)
    assert again.outcomes() == {"succeeded": 9}
    assert {record.wave for record in again.of(Intent) if record.target == stuck} == {"one"}
    assert again.code == 0
