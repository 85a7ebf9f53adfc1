"""Whether what a report says of gates follows from the journal: what each said, how often and long it was closed."""

from collections.abc import Iterator
from datetime import datetime

from auditor.journal import Book, Line

#: How far a sum of many spans may be off.
_ROUNDING_S = 0.01

_SAID = ("answer", "status", "value", "evidence")


def gate_problems(report: Line, book: Book) -> Iterator[str]:
    """What is wrong with the gates."""
    told = {each["name"]: each for each in report.get("gates") or ()}
    backed = _backed(book)
    if told.keys() != backed.keys():
        yield f"gates are {sorted(told)}, the journal has {sorted(backed)}"
        return
    for name, gate in backed.items():
        wrong = {key: told[name][key] for key in gate if key != "closed_seconds" and told[name][key] != gate[key]}
        if wrong or abs(told[name]["closed_seconds"] - gate["closed_seconds"]) > _ROUNDING_S:
            yield f"gate {name}: the report says {told[name]}, the journal {gate}"


def _backed(book: Book) -> dict[str, Line]:
    """Each gate by its answers; what passed between two lines of a session counts for those that were closed.

    A session counts a gate from its own first answer on.
    """
    gates: dict[str, Line] = {}
    before: datetime | None = None
    asked: set[str] = set()
    for line in book.lines:
        at, record = datetime.fromisoformat(line["at"]), line["record"]
        for name in asked if before is not None and record != "session_started" else ():
            closed = gates[name]["state"] == "closed"
            gates[name]["closed_seconds"] += (at - before).total_seconds() if closed and before else 0.0
        if record == "session_started":
            asked.clear()
        if record == "gate_answered":
            gates[line["gate"]] = _answered(gates.get(line["gate"]), line)
            asked.add(line["gate"])
        before = None if record == "session_ended" else at
    return gates


def _answered(gate: Line | None, line: Line) -> Line:
    state = "open" if line["open"] else "closed"
    changes = gate is None or gate["state"] != state
    known = gate or {"closed_times": 0, "closed_seconds": 0.0, "since": None}
    return {
        "state": state,
        "since": line["at"] if changes else known["since"],
        "closed_times": known["closed_times"] + (changes and state == "closed"),
        "closed_seconds": known["closed_seconds"],
        **{key: line.get(key, "" if key == "evidence" else None) for key in _SAID},
    }
