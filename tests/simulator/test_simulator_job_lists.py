"""Lists of jobs: filters, paging as it is and as it goes wrong, scheduled upgrades."""

from typing import Any

import pytest
from fakes.virtual_cloud import VirtualCloud

from orchestrator.simulator.calls.paging import instance_page, job_page
from orchestrator.simulator.profile import Foreign, Lists, Paging, Profile
from orchestrator.simulator.world.jobs import UPGRADE_JOB

DAY = 24 * 3600


def with_jobs(count: int, lists: Lists | None = None) -> tuple[VirtualCloud, list[str]]:
    cloud = VirtualCloud(Profile(lists=lists or Lists()), instances=count, proxies=1)
    ids = []
    for proxy in cloud.proxies:
        ids.append(cloud.upgrade(proxy).json()["update_result"][0]["workflow_id"])
        cloud.wait(20)
    return cloud, ids


def read_all(cloud: VirtualCloud, limit: int = 10) -> tuple[list[str], int]:
    """By page numbers, until a page is empty."""
    rows: list[str] = []
    for page in range(1, 20):
        listing = cloud.jobs(f"limit={limit}&offset={page}")
        rows += [job["job_id"] for job in listing["jobs"]]
        if not listing["jobs"]:
            break
    return rows, cloud.jobs()["total_count"]


def test_the_newest_come_first_ten_by_default_and_action_names_are_told() -> None:
    cloud, ids = with_jobs(12)
    listing = cloud.jobs("")
    assert [job["job_id"] for job in listing["jobs"]] == ids[::-1][:10]
    assert listing["total_count"] == 12
    assert UPGRADE_JOB in listing["action_names"]
    row = listing["jobs"][0]
    assert (row["status"], row["instance_status"], row["extend_fields"]) == ("Running", "normal", None)
    assert "proxy_id" not in row


def test_pages_are_numbered_from_one() -> None:
    cloud, ids = with_jobs(25)
    assert read_all(cloud) == (ids[::-1], 25)


@pytest.mark.parametrize("query", ["limit=7", "limit=100", "limit=x", "offset=0", "offset=-1", "start_time=yesterday"])
def test_what_lists_refuse(query: str) -> None:
    assert VirtualCloud().get("immediate-jobs", query).status == 400


def test_filters() -> None:
    cloud, ids = with_jobs(30)
    started = [job.created for job in cloud.cloud.books.starts()]
    assert [job["job_id"] for job in cloud.jobs(f"job_id={ids[3]}")["jobs"]] == [ids[3]]
    assert cloud.jobs("job_name=Nothing")["jobs"] == []
    running = {job["job_id"] for job in cloud.jobs("limit=50&status=Running")["jobs"]}
    completed = {job["job_id"] for job in cloud.jobs("limit=50&status=Completed")["jobs"]}
    assert running
    assert completed
    assert running | completed == set(ids)
    since = cloud.jobs("limit=50&start_time=2026-01-05T12:01:40%2B0000")
    assert [job["job_id"] for job in since["jobs"]] == ids[5:][::-1]
    assert since["total_count"] == len(started) - 5
    until = cloud.jobs("limit=50&end_time=2026-01-05T13:01:40%2B0100")
    assert [job["job_id"] for job in until["jobs"]] == ids[:6][::-1]


def test_only_the_last_month_is_kept() -> None:
    cloud, ids = with_jobs(1)
    cloud.wait(31 * DAY)
    assert cloud.jobs()["total_count"] == 0
    assert cloud.job(ids[0]).json()["error_code"] == "DBS.200543"


@pytest.mark.parametrize(
    ("paging", "lost", "doubled", "more"),
    [
        ("page", 0, False, 0),
        ("record", 0, True, 0),
        ("record_from_zero", 1, True, 0),
        ("overlap", 0, True, 0),
        ("short", 2, False, 0),
        ("moving", 0, False, 2),
    ],
)
def test_lists_that_page_badly(paging: Paging, lost: int, doubled: bool, more: int) -> None:
    cloud, ids = with_jobs(25, Lists(job_paging={paging: 1.0}))
    rows: list[str] = []
    totals = set()
    for page in range(1, 20):
        listing = cloud.jobs(f"limit=10&offset={page}")
        totals.add(listing["total_count"])
        rows += [job["job_id"] for job in listing["jobs"]]
    if paging in {"record", "record_from_zero"}:
        rows += [job["job_id"] for page in range(20, 30) for job in cloud.jobs(f"limit=10&offset={page}")["jobs"]]
    assert len(set(ids) - set(rows)) == lost
    assert (len(rows) > len(set(rows))) == doubled
    assert max(totals) - 25 == more


def test_a_project_may_hide_all_upgrades_or_name_their_proxies() -> None:
    hidden, ids = with_jobs(3, Lists(jobs_hidden=1.0))
    hidden.wait(600)
    assert hidden.jobs()["total_count"] == 0
    assert hidden.job(ids[0]).status == 400
    named, _ = with_jobs(1, Lists(jobs_name_proxy=1.0))
    assert named.jobs()["jobs"][0]["extend_fields"] == {"proxy_id": named.proxies[0].proxy_id}


def test_pages_of_instances() -> None:
    rows = list(range(10))
    assert instance_page(rows, 4, 4, "exact", 1) == ([4, 5, 6, 7], 10)
    assert instance_page(rows, 4, 4, "overlap", 1) == ([1, 2, 3, 4], 10)
    assert instance_page(rows, 4, 4, "moving", 2) == ([4, 5, 6, 7], 12)
    assert instance_page(rows, 0, 4, "vanishing", 1) == ([0, 1, 2, 3], 10)
    assert instance_page(rows, 4, 4, "vanishing", 2) == ([5, 6, 7, 8], 9)
    assert job_page(rows, 2, 4, "page", 1) == ([4, 5, 6, 7], 10)


def test_upgrades_that_the_console_has_scheduled() -> None:
    cloud = VirtualCloud(Profile(foreign=Foreign(scheduled=1.0)), instances=3)
    proxy = cloud.proxies[0]
    listing = cloud.get("scheduled-jobs", f"instance_id={proxy.instance.instance_id}").json()
    assert listing["total_count"] == 2
    assert {row["proxy_id"] for row in listing["schedules"]} == {each.proxy_id for each in proxy.instance.proxies}
    assert {row["job_name"] for row in listing["schedules"]} == {"PROXY_VERSION_UPGRADE"}
    assert len(cloud.get("scheduled-jobs", "limit=4&offset=4").json()["schedules"]) == 2


def exist(cloud: VirtualCloud, body: object) -> Any:
    instance_id = cloud.proxies[0].instance.instance_id
    path = f"/v3/{cloud.project_id}/instances/{instance_id}/schedule-tasks/exist"
    return cloud.call("POST", path, body=body).json()


def test_whether_a_scheduled_upgrade_exists() -> None:
    cloud = VirtualCloud(Profile(foreign=Foreign(scheduled=1.0)), instances=1)
    proxy_id = cloud.proxies[1].proxy_id
    found = exist(cloud, {"schedule_type": "PROXY_VERSION_UPGRADE", "proxy_id": proxy_id})
    assert (found["exist"], [task["proxy_id"] for task in found["scheduled_tasks"]]) == (True, [proxy_id])
    assert exist(cloud, {"schedule_type": "REBOOT_NODE"}) == {"exist": False, "scheduled_tasks": []}
    assert exist(cloud, {})["error_code"] == "DBS.280001"
    none = exist(VirtualCloud(instances=1), {"schedule_type": "PROXY_VERSION_UPGRADE"})
    assert none == {"exist": False, "scheduled_tasks": []}
