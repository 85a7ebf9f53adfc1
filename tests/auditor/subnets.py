"""Whether what a report says of the addresses of subnets follows from the journal."""

import re
from collections.abc import Iterator

from auditor.journal import Book, Line, nos_in

#: How the cloud says that a subnet has too few addresses, and how many an upgrade needs.
_CODE, _WORDS = "DBS.05000020", "insufficient subnet ip"
_NEEDED = re.compile(r"needed:? *([0-9]{1,4})\b", re.IGNORECASE)


def subnet_problems(report: Line, book: Book) -> Iterator[str]:
    """What is wrong with the subnets; a report without them says nothing that could be."""
    told = report.get("capacity")
    if told is None:
        return
    members: dict[str | None, list[str]] = {}
    for target in report["targets"]:
        members.setdefault((target["facts"] or {}).get("subnet"), []).append(target["proxy_id"])
    for each in told["subnets"]:
        backed = _backed(each["subnet_id"], members.get(each["subnet_id"], []), book)
        wrong = {name: each[name] for name in backed if each[name] != backed[name]}
        if wrong:
            yield f"subnet {each['subnet_id']}: the report says {wrong}, the journal {backed}"
    read = {line["subnet_id"] for line in book.named("subnet_read") if line.get("free") is not None}
    if read - {each["subnet_id"] for each in told["subnets"]}:
        yield f"capacity.subnets has not all that were read: {sorted(read)}"
    if told["denied"] != _denied(book):
        yield f"capacity.denied is {told['denied']}, the journal says {_denied(book)}"


def _backed(subnet_id: str, proxy_ids: list[str], book: Book) -> Line:
    readings = [line for line in book.named("subnet_read") if line["subnet_id"] == subnet_id]
    known = [line for line in readings if line.get("free") is not None]
    lines = [line for key in proxy_ids for line in book.of.get(key, ()) if line["record"] == "answer_seen"]
    refused = [text for line in lines for text, code in nos_in(line) if code == _CODE or _WORDS in text.casefold()]
    return {
        "free": known[-1]["free"] if known else None,
        "read_at": known[-1]["at"] if known else None,
        "refused": len(refused),
        "learned": max((number for line in lines for number in _needed(line)), default=None),
    }


def _needed(line: Line) -> Iterator[int]:
    texts = [line["error_msg"], *(entry["error_message"] for entry in line["update_result"])]
    for text in texts:
        found = _NEEDED.search(text) if text and "subnet" in text.lower() else None
        if found:
            yield int(found[1])


def _denied(book: Book) -> dict[str, str]:
    """Why scopes may not ask, in the latest session."""
    denied: dict[str, str] = {}
    for line in book.named("session_started", "subnet_read"):
        if line["record"] == "session_started":
            denied = {}
        elif line.get("denied"):
            denied.setdefault(line["scope"], line.get("why") or "denied")
    return denied
