"""What a row of the cloud says of an instance and of its proxies, however it is written. Pure.

Names of fields: ListGaussMySqlInstances(UnifyStatus), ListGaussMySqlInstanceDetailInfoUnifyStatus and
ShowGaussMySqlProxyList. Types cannot be relied on; what is not a text where a text belongs counts as absent.
"""

from typing import Any, TypeAlias

from msgspec import Struct

from orchestrator.model.reply.reply import DAMAGED
from orchestrator.pattern import pattern
from orchestrator.planner.plan_file.names import PROXY_ID

#: A row as the cloud sent it.
Row: TypeAlias = dict[str, Any]


_COUNT = pattern(r"[1-9][0-9]{0,5}")


class ListedProxy(Struct, frozen=True):
    """A proxy of an instance: its id, and what else the row says; details of an instance say no more than the name."""

    proxy_id: str
    name: str | None
    subnet: str | None = None
    nodes: int | None = None


class BadProxyId(ValueError):
    """A proxy in a row has no id, or one of another form, so it could not be upgraded."""


def text_of(row: Row, key: str) -> str | None:
    """A text of the row; None when there is none, or none that can be read."""
    value = row.get(key)
    return value if isinstance(value, str) and value and DAMAGED not in value else None


def count_of(row: Row, key: str) -> int | None:
    """A number of things, also as a text; None when there is none."""
    value = row.get(key)
    digits = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return int(digits) if _COUNT.fullmatch(digits) else None


def tags_of(row: Row) -> dict[str, str] | None:
    """The tags, `[{key, value}]`; None when the row tells nothing of tags, or one cannot be read."""
    if "tags" not in row:
        return None
    listed = row["tags"] if isinstance(row["tags"], list) else []
    pairs = ((tag.get("key"), tag.get("value")) for tag in listed if isinstance(tag, dict))
    tags = {str(key): "" if value is None else str(value) for key, value in pairs if key is not None}
    return None if any(DAMAGED in f"{key}{value}" for key, value in tags.items()) else tags


def may_have_proxies(row: Row) -> bool:
    """Whether the row leaves it open that the instance has a proxy: only an empty `proxy_ips` says that it has none."""
    return row.get("proxy_ips") not in ([], "")


def proxies_in_detail(row: Row) -> tuple[ListedProxy, ...] | None:
    """The proxies that the details of an instance list, each once; None when they do not settle it.

    Details without a proxy, of an instance that has addresses of proxies, settle nothing.
    """
    listed = row.get("proxies")
    if isinstance(listed, dict):
        listed = [listed]
    if not isinstance(listed, list) or (not listed and may_have_proxies(row) and "proxy_ips" in row):
        return None
    try:
        return _distinct([each for each in listed if isinstance(each, dict)])
    except BadProxyId:
        return None


def proxies_in_list(rows: tuple[Row, ...]) -> tuple[ListedProxy, ...]:
    """The proxies of the list of an instance's proxies, each once.

    Raises:
        BadProxyId: one of them has no usable id.
    """
    return _distinct([inner if isinstance(inner := row.get("proxy"), dict) else row for row in rows])


def _distinct(rows: list[Row]) -> tuple[ListedProxy, ...]:
    return tuple({proxy.proxy_id: proxy for proxy in map(_proxy, rows)}.values())


def _proxy(row: Row) -> ListedProxy:
    proxy_id = text_of(row, "pool_id") or ""
    try:
        known = PROXY_ID.parse(proxy_id)
    except ValueError:
        raise BadProxyId(f"a proxy with the id {proxy_id[:80]!r}") from None
    return ListedProxy(known, text_of(row, "name"), text_of(row, "subnet_id"), count_of(row, "node_num"))
