"""What is in force otherwise than the plan file says, or not since the run began: by key, in words. Pure."""

from collections.abc import Iterator

from orchestrator.model.record.record import SessionStarted
from orchestrator.model.run.run import Run


def besides(run: Run) -> dict[str, str]:
    """By dotted key of the plan; of each the latest word of a session, and then that of a person."""
    found = {key: words for session in run.sessions for key, words in _of_session(session)}
    for key, words in _of_person(run):
        found[key] = f"{found[key]}; {words}" if key in found else words
    return found


def _of_session(session: SessionStarted) -> Iterator[tuple[str, str]]:
    for key, how in session.changed.items():
        yield key, f"changed: {how}, session {session.number}"
    for key, how in session.set.items():
        said, _, _ = how.partition(" -> ")
        yield key, f"set by {session.who} for session {session.number}; the plan file says {said}"


def _of_person(run: Run) -> Iterator[tuple[str, str]]:
    asked = run.limits
    if asked is None:
        return
    for word in str(asked.limits).split():
        key, _, value = word.partition("=")
        yield (
            f"limits.{key}",
            f"{value} in its place, by {asked.who} at {asked.began_at:%Y-%m-%d %H:%M:%SZ}: {asked.note}",
        )
