"""Targets of which a line cannot be applied: the report claims nothing of them, and says which line it is."""

import re
from collections.abc import Iterable, Iterator

from auditor.journal import Line

_SENTENCE = re.compile(r"the record (\w+) cannot be applied: ")


def is_aside(target: Line, lines: list[Line]) -> bool:
    """Whether the report says of a line that is there that it cannot be applied."""
    names = {line["record"] for line in lines}
    told = filter(None, map(_SENTENCE.match, target["evidence"] or ()))
    return any(match[1] in names for match in told)


def waits_for_a_person(target: Line, lines: list[Line]) -> bool:
    """Whether it is set aside still."""
    return is_aside(target, lines) and target["settled_by"] is None


def aside_problems(target: Line, lines: list[Line]) -> Iterator[str]:
    """What is claimed all the same: it stays in doubt until a person decides it, and its ids are those of its lines."""
    decided = [line for line in lines if line["record"] == "settled" and line["settled_by"]]
    outcome, by = (decided[-1]["outcome"], decided[-1]["settled_by"]) if decided else ("in_doubt", None)
    if (target["outcome"], target["settled_by"]) != (outcome, by):
        yield f"it is {target['outcome']}, but a line of it cannot be applied"
    if target["needs_person"] == bool(decided) or target["stuck_at"] not in {None, *(line["at"] for line in lines)}:
        yield "a line of it cannot be applied, so it needs a person until one decides"
    if not decided and target["reason"] not in target["evidence"]:
        yield f"reason is {target['reason']!r}, but a line of it cannot be applied"
    if any(not _sent(told, lines) for told in target["attempts"]):
        yield "an attempt has no intent"
    if not set(target["workflow_ids"]) <= set(_ids(lines)):
        yield f"no line gives all of {target['workflow_ids']}"


def untold_intents(target: Line, lines: list[Line]) -> int:
    """How many of its intents cannot be applied, and so are in no attempt."""
    intents = sum(line["record"] == "intent" for line in lines)
    return intents - len(target["attempts"]) if is_aside(target, lines) else 0


def _sent(attempt: Line, lines: list[Line]) -> bool:
    return any(
        (line["record"], line["attempt"], line["at"]) == ("intent", attempt["number"], attempt["at"]) for line in lines
    )


def _ids(lines: Iterable[Line]) -> Iterator[str | None]:
    for line in lines:
        yield line.get("workflow_id")
        yield from (entry["workflow_id"] for entry in line.get("update_result", ()))
