"""Whether a target needs a person, and since when, by its lines."""

from collections.abc import Iterator

from auditor.journal import Line

#: After these nothing of its own is waited for any more.
_STUCK = frozenset({"doubt_remains", "follow_timed_out", "story_failed"})
#: After these there may be something again.
_MOVES = frozenset(
    {
        "intent",
        "answer_seen",
        "answer_missing",
        "attempt_disproved",
        "doubt_renewed",
        "workflow_adopted",
        "version_adopted",
        "version_reached",
        "job_seen",
        "returned_to_waiting",
    }
)


def stuck_problems(target: Line, lines: list[Line], *, told: bool) -> Iterator[str]:
    """What the report says of it and the lines do not; `told`: lines of others say something of it too."""
    outcome, needed, since = target["outcome"], target["needs_person"], target["stuck_at"]
    stuck = [place for place, line in enumerate(lines) if line["record"] in _STUCK]
    if needed and outcome not in ("in_doubt", "timed_out"):
        yield f"it is {outcome}, and needs a person"
    if needed and since is None:
        yield "it needs a person since no time"
    if since is not None and since not in [lines[place]["at"] for place in stuck]:
        yield f"no line says that it needed a person at {since}"
    if not needed and (outcome == "timed_out" or (outcome == "in_doubt" and not told and _is_last(stuck, lines))):
        yield f"it is {outcome}, and nobody is needed"


def _is_last(stuck: list[int], lines: list[Line]) -> bool:
    """Whether nothing has moved it since it was stuck."""
    return bool(stuck) and not any(line["record"] in _MOVES for line in lines[stuck[-1] :])
