"""Whether a report names the hosts that the journal names: who worked when, and who sent each attempt."""

from collections.abc import Iterator
from typing import Any

from auditor.journal import Book, Line


def host_problems(report: Line, book: Book, *, aside: bool) -> Iterator[str]:
    """What is wrong with them; `aside`: a record of some target could not be applied, so that it counts nowhere."""
    hosts, sent = _walk(book)
    told = report["run"]["hosts"]
    if [_known(each) for each in told] != [_known(each) for each in hosts.values()]:
        yield f"run.hosts are {told}, the journal says {list(hosts.values())}"
    counted = {name: len({key for key, _, by in sent if by == name}) for name in hosts}
    if not aside and {each["name"]: each["targets"] for each in told} != counted:
        yield f"run.hosts count {told} targets, the journal says {counted}"
    by = {(key, number): name for key, number, name in sent}
    for target in report["targets"]:
        for attempt in target["attempts"]:
            key = target["proxy_id"], attempt["number"]
            if target["proxy_id"] in book.of and key in by and attempt["host"] != by[key]:
                yield f"attempt {key} was sent by {by[key]}, the report says {attempt['host']}"


def _known(host: dict[str, Any]) -> list[Any]:
    return [host[name] for name in ("name", "joined_at", "left_at", "lost", "led")]


def _walk(book: Book) -> tuple[dict[str, dict[str, Any]], list[tuple[str, int, str | None]]]:
    hosts: dict[str, dict[str, Any]] = {}
    sent, now, before = list[tuple[str, int, str | None]](), None, None
    for line in book.lines:
        match line["record"]:
            case "session_started":
                if now is not None and hosts[now]["left_at"] is None:
                    hosts[now] |= {"left_at": before or line["at"], "lost": True}
                now = line["host"]
                hosts.setdefault(now, {"name": now, "joined_at": line["at"], "led": True})
                hosts[now] |= {"left_at": None, "lost": False}
            case "session_ended" if now is not None:
                hosts[now]["left_at"] = line["at"]
            case "intent":
                sent.append((line["target"], line["attempt"], now))
            case _:
                pass
        before = line["at"]
    return hosts, sent
