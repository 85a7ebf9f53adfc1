"""What the cloud does to instances at times of its own: the list of it, and what is wrong with that list."""

from datetime import timedelta
from typing import Any

import pytest
from fakes.virtual_cloud import BEGAN, VirtualCloud

from orchestrator.cloud.reading.decode_events import schedule_events
from orchestrator.model.reply.cloud_event import CloudEvent
from orchestrator.simulator.profile import Profile
from orchestrator.simulator.profile_events import Events, ScriptedEvent

INSTANCE = VirtualCloud(instances=2).proxies[0].instance.instance_id


def cloud_of(*script: ScriptedEvent, **events: Any) -> VirtualCloud:
    return VirtualCloud(Profile(events=Events(script=script, **events)), instances=2)


def listed(cloud: VirtualCloud) -> tuple[CloudEvent, ...]:
    """As the orchestrator reads the list."""
    return schedule_events(cloud.get("schedule-events", "limit=100").body).events


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def test_there_are_none_unless_the_profile_has_some() -> None:
    assert VirtualCloud(instances=2).get("schedule-events").json() == {"total_count": 0, "events": []}


def test_an_event_is_ahead_then_under_way_then_over() -> None:
    cloud = cloud_of(ScriptedEvent(instance_id=INSTANCE, at_s=600, duration_s=1800))

    (ahead,) = listed(cloud)
    assert ahead == CloudEvent(
        instance_id=INSTANCE, what="db_upgrade", starts=BEGAN + minutes(10), ends=BEGAN + minutes(40)
    )
    cloud.wait(601)
    assert [each.running for each in listed(cloud)] == [True]
    cloud.wait(1800)
    assert listed(cloud) == ()


def test_while_it_is_under_way_the_cloud_takes_no_upgrade_of_its_instance() -> None:
    cloud = cloud_of(ScriptedEvent(instance_id=INSTANCE, at_s=0, duration_s=1800))
    of_it, other = (
        next(each for each in cloud.proxies if (each.instance.instance_id == INSTANCE) is is_it)
        for is_it in (True, False)
    )
    cloud.wait(1)

    assert "ACCEPT" not in cloud.upgrade(of_it).body.decode()
    assert "ACCEPT" in cloud.upgrade(other).body.decode()


def test_a_high_load_is_listed_and_occupies_nothing() -> None:
    cloud = cloud_of(ScriptedEvent(instance_id=INSTANCE, type="high_cpu_memory"))
    cloud.wait(1)
    assert listed(cloud) == ()
    assert cloud.get("schedule-events").json()["total_count"] == 1
    assert "ACCEPT" in cloud.upgrade(cloud.proxies[0]).body.decode()


def test_one_without_a_time_and_one_without_an_end_say_so() -> None:
    (undated,) = listed(cloud_of(ScriptedEvent(instance_id=INSTANCE, at_s=600, dated=False)))
    (endless,) = listed(cloud_of(ScriptedEvent(instance_id=INSTANCE, at_s=600, duration_s=None)))
    assert (undated.starts, undated.ends) == (None, None)
    assert (endless.starts, endless.ends) == (BEGAN + minutes(10), None)


def test_one_that_is_told_late_is_not_in_the_list_before() -> None:
    cloud = cloud_of(ScriptedEvent(instance_id=INSTANCE, at_s=600, listed_s=0))
    assert listed(cloud) == ()
    cloud.wait(600)
    assert [each.running for each in listed(cloud)] == [True]


@pytest.mark.parametrize(("fault", "status"), [({"denied": True}, 403), ({"absent": True}, 404)])
def test_the_list_may_be_denied_or_not_be_there(fault: dict[str, bool], status: int) -> None:
    assert cloud_of(**fault).get("schedule-events").status == status


def test_by_chance_as_many_instances_have_one_as_the_share_says() -> None:
    cloud = VirtualCloud(Profile(events=Events(share=0.3, undated=0.5, sudden=0.5)), instances=100)
    cloud.wait(7200)
    rows = cloud.get("schedule-events", "limit=100").json()["events"]
    assert 15 <= len({row["instance_id"] for row in rows}) <= 45
    assert {"execute_time" in row for row in rows} == {True, False}


def test_it_comes_in_pages_and_by_what_is_asked_for() -> None:
    cloud = VirtualCloud(Profile(events=Events(share=1.0)), instances=5)
    assert len(cloud.get("schedule-events", "limit=2&offset=4").json()["events"]) == 1
    assert cloud.get("schedule-events", f"instance_id={INSTANCE}").json()["total_count"] == 1
    assert cloud.get("schedule-events", "limit=1000").status == 400
