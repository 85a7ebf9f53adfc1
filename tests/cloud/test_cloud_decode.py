import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.cloud.reading import decode
from orchestrator.cloud.reading.decode import NotUnderstood
from orchestrator.cloud.reading.lenient import instant
from orchestrator.model.reply.reply import Entry, Job, ProxyHealth, ProxyVersion
from orchestrator.model.reply.risk import Risk

PROXY = "aaaabbbbccccddddeeeeffff00001111po01"
JOB = "0b0c1d2e-1111-4222-8333-444455556666"


def raw(value: Any) -> Any:
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    ("row", "entry"),
    [
        ({"workflow_id": "w", "state": "ACCEPT", "error_message": None}, Entry(workflow_id="w", state="ACCEPT")),
        ({"job_id": "j", "state": "accept"}, Entry(workflow_id="j", state="accept")),
        ({"workflow_id": "", "job_id": "j"}, Entry(workflow_id="j")),
        ({"workflow_id": "w", "job_id": "j"}, Entry(workflow_id="w")),
        ({"workflow_id": 17, "state": 1}, Entry(workflow_id="17", state="1")),
        (
            {"instance_id": "i", "state": "REJECT", "error_message": " word for word "},
            Entry(instance_id="i", state="REJECT", error_message=" word for word "),
        ),
        ("ACCEPT", Entry()),
        (None, Entry()),
    ],
)
def test_upgrade_entries(row: Any, entry: Any) -> None:
    assert decode.upgrade_entries(raw({"update_result": [row]})) == (entry,)


def test_upgrade_entries_keep_order_and_number() -> None:
    rows = [{"workflow_id": str(number)} for number in range(5)]
    assert [entry.workflow_id for entry in decode.upgrade_entries(raw({"update_result": rows}))] == list("01234")
    assert decode.upgrade_entries(raw({"update_result": {"state": "ACCEPT"}})) == (Entry(state="ACCEPT"),)
    assert decode.upgrade_entries(raw({"update_result": []})) == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"\xff",
        b"[]",
        b"3",
        raw({}),
        raw({"update_result": None}),
        raw({"update_result": "x"}),
        raw({"update_result": [], "error_code": "DBS.1"}),
    ],
)
def test_upgrade_answers_that_say_nothing(body: Any) -> None:
    with pytest.raises(NotUnderstood):
        decode.upgrade_entries(body)


@pytest.mark.parametrize(
    ("can", "meant"), [(True, True), ("true", True), ("False", False), (1, True), (0, False), (None, None), ("?", None)]
)
def test_proxy_version(can: Any, meant: Any) -> None:
    body = raw({"current_version": " 2.24.03.000 ", "latest_version": "", "can_upgrade": can, "risk": {"level": 1}})
    said = ProxyVersion(current_version="2.24.03.000", can_upgrade=meant, risk=Risk(level=1))
    assert decode.proxy_version(body) == said


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("30s", 30.0),
        (" 30 Seconds. ", 30.0),
        ("about 10 minutes", 600.0),
        ("5-10 min", 600.0),
        ("1h30m", 5400.0),
        ("1 hour, 5 minutes", 3900.0),
        ("5~10分钟", 600.0),
        ("约 3 秒左右", 3.0),
        ("0s", 0.0),
        (12, None),
        ("12", None),
        ("soon", None),
        ("-3 s", None),
        ("99 h", None),
        ("1,5 min", None),
        ("1 5 min", None),
        ("1" * 5000 + "s", None),
        (["30s"], None),
        (None, None),
    ],
)
def test_durations_of_a_risk_count_only_with_their_unit(written: Any, seconds: Any) -> None:
    body = raw({"current_version": "1.0", "risk": {"service_impact_duration": written, "guidance": "g"}})
    assert decode.proxy_version(body).risk == Risk(service_impact_s=seconds, guidance="g")


@pytest.mark.parametrize("risk", [None, "high", 3, [], {}, {"level": "?"}, {"upgrade_duration": "0 s"}, [7, None]])
def test_a_risk_that_says_nothing_is_none_and_no_error(risk: Any) -> None:
    assert decode.proxy_version(raw({"current_version": "1.0", "risk": risk})).risk is None


def test_proxy_version_without_the_version() -> None:
    with pytest.raises(NotUnderstood):
        decode.proxy_version(raw({"latest_version": "2.24.03.000"}))


def listed(**proxy: Any) -> Any:
    return {"proxy": {"pool_id": PROXY, **proxy}, "readonly_nodes": {"id": "single"}}


@pytest.mark.parametrize(
    ("proxy_list", "health"),
    [
        (
            [listed(status="ACTIVE", nodes=[{"status": "ACTIVE"}, {"status": "BUILD"}])],
            ProxyHealth(status="ACTIVE", nodes=("ACTIVE", "BUILD")),
        ),
        (
            [{"proxy": {"pool_id": "other"}}, listed(status="ACTIVE", nodes={"status": "ACTIVE"})],
            ProxyHealth(status="ACTIVE", nodes=("ACTIVE",)),
        ),
        (listed(status="CHANGING WEIGHTS", nodes=None), ProxyHealth(status="CHANGING WEIGHTS")),
        ([listed(nodes=[{}])], ProxyHealth(status="", nodes=("",))),
        ([{"pool_id": PROXY, "status": "ACTIVE"}], ProxyHealth(status="ACTIVE")),
        ([{"proxy": None}], ProxyHealth(status=None)),
        ([], ProxyHealth(status=None)),
    ],
)
def test_proxy_health(proxy_list: Any, health: Any) -> None:
    assert decode.proxy_health(raw({"proxy_list": proxy_list}), PROXY) == health


def test_a_proxy_that_may_be_on_the_next_page_is_not_declared_gone() -> None:
    with pytest.raises(NotUnderstood):
        decode.proxy_health(raw({"proxy_list": [{"proxy": {"pool_id": "other"}}] * 100}), PROXY)
    with pytest.raises(NotUnderstood):
        decode.proxy_health(raw({}), PROXY)


def test_job() -> None:
    body = raw(
        {
            "job": {
                "id": JOB,
                "name": "UpgradeProxy",
                "status": "Running",
                "created": "2026-08-06T10:41:14+0800",
                "ended": "",
                "process": "60%",
                "instance": {"id": "i", "name": "orders"},
                "entities": {},
                "fail_reason": None,
            }
        }
    )
    assert decode.job(body, JOB) == Job(
        job_id=JOB,
        name="UpgradeProxy",
        status="Running",
        instance_id="i",
        process="60%",
        created_at=datetime(2026, 8, 6, 2, 41, 14, tzinfo=UTC),
    )


def test_job_that_is_not_there_or_another() -> None:
    assert decode.job(raw({"job": None}), JOB) is None
    assert decode.job(raw({"job": {"status": "Completed"}}), JOB) == Job(job_id=JOB, status="Completed")
    assert decode.job(raw({"job": {"id": JOB.upper()}}), JOB) == Job(job_id=JOB)
    bodies: list[Any] = [{}, {"job": []}, {"job": {"id": "another"}}]
    for body in bodies:
        with pytest.raises(NotUnderstood):
            decode.job(raw(body), JOB)


def test_job_page() -> None:
    row = {
        "instance_id": "i",
        "instance_name": "n",
        "instance_status": "normal",
        "job_id": JOB,
        "order_id": "",
        "job_name": "X",
        "status": "Failed",
        "process": "",
        "created_time": 1786000000000,
        "ended_time": "2026-08-06T10:41:49_0800",
        "fail_reason": "why",
        "show_detail": False,
        "extend_fields": {"proxyId": PROXY, "b": [1]},
    }
    page = decode.job_page(raw({"total_count": "2", "jobs": [row, {"status": "Running"}]}))
    assert page.total_count == 2
    assert page.jobs[0] == Job(
        job_id=JOB,
        name="X",
        status="Failed",
        instance_id="i",
        fail_reason="why",
        created_at=datetime.fromtimestamp(1786000000, UTC),
        ended_at=datetime(2026, 8, 6, 2, 41, 49, tzinfo=UTC),
        extend_fields=f'{{"extend_fields":{{"b":[1],"proxyId":"{PROXY}"}}}}',
    )
    assert page.jobs[1] == Job(job_id="", status="Running")


def test_a_field_that_nobody_documented_may_name_the_proxy() -> None:
    page = decode.job_page(raw({"jobs": [{"job_id": "j", "proxy_id": PROXY}]}))
    assert PROXY in (page.jobs[0].extend_fields or "")
    assert page.total_count is None


def test_scheduled_upgrades() -> None:
    assert decode.scheduled_upgrade(raw({"exist": False, "scheduled_tasks": []})).rows == ()
    assert decode.scheduled_upgrade(raw({"exist": "true"})).rows == ({},)
    assert decode.scheduled_upgrade(raw({"exist": True, "scheduled_tasks": [{"task_id": "t"}]})).rows == (
        {"task_id": "t"},
    )
    with pytest.raises(NotUnderstood):
        decode.scheduled_upgrade(raw({}))


@pytest.mark.parametrize(
    "written",
    [
        "2026-08-06T10:41:14+0800",
        "2026-08-06T10:41:14_0800",
        "2026-08-06T10:41:14+08:00",
        "2026-08-06T02:41:14Z",
        "2026-08-06T02:41:14",
        "2026-08-06 02:41:14",
        "2026-08-06T02:41:14.000Z",
        "2026-08-05T20:41:14-0600",
        1785984074,
        1785984074000,
        "1785984074000",
    ],
)
def test_times(written: Any) -> None:
    assert instant(written) == datetime(2026, 8, 6, 2, 41, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    "written", ["", None, "soon", {}, [], True, "2026-13-40T00:00:00Z", 10**30, "9" * 400, 1.5e300]
)
def test_times_that_are_none(written: Any) -> None:
    assert instant(written) is None


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.integers(-14 * 60, 14 * 60))
def test_any_offset_is_read(naive: Any, minutes: int) -> None:
    moment = naive.replace(microsecond=0, tzinfo=UTC)
    sign, distance = ("-" if minutes < 0 else "+"), abs(minutes)
    local = (moment + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S")
    assert instant(f"{local}{sign}{distance // 60:02}{distance % 60:02}") == moment


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "update_result",
                    "workflow_id",
                    "state",
                    "proxy_list",
                    "proxy",
                    "pool_id",
                    "nodes",
                    "job",
                    "id",
                    "jobs",
                    "created",
                    "current_version",
                    "instances",
                    "total_count",
                    "exist",
                    "token",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


DECODERS: dict[str, Any] = {
    "upgrade": decode.upgrade_entries,
    "version": decode.proxy_version,
    "health": lambda body: decode.proxy_health(body, PROXY),
    "proxies": decode.proxies,
    "job": lambda body: decode.job(body, JOB),
    "jobs": decode.job_page,
    "instances": decode.instances,
    "scheduled": decode.scheduled_upgrade,
    "projects": decode.projects,
    "token": decode.iam_token,
}


@pytest.mark.parametrize("name", DECODERS)
@settings(max_examples=20, deadline=None)
@given(value=anything)
def test_whatever_comes_is_decoded_or_not_understood(name: str, value: Any) -> None:
    with suppress(NotUnderstood):
        DECODERS[name](json.dumps(value).encode())
