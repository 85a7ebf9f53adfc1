"""Whether a report names the hosts that the journal names: who worked when, and who sent each attempt."""

from collections.abc import Iterator
from typing import Any

from auditor.journal import Book, Line


def host_problems(report: Line, book: Book, *, aside: bool) -> Iterator[str]:
    """What is wrong with them; `aside`: a record of some target could not be applied, so that it counts nowhere."""
    hosts, sent = _walk(book, {target["proxy_id"]: target["scope"] for target in report["targets"]})
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


def _walk(book: Book, scopes: dict[str, str]) -> tuple[dict[str, dict[str, Any]], list[tuple[str, int, str | None]]]:
    hosts: dict[str, dict[str, Any]] = {}
    serving: dict[str, str] = {}
    sent, now, before = list[tuple[str, int, str | None]](), None, None
    for line in book.lines:
        match line["record"]:
            case "session_started":
                _leave_all(hosts, serving, before or line["at"])
                if now is not None and hosts[now]["left_at"] is None:
                    hosts[now] |= {"left_at": before or line["at"], "lost": True}
                now = line["host"]
                _join(hosts, now, line["at"])["led"] = True
            case "scope_served":
                last = serving.get(line["scope"])
                if last not in (None, line["host"]) and hosts[str(last)]["left_at"] is None:
                    hosts[str(last)] |= {"left_at": line["at"], "lost": True}
                serving[line["scope"]] = line["host"]
                _join(hosts, line["host"], line["at"])
            case "scope_left":
                hosts[line["host"]]["left_at"] = line["at"]
            case "session_ended" if now is not None:
                hosts[now]["left_at"] = line["at"]
                _leave_all(hosts, serving, line["at"])
            case "intent":
                sent.append((line["target"], line["attempt"], serving.get(scopes.get(line["target"], ""), now)))
            case _:
                pass
        before = line["at"]
    return hosts, sent


def _join(hosts: dict[str, dict[str, Any]], name: str, at: str) -> dict[str, Any]:
    hosts.setdefault(name, {"name": name, "joined_at": at, "led": False})
    hosts[name] |= {"left_at": None, "lost": False}
    return hosts[name]


def _leave_all(hosts: dict[str, dict[str, Any]], serving: dict[str, str], at: str) -> None:
    """Who serves does so for one session of the host at work."""
    for name in serving.values():
        hosts[name]["left_at"] = hosts[name]["left_at"] or at
    serving.clear()
