"""Turn the body of a 2xx answer into values of the model, as leniently as is safe. Pure.

Types and names follow `huaweicloudsdkgaussdb.v3.model` 3.1.219 and the pages of api-taurusdb, which contradict each
other: an array appears as a single object, a truth value as text, a field is absent from the official example. What
does not hold what the question was about raises `NotUnderstood`: guessing is never safe.
"""

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import msgspec
from msgspec.structs import replace

from orchestrator.cloud.reading.duration_text import seconds_in
from orchestrator.cloud.reading.error_body import excerpt
from orchestrator.cloud.reading.json_body import read_body
from orchestrator.cloud.reading.lenient import instant, intact, integer, objects, text, truth
from orchestrator.model.reply.foreign import Unreadable
from orchestrator.model.reply.reply import DAMAGED, Entry, Job, JobPage, Page, ProxyHealth, ProxyVersion, same_id
from orchestrator.model.reply.risk import Risk

T = TypeVar("T")
Decode: TypeAlias = Callable[[bytes], T]

#: Most proxies that one question for the list of an instance's proxies brings; an instance has at most 4.
PROXIES_PER_PAGE = 100

#: Most rows of a list that are read. No question asks for more than 100.
MAX_ROWS = 2_000

#: Most entries of one `update_result`: a request names one proxy, and an instance has at most 4.
MAX_ENTRIES = 100

_JOB_FIELDS = frozenset(
    [
        *("id", "job_id", "name", "job_name", "status", "process", "fail_reason", "order_id", "show_detail"),
        *("instance", "instance_id", "instance_name", "instance_status"),
        *("created", "created_time", "ended", "ended_time"),
    ]
)


class NotUnderstood(Exception):
    """A 2xx answer without the thing that was asked for; the message says what is missing."""


def upgrade_entries(body: bytes) -> tuple[Entry, ...]:
    """UpgradeProxyVersion: `update_result`, word for word and in order; empty when the list is."""
    data = read_object(body)
    rows = data.get("update_result")
    if isinstance(rows, dict):
        rows = [rows]
    if not isinstance(rows, list):
        raise NotUnderstood("no update_result in the answer")
    if len(rows) > MAX_ENTRIES:
        raise NotUnderstood(f"update_result has {len(rows):,} entries, more than {MAX_ENTRIES}")
    if not rows and (data.get("error_code") or data.get("error_msg")):
        raise NotUnderstood("an error instead of an update_result")
    return tuple(_entry(row) for row in rows)


def _entry(row: Any) -> Entry:
    if not isinstance(row, dict):
        return Entry()  # neither state nor id: the caller cannot but doubt it
    return Entry(
        instance_id=intact(row.get("instance_id")),
        workflow_id=intact(row.get("workflow_id")) or intact(row.get("job_id")),
        state=text(row.get("state")),
        error_message=text(row.get("error_message")),
    )


def proxy_version(body: bytes) -> ProxyVersion:
    """ShowProxyVersion."""
    data = read_object(body)
    current = intact(data.get("current_version"))
    if current is None:
        raise NotUnderstood("no current_version in the answer, or none that can be read")
    return ProxyVersion(
        current_version=current.strip(),
        latest_version=(intact(data.get("latest_version")) or "").strip() or None,
        can_upgrade=truth(data.get("can_upgrade")),
        risk=_risk(data.get("risk")),
    )


def _risk(said: Any) -> Risk | None:
    """The cloud's forecast, as far as it can be understood: nothing depends on it, so nothing in it is an error."""
    row = next(iter(objects(said)), {})
    risk = Risk(
        level=integer(row.get("level")),
        service_impact_s=seconds_in(text(row.get("service_impact_duration"))),
        upgrade_s=seconds_in(text(row.get("upgrade_duration"))) or None,
        guidance=text(row.get("guidance")),
    )
    return None if risk == Risk() else risk


def proxy_health(body: bytes, proxy_id: str) -> ProxyHealth:
    """ShowGaussMySqlProxyList, reduced to one proxy; status None when the list ends without it."""
    listed = _listed(body)
    for proxy in listed:
        if same_id(text(proxy.get("pool_id")), proxy_id):
            return _health(proxy)
    if any(DAMAGED in (text(proxy.get("pool_id")) or "") for proxy in listed):
        raise NotUnderstood("the proxy is not listed, and a pool_id that is cannot be read")
    if len(listed) >= PROXIES_PER_PAGE:
        raise NotUnderstood(f"the proxy is not among the first {PROXIES_PER_PAGE}, and the list goes on")
    return ProxyHealth(status=None)


def proxy_ids(body: bytes) -> tuple[str, ...]:
    """ShowGaussMySqlProxyList, reduced to the ids that can be read."""
    found = (text(proxy.get("pool_id")) for proxy in _listed(body))
    return tuple(each for each in found if each and DAMAGED not in each)


def _listed(body: bytes) -> list[dict[str, Any]]:
    rows = proxies(body).rows
    return [inner if isinstance(inner := row.get("proxy"), dict) else row for row in rows]


def _health(proxy: dict[str, Any]) -> ProxyHealth:
    said = [text(each.get("status")) or "" for each in (proxy, *objects(proxy.get("nodes")))]
    if any(DAMAGED in status for status in said):
        raise NotUnderstood("the status of the proxy or a node cannot be read")
    return ProxyHealth(status=said[0], nodes=tuple(said[1:]))


def free_addresses(body: bytes) -> int:
    """ShowSubnet: `available_ip_address_count`, the IPv4 addresses that are left (huaweicloudsdkvpc v2 subnet.py)."""
    subnet = read_object(body).get("subnet")
    count = integer(subnet.get("available_ip_address_count")) if isinstance(subnet, dict) else None
    if count is None or count < 0:
        raise NotUnderstood("no available_ip_address_count in the answer")
    return count


def proxies(body: bytes) -> Page:
    """ShowGaussMySqlProxyList: rows as they are; the cloud sends no total."""
    return read_page(read_object(body), "proxy_list")


def instances(body: bytes) -> Page:
    """ListGaussMySqlInstances and the list of details, v3 and v3.1."""
    return read_page(read_object(body), "instances")


def scheduled_upgrade(body: bytes) -> Page:
    """CheckScheduleTaskExist: the scheduled tasks; one empty row when there is one of which nothing is said."""
    data = read_object(body)
    exists, tasks = truth(data.get("exist")), objects(data.get("scheduled_tasks"))
    if exists is None:
        raise NotUnderstood("no exist in the answer")
    return Page(rows=(tasks or ({},)) if exists else (), total_count=None)


def projects(body: bytes) -> Page:
    """KeystoneListProjects of IAM."""
    return read_page(read_object(body), "projects")


def job(body: bytes, job_id: str) -> Job | None:
    """ShowGaussMySqlJobInfo; None when the answer holds no job."""
    data = read_object(body)
    row = data.get("job")
    if row is None and "job" in data:
        return None
    if not isinstance(row, dict):
        raise NotUnderstood("no job in the answer")
    found = _job(row)
    if found.job_id.lower() not in ("", job_id.lower()):
        raise NotUnderstood(f"asked for job {job_id}, the answer is about {excerpt(found.job_id)}")
    return replace(found, job_id=job_id)


def job_page(body: bytes) -> JobPage:
    """ListImmediateJobs. A row without an id stays, with an empty one: that something runs there matters."""
    page = read_page(read_object(body), "jobs")
    if any(DAMAGED in (_instance_of(row) or "") for row in page.rows):
        raise NotUnderstood("a job whose instance_id cannot be read may run on any instance")
    return JobPage(jobs=tuple(_job(row) for row in page.rows), total_count=page.total_count)


def _job(row: dict[str, Any]) -> Job:
    return Job(
        job_id=intact(row.get("job_id")) or intact(row.get("id")) or "",
        name=text(row.get("job_name")) or text(row.get("name")),
        status=(text(row.get("status")) or "").strip(),
        instance_id=intact(_instance_of(row)),
        created_at=instant(row.get("created_time") or row.get("created")),
        ended_at=instant(row.get("ended_time") or row.get("ended")),
        fail_reason=text(row.get("fail_reason")),
        process=text(row.get("process")),
        extend_fields=_rest(row),
    )


def _instance_of(row: dict[str, Any]) -> str | None:
    instance = row.get("instance")
    inner = instance if isinstance(instance, dict) else {}
    return text(row.get("instance_id")) or text(inner.get("id"))


def _rest(row: dict[str, Any]) -> str | None:
    """Whatever else the row holds (`extend_fields`, `entities`, a field not documented yet), as compact JSON."""
    rest = {key: value for key, value in row.items() if key not in _JOB_FIELDS and value not in (None, "", {}, [])}
    return msgspec.json.encode(rest, order="sorted").decode() if rest else None


def iam_token(body: bytes) -> float | None:
    """Lifetime of a new IAM token in seconds (`expires_at` minus `issued_at`); None when the body does not say it.

    Both are the cloud's times, so that a wrong clock here does no harm.
    """
    token = read_object(body).get("token")
    if not isinstance(token, dict):
        return None
    expires, issued = instant(token.get("expires_at")), instant(token.get("issued_at"))
    return (expires - issued).total_seconds() if expires and issued else None


def read_object(body: bytes) -> dict[str, Any]:
    """The object that a body is."""
    try:
        data = read_body(body)
    except Unreadable as error:
        shown = excerpt(body)
        raise NotUnderstood(
            f'the answer cannot be read as JSON ({error}): "{shown}"' if shown else "the answer is empty"
        ) from error
    if not isinstance(data, dict):
        raise NotUnderstood("the answer is not a JSON object")
    return data


def read_page(data: dict[str, Any], key: str) -> Page:
    """The rows that stand under a key, as they are."""
    rows = data.get(key)
    if not isinstance(rows, list | dict):
        raise NotUnderstood(f"no {key} in the answer")
    if len(rows) > MAX_ROWS:
        raise NotUnderstood(f"{key} has {len(rows):,} rows, more than {MAX_ROWS:,}")
    return Page(rows=objects(rows), total_count=integer(data.get("total_count")))
