"""Hosts whose wall clocks are apart, and are set: a session goes by the database's, so nothing of a run differs."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

import pytest
from fakes import acts
from fakes.acts import Fate
from fakes.clock import VirtualClock
from fakes.clouds import FakeCloud
from fakes.host_clock import HostClock
from fakes.shared_log import SharedLog
from fakes.shared_stage import SharedStage, shared_plan
from fakes.stage import Played, Stage

from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Follow, Plan, Retry, Wave
from orchestrator.model.record.record import (
    FollowTimedOut,
    Intent,
    Settled,
    WaveDone,
    WaveOpened,
    WaveSoaking,
)

#: In seconds. The most by which a host takes part is 5.
APART_S = 4.0
#: How long a question to the database takes by which its time is found out: so much of it nobody knows.
TOOK_S = 0.1
#: When a clock is set: stories are under way, and the first wave soaks, or is about to.
SET_S = 130.0

FAILS = Fate(duration_s=130.0, status="Failed", flips=None)
SCOPES = {"bj": (), "sh": ("sh-*",)}


def constant(_s: float) -> float:
    return APART_S


def set_forward(at_s: float) -> float:
    return APART_S if at_s >= SET_S else 0.0


def set_back(at_s: float) -> float:
    return 0.0 if at_s >= SET_S else APART_S


def behind(at_s: float, off_s: Callable[[float], float]) -> float:
    return -off_s(at_s)


def clock(off_s: Callable[[float], float], start: datetime) -> VirtualClock:
    return HostClock(off_s, start, TOOK_S)


every_clock = pytest.mark.parametrize(
    "off_s",
    [
        constant,
        partial(behind, off_s=constant),
        set_forward,
        set_back,
    ],
    ids=["4 s ahead", "4 s behind", "set forward", "set back"],
)
either_host = pytest.mark.parametrize("host", ["bj-1", "sh-1"])


def play(plan: Plan, cloud_of: Callable[[FakeCloud], None], off_s: Mapping[str, Callable[[float], float]]) -> Played:
    clocks = {name: partial(clock, each) for name, each in off_s.items()}
    lead = Stage(plan=plan, host="bj-1", cloud_of=cloud_of)
    return SharedStage(
        lead=lead, hosts=("sh-1",), clocks=clocks, together=True, log=SharedLog(looks_every_s=None)
    ).play()


def nights(plan: Plan, cloud_of: Callable[[FakeCloud], None], host: str, off_s: Callable[[float], float]) -> Played:
    """Played with a host whose clock is off, and the same with right ones: waves, order and outcomes are the same."""
    wrong, right = play(plan, cloud_of, {host: off_s}), play(plan, cloud_of, {})
    assert told(wrong) == told(right)
    return wrong


def told(played: Played) -> tuple[list[str], dict[str, list[str]], dict[str, str]]:
    waves = [f"{type(each).__name__} {each.wave}" for each in played.records if isinstance(each, WaveOpened | WaveDone)]
    order = {scope: [each.target for each in played.of(Intent) if of(played, each) == scope] for scope in SCOPES}
    return waves, order, {key: played.run.standing(key) for key in played.run.targets}


def of(played: Played, record: Intent) -> str:
    return played.run.targets[str(record.target)].scope


def sent_at(played: Played, key: str) -> list[datetime]:
    """When upgrades of a proxy reached the cloud, by the right clock."""
    calls = [call for cloud in played.clouds.values() for call in cloud.calls]
    return [call.at for call in calls if call.name == "upgrade" and call.key == key]


@every_clock
@either_host
def test_waves_order_and_outcomes_are_as_with_right_clocks_and_no_soak_is_shorter(
    host: str, off_s: Callable[[float], float]
) -> None:
    def fates(cloud: FakeCloud) -> None:
        for number, key in enumerate(cloud.proxies):
            cloud.fates[key] = FAILS if number == 2 else Fate(duration_s=100.0 + 17 * number)

    waves = (Wave(name="first", size=Amount(4), soak_s=60.0), Wave(name="rest"))
    played = nights(shared_plan(8, hosts=SCOPES, waves=waves), fates, host, off_s)
    [soaking] = played.of(WaveSoaking)
    ended = max(each.at for each in played.of(Settled) if each.at < soaking.at)
    opened = next(each.at for each in played.of(WaveOpened) if each.wave == "rest")
    assert opened - ended >= timedelta(seconds=60.0 - 2 * TOOK_S)


@every_clock
@either_host
def test_an_upgrade_is_sent_again_and_given_up_no_sooner(host: str, off_s: Callable[[float], float]) -> None:
    """One never arrived, and one never ends."""

    def troubled(cloud: FakeCloud) -> None:
        lost, endless = [*cloud.proxies][:2]
        cloud.acts[lost] = [acts.LOST_REQUEST]
        cloud.fates[endless] = Fate(duration_s=1e7)

    plan = shared_plan(
        8, hosts=SCOPES, retry=Retry(resend_after_s=900.0), follow=Follow(expected_s=300.0, timeout_s=1200.0)
    )
    played = nights(plan, troubled, host, off_s)
    for scope in SCOPES:
        lost, endless = [each.proxy_id for each in plan.proxies if each.scope == scope][:2]
        first, second = sent_at(played, lost)
        assert second - first >= timedelta(seconds=900.0)
        [gave_up] = [each.at for each in played.of(FollowTimedOut) if each.target == endless]
        [begun] = sent_at(played, endless)
        assert gave_up - begun >= timedelta(seconds=1200.0 - 2 * TOOK_S)


@every_clock
def test_who_takes_over_a_doubt_from_a_host_with_another_clock_waits_no_shorter(
    off_s: Callable[[float], float],
) -> None:
    def losing(cloud: FakeCloud) -> None:
        for key in [*cloud.proxies][1:]:  # one shows that such jobs are listed
            cloud.acts[key] = [acts.LOST_REQUEST]

    plan = shared_plan(3, hosts={"sh": ("sh-*",)}, retry=Retry(resend_after_s=900.0))
    clocks = {"sh-1": partial(clock, constant), "sh-2": partial(clock, off_s)}
    lead = Stage(plan=plan, host="bj-1", cloud_of=losing)
    hosts, dies_s, comes_s = ("sh-1", "sh-2"), {"sh-1": 60.0}, {"sh-2": 61.0}
    played = SharedStage(lead=lead, hosts=hosts, clocks=clocks, dies_s=dies_s, comes_s=comes_s).play()
    assert played.outcomes() == {"succeeded": 3}
    for proxy in plan.proxies[1:]:
        first, second = sent_at(played, proxy.proxy_id)
        assert second - first >= timedelta(seconds=900.0 - 2 * TOOK_S)
        assert played.run.state(proxy.proxy_id).last.host == "sh-2"
