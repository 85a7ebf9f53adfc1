"""The cloud's own books."""

import msgspec
from fakes.virtual_cloud import TARGET, VirtualCloud

from orchestrator.simulator.profile import Profile, ScriptedFault
from orchestrator.simulator.wire import Request
from orchestrator.simulator.world.books import peak_overlap


def test_every_post_and_every_effective_start_is_in_the_books() -> None:
    cloud = VirtualCloud(Profile(faults=(ScriptedFault(call="upgrade", fault="lost_answer"),)))
    proxy = cloud.proxies[0]
    cloud.upgrade(proxy)
    cloud.upgrade(proxy)
    cloud.wait(3600)
    reply = cloud.cloud.handle(Request("GET", "/_simulated/books"), cloud.now)
    books = reply.json()
    assert msgspec.json.decode(msgspec.json.encode(cloud.cloud.summary(cloud.now))) == books
    first, second = books["upgrade_calls"]
    assert (first["fault"], first["started"], first["job_status"]) == ("lost_answer", True, "Completed")
    assert first["workflow_id"] == cloud.jobs()["jobs"][0]["job_id"]
    assert first["at"] == first["started_at"] == "2026-01-05T12:00:00Z"
    assert (second["number"], second["status"], second["error_code"]) == (2, 409, "DBS.200019")
    assert (second["started"], second["workflow_id"]) == (False, None)
    assert books["proxies"] == [{"proxy_id": proxy.proxy_id, "version": TARGET, "healthy": True, "effective_starts": 1}]
    assert books["faults"] == {"lost_answer": 1}
    assert books["calls"] == {"upgrade": 2}
    assert books["peaks"]["upgrades"] == 1


def test_calls_by_kind_and_scope_and_their_peak_in_a_second() -> None:
    cloud = VirtualCloud(regions=("cn-north-4", "cn-east-3"), instances=2)
    for step, proxy in enumerate(cloud.proxies):
        cloud.version(proxy)
        cloud.wait(0.3 if step < 4 else 1.5)
    cloud.call("POST", "/v3/auth/tokens")
    books = cloud.cloud.books
    north, east = cloud.cloud.world.projects
    assert books.calls == {"proxy_version": 8, "tokens": 1}
    assert books.calls_by_scope == {north: {"proxy_version": 4}, east: {"proxy_version": 4}, "iam": {"tokens": 1}}
    assert (books.peak_per_second["all"], books.peak_per_second[north]) == (4, 4)


def test_peaks_of_upgrades() -> None:
    cloud = VirtualCloud(instances=5)
    for instance in {proxy.instance.instance_id: proxy for proxy in cloud.proxies}.values():
        cloud.upgrade(instance)
        cloud.wait(1)
    assert cloud.cloud.books.peak_upgrades() == 5
    assert cloud.cloud.books.peak_upgrades_per_instance() == 1
    assert peak_overlap([(0, 2), (1, 3), (2, 4)]) == 2
    assert peak_overlap([]) == 0


def test_peaks_of_calls_under_way_are_told_by_the_server() -> None:
    books = VirtualCloud().cloud.books
    for kind in ("upgrade", "other"):
        books.began(kind)
    books.ended("upgrade")
    books.began("upgrade")
    assert books.peak_under_way == {"all": 2, "upgrade": 1, "other": 1}
