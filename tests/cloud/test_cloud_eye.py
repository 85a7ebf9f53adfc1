"""Cloud Eye on the wire: what is asked, and which answers count."""

import json
from typing import Any

import pytest

from orchestrator.cloud.cloud_eye import samples_in
from orchestrator.cloud.reading.decode import NotUnderstood
from orchestrator.cloud.wire.endpoints import eye_address
from orchestrator.errors import PlanError
from orchestrator.model.plan.metric import CloudEye, Series, in_minutes, of_proxy
from orchestrator.model.plan.plan import Scope

SERIES = Series("m", "p", "n")
DIMENSIONS = [{"name": "dbproxy_instance_id", "value": "p"}, {"name": "dbproxy_node_id", "value": "n"}]


def body(*points: Any, **changes: Any) -> bytes:
    row = {"metric_name": "m", "dimensions": DIMENSIONS, "datapoints": list(points), **changes}
    return json.dumps({"metrics": [row]}).encode()


def read(*points: Any, **changes: Any) -> Any:
    return samples_in(body(*points, **changes), start_s=60.0, end_s=180.0)


@pytest.mark.parametrize(
    ("point", "found"),
    [
        ({"average": 5, "timestamp": 60_000}, ((60.0, 5.0),)),
        ({"average": "5.5", "timestamp": "120000"}, ((120.0, 5.5),)),
        ({"average": 5, "timestamp": 180_000}, ()),
        ({"average": 5, "timestamp": 0}, ()),
        ({"average": -1, "timestamp": 60_000}, ()),
        ({"average": None, "timestamp": 60_000}, ()),
        ({"average": True, "timestamp": 60_000}, ()),
        ({"average": "NaN", "timestamp": 60_000}, ()),
        ({"max": 5, "timestamp": 60_000}, ()),
        ({"average": 5}, ()),
        ("5", ()),
    ],
)
def test_samples_that_count(point: Any, found: Any) -> None:
    assert read(point) == {SERIES: found}


@pytest.mark.parametrize(
    "changes", [{"metric_name": None}, {"dimensions": []}, {"dimensions": DIMENSIONS[:1]}, {"dimensions": None}]
)
def test_what_names_no_node_of_a_proxy_is_left_out(changes: Any) -> None:
    assert read({"average": 5, "timestamp": 60_000}, **changes) == {}


@pytest.mark.parametrize("wrong", [b"", b"[]", b"{}", b"<html>", b'{"metrics": 3}', b"\xff"])
def test_answers_that_say_nothing(wrong: bytes) -> None:
    with pytest.raises(NotUnderstood):
        samples_in(wrong, start_s=0.0, end_s=1.0)


def test_a_minute_counts_when_all_nodes_have_it() -> None:
    by_node = {"a": {1: 10.0, 2: 10.0}, "b": {2: 30.0, 3: 30.0}}
    assert of_proxy("rds_proxy_frontend_connections", ("a", "b"), by_node) == {2: 40.0}
    assert of_proxy("rds_proxy_average_response_time", ("a", "b"), by_node) == {2: 20.0}
    assert of_proxy("rds_proxy_average_response_time", ("a", "c"), by_node) == {}
    assert of_proxy("rds_proxy_average_response_time", (), {}) == {}


def test_of_two_samples_in_a_minute_the_later_one_counts() -> None:
    assert in_minutes([(119.0, 2.0), (60.0, 1.0), (121.0, 3.0)], 60.0) == {1: 2.0, 2: 3.0}


def test_where_it_answers() -> None:
    here, nowhere = Scope(name="s", region="cn-north-4"), Scope(name="s", endpoint="https://x", project_id="p")
    assert eye_address(here, CloudEye()) == "https://ces.cn-north-4.myhuaweicloud.com"
    assert eye_address(here, CloudEye(endpoint="https://eye.example.com")) == "https://eye.example.com"
    with pytest.raises(PlanError, match="comes from the region"):
        eye_address(nowhere, CloudEye())
    with pytest.raises(PlanError, match="plain http"):
        eye_address(here, CloudEye(endpoint="http://eye.example.com"))
