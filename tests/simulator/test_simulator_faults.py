"""Each fault is hit, does what its name says, and is entered in the books."""

import json
from typing import Any, get_args

import pytest
from fakes.virtual_cloud import TARGET, VirtualCloud

from orchestrator.simulator.distortion import DISTORTIONS
from orchestrator.simulator.profile import (
    AnyFault,
    Fault,
    Latency,
    Profile,
    ScriptedFault,
    UpgradeFault,
)
from orchestrator.simulator.wire import Reply

ALL_FAULTS: tuple[Fault, ...] = (*get_args(AnyFault), *get_args(UpgradeFault))
UNSTARTED = {
    "lost_request",
    "error_before",
    "gateway_timeout_unstarted",
    "silence_unstarted",
    "garbage_unstarted",
    "throttle",
    "throttle_text",
    "throttle_bare",
    "token_refused",
    "token_stale",
    "empty_result_unstarted",
    "unknown_state_unstarted",
    "rejected",
    "refused",
    "busy",
    "foreign_instead",
}
LATE = {"gateway_timeout", "silence"}


def on_upgrade(fault: Fault, **settings: Any) -> VirtualCloud:
    return VirtualCloud(Profile(faults=(ScriptedFault(call="upgrade", fault=fault),)), **settings)


def test_the_tables_know_every_fault() -> None:
    assert set(DISTORTIONS) == set(ALL_FAULTS)


@pytest.mark.parametrize("fault", ALL_FAULTS)
def test_whether_and_when_an_upgrade_starts(fault: Fault) -> None:
    cloud = on_upgrade(fault)
    proxy = cloud.proxies[0]
    cloud.upgrade(proxy)
    assert cloud.started(proxy) == (0 if fault in UNSTARTED | LATE else 1)
    cloud.wait(46)
    assert cloud.started(proxy) == (0 if fault in UNSTARTED else 1)
    assert cloud.cloud.books.faults == {fault: 1}
    [call] = cloud.cloud.books.calls_of(proxy.proxy_id)
    assert call.fault == fault


def entries(reply: Reply) -> Any:
    return reply.json()["update_result"]


@pytest.mark.parametrize("fault", ["lost_answer", "lost_request", "foreign_instead"])
def test_lost_ones_are_cut_before_the_status_line(fault: Fault) -> None:
    cloud = on_upgrade(fault)
    assert cloud.upgrade(cloud.proxies[0]).delivery.cut_after == 0


@pytest.mark.parametrize("fault", ["silence", "silence_unstarted"])
def test_silent_ones_never_answer(fault: Fault) -> None:
    cloud = on_upgrade(fault)
    assert cloud.upgrade(cloud.proxies[0]).delivery.never


@pytest.mark.parametrize(
    ("fault", "statuses", "codes"),
    [
        ("error_after", {500}, {"DBS.05000000", "DBS.200005", "DBS.111205", "DBS.200019"}),
        ("error_before", {500, 502, 503}, {"DBS.200005", "APIGW.0610", "APIGW.0613", "APIGW.0601"}),
        ("gateway_timeout", {504}, {"APIGW.0201"}),
        ("gateway_timeout_unstarted", {504}, {"APIGW.0201"}),
        ("throttle", {429}, {"APIGW.0308"}),
        ("throttle_text", {429}, {"APIGW.0308"}),
        ("throttle_bare", {429}, {"APIGW.0308"}),
        ("token_refused", {401}, {"APIGW.0301"}),
        ("token_stale", {401}, {"APIGW.0307"}),
        ("refused", {400, 409}, {"DBS.05000020", "DBS.280449", "DBS.200316"}),
        ("busy", {400, 403, 409}, {"DBS.200019", "DBS.200047", "DBS.201014", "DBS.212033", "DBS.201205"}),
    ],
)
def test_error_answers(fault: Fault, statuses: set[int], codes: set[str]) -> None:
    cloud = VirtualCloud(Profile(rates={"upgrade": {fault: 1.0}}), instances=40)
    replies = [cloud.upgrade(proxy) for proxy in cloud.proxies]
    assert {reply.status for reply in replies} == statuses
    assert {reply.json()["error_code"] for reply in replies} == codes


def test_the_ways_to_say_how_long_to_wait() -> None:
    replies = {}
    for fault in ("throttle", "throttle_text", "throttle_bare"):
        cloud = on_upgrade(fault)
        replies[fault] = cloud.upgrade(cloud.proxies[0])
    assert int(replies["throttle"].headers["Retry-After"]) >= 1
    assert "Retry-After" not in replies["throttle_text"].headers
    assert "limit:5,time:" in replies["throttle_text"].json()["error_msg"]
    assert "Retry-After" not in replies["throttle_bare"].headers
    assert "time:" not in replies["throttle_bare"].json()["error_msg"]
    assert replies["throttle"].json()["request_id"] == replies["throttle"].headers["X-Request-Id"]


def test_twisted_answers() -> None:
    shapes: dict[Fault, Any] = {}
    faults: tuple[Fault, ...] = (
        "empty_result",
        "empty_result_unstarted",
        "unknown_state",
        "unknown_state_unstarted",
        "accept_without_id",
        "job_id_instead",
        "accept_and_reject",
        "two_accepted",
        "rejected",
    )
    for fault in faults:
        cloud = on_upgrade(fault)
        shapes[fault] = entries(cloud.upgrade(cloud.proxies[0]))
    assert shapes["empty_result"] == shapes["empty_result_unstarted"] == []
    assert [entry["state"] for entry in shapes["unknown_state"]] == ["QUEUED"]
    assert [entry["state"] for entry in shapes["unknown_state_unstarted"]] == ["QUEUED"]
    assert shapes["accept_without_id"] == [{"state": "ACCEPT", "error_message": None}]
    assert set(shapes["job_id_instead"][0]) == {"job_id", "state", "error_message"}
    assert [entry["state"] for entry in shapes["accept_and_reject"]] == ["ACCEPT", "REJECT"]
    assert [entry["state"] for entry in shapes["two_accepted"]] == ["ACCEPT", "ACCEPT"]
    assert [entry["state"] for entry in shapes["rejected"]] == ["REJECT"]


def test_both_of_two_accepted_workflows_are_jobs() -> None:
    cloud = on_upgrade("two_accepted")
    ids = [entry["workflow_id"] for entry in entries(cloud.upgrade(cloud.proxies[0]))]
    cloud.wait(3600)
    assert [cloud.job(job_id).json()["job"]["status"] for job_id in ids] == ["Completed", "Completed"]
    assert cloud.started(cloud.proxies[0]) == 1


def test_cut_slow_and_garbage_bodies() -> None:
    cut = on_upgrade("cut_body")
    reply = cut.upgrade(cut.proxies[0])
    assert reply.delivery.cut_after == len(reply.body) // 2
    slow = on_upgrade("slow_body", speed=10)
    assert slow.upgrade(slow.proxies[0]).delivery.trickle_s == 2
    garbage = VirtualCloud(Profile(rates={"upgrade": {"garbage": 1.0}}))
    bodies = {garbage.upgrade(proxy).body for proxy in garbage.proxies}
    assert len(bodies) == 5
    assert not any(_is_object(body) for body in bodies)
    bad = on_upgrade("garbage_unstarted")
    assert (reply := bad.upgrade(bad.proxies[0])).status == 502
    assert reply.content_type == "text/html"


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False


def test_a_foreign_upgrade_begins_on_a_sibling_instead() -> None:
    cloud = on_upgrade("foreign_instead")
    proxy, sibling = cloud.proxies[:2]
    cloud.upgrade(proxy)
    cloud.wait(3600)
    assert (cloud.current(proxy), cloud.current(sibling)) == (proxy.version, TARGET)
    assert (cloud.started(proxy), cloud.started(sibling)) == (0, 0)
    [job] = cloud.jobs()["jobs"]
    assert job["instance_id"] == proxy.instance.instance_id


def test_a_late_effect_is_judged_when_it_comes() -> None:
    cloud = on_upgrade("gateway_timeout")
    proxy = cloud.proxies[0]
    source = proxy.version
    cloud.upgrade(proxy, source)
    second = cloud.upgrade(proxy, source)
    assert entries(second)[0]["state"] == "ACCEPT"
    cloud.wait(60)
    assert cloud.started(proxy) == 1
    assert cloud.cloud.books.calls_of(proxy.proxy_id)[0].error_code == "DBS.200019"


def test_a_script_hits_the_nth_call_of_a_kind_and_of_a_proxy() -> None:
    cloud = VirtualCloud(Profile(faults=(ScriptedFault(call="proxy_version", fault="error_before", nth=2, times=2),)))
    statuses = [cloud.version(proxy).status for proxy in cloud.proxies[:5]]
    assert [status == 200 for status in statuses] == [True, False, False, True, True]
    proxy_id = cloud.proxies[3].proxy_id
    script = ScriptedFault(call="upgrade", fault="throttle", nth=2, proxy_id=proxy_id)
    cloud = VirtualCloud(Profile(faults=(script,)))
    assert [cloud.upgrade(cloud.proxies[3]).status for _ in range(3)] == [200, 429, 409]


def test_the_clock_may_be_wrong_everywhere_alike() -> None:
    cloud = VirtualCloud(Profile(clock_skew_s=3600))
    reply = cloud.upgrade(cloud.proxies[0])
    assert reply.headers["Date"] == "Mon, 05 Jan 2026 13:00:00 GMT"
    cloud.wait(30)
    assert cloud.jobs()["jobs"][0]["created_time"] == "2026-01-05T13:00:00+0000"


def test_latencies_spread_around_their_median() -> None:
    cloud = VirtualCloud(Profile(latency=Latency(median_s=0.5)), speed=2)
    delays = sorted(cloud.version(cloud.proxies[0]).delivery.delay_s for _ in range(200))
    assert delays[0] > 0
    assert 0.2 < delays[100] < 0.3
    assert delays[-1] > 1.5 * delays[100]


def test_identity_calls_have_faults_of_their_own() -> None:
    faults: tuple[Fault, ...] = ("throttle_text", "throttle_bare", "error_before")
    script = tuple(ScriptedFault(call="tokens", fault=fault, nth=nth) for nth, fault in enumerate(faults, 1))
    cloud = VirtualCloud(Profile(faults=script))
    replies = [cloud.call("POST", "/v3/auth/tokens", body={}) for _ in range(4)]
    assert replies[0].json() == {
        "error_code": "IAM.0012",
        "error_msg": replies[0].json()["error_msg"],
    }
    assert "5 times per" in replies[0].json()["error_msg"]
    assert replies[1].json()["error_code"] == "IAM.0012"
    assert [reply.status // 100 for reply in replies] == [4, 4, 5, 4]
