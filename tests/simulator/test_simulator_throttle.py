"""Real limits: so many calls per period and project, changing over time."""

import pytest
from fakes.virtual_cloud import VirtualCloud, base

from orchestrator.simulator.profile import Limit, Notice, Profile


def allowed(cloud: VirtualCloud, calls: int) -> int:
    return sum(cloud.get("instances").status == 200 for _ in range(calls))


def test_a_limit_per_second() -> None:
    cloud = VirtualCloud(Profile(limits=(Limit(calls=5),)))
    assert [allowed(cloud, 7), allowed(cloud, 1)] == [5, 0]
    cloud.wait(1)
    assert allowed(cloud, 7) == 5
    assert cloud.cloud.books.throttled == {cloud.project_id: 5}


def test_limits_change_and_their_instants_follow_the_speed() -> None:
    cloud = VirtualCloud(Profile(limits=(Limit(calls=5), Limit(calls=2, after_s=600))), speed=60)
    assert allowed(cloud, 9) == 5
    cloud.wait(10)
    assert allowed(cloud, 9) == 2


def test_each_project_has_its_own_count() -> None:
    cloud = VirtualCloud(Profile(limits=(Limit(calls=1),)), regions=("cn-north-4", "cn-east-3"), instances=1)
    first, other = cloud.proxies[0], cloud.proxies[-1]
    replies = [cloud.call("GET", f"{base(proxy)}/taurusproxy/proxy-version").status for proxy in (first, other, first)]
    assert replies == [200, 200, 429]


@pytest.mark.parametrize(
    ("notice", "retry_after", "text"),
    [
        ("retry_after", "45", "The throttling threshold has been reached"),
        (
            "text",
            None,
            "The throttling threshold has been reached: policy user over ratelimit,limit:2,time:1 minute",
        ),
        ("bare", None, "The throttling threshold has been reached"),
    ],
)
def test_what_a_refusal_says(notice: Notice, retry_after: str | None, text: str) -> None:
    cloud = VirtualCloud(Profile(limits=(Limit(calls=2, period_s=60),), notice=notice))
    cloud.wait(15)
    allowed(cloud, 2)
    reply = cloud.get("instances")
    assert (reply.status, reply.json()["error_code"], reply.json()["error_msg"]) == (429, "APIGW.0308", text)
    assert reply.headers.get("Retry-After") == retry_after


def test_mixed_notices_are_all_three() -> None:
    cloud = VirtualCloud(Profile(limits=(Limit(calls=1, period_s=3600),)))
    replies = [cloud.get("instances") for _ in range(40)][1:]
    kinds = {("Retry-After" in reply.headers, "time:" in reply.json()["error_msg"]) for reply in replies}
    assert kinds == {(True, False), (False, True), (False, False)}


def test_a_throttled_upgrade_is_not_executed_nor_noted() -> None:
    cloud = VirtualCloud(Profile(limits=(Limit(calls=1),)))
    allowed(cloud, 1)
    assert cloud.upgrade(cloud.proxies[0]).status == 429
    assert cloud.started(cloud.proxies[0]) == 0
