"""What is due in a session, or in a discovery: what it has begun, and would have ended by now if nothing were wrong."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from orchestrator.app.process.watchdog import Due
from orchestrator.executor.decide.actions import Action
from orchestrator.executor.scope.gate import GateState
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.executor.session import Session
from orchestrator.tracker.journal.group_commit import JournalWriter

#: A call, and the wait for credentials before it, make one request each; credentials may need one for the project too.
_REQUESTS_OF_A_CALL = 2


class Working(Protocol):
    """Runs a session."""

    session: Session
    performing: Action | None


def due_in(working: Working, writer: JournalWriter) -> tuple[Due, ...]:
    """What a session has begun to do, and would have ended by now or ends soon if nothing were wrong with it."""
    session = working.session
    return (*_due_here(working, writer), *overdue_calls(session.scopes, session.plan.http.timeout_s))


def _due_here(working: Working, writer: JournalWriter) -> Iterator[Due]:
    if writer.under_way is not None:  # an action, and a story, may wait for it
        if not writer.waits:
            yield "a record on its way to disk", writer.under_way
    elif working.performing is not None:
        yield "the next action", working.performing
    else:
        yield from standing_stories(working.session)


def overdue_calls(scopes: Mapping[str, ScopeCalls], timeout_s: float) -> Iterator[Due]:
    """Of each scope the oldest call, when it has been under way for longer than the plan's time-outs allow."""
    for name, calls in scopes.items():
        call = calls.under_way.oldest_since(calls.clock.monotonic() - _REQUESTS_OF_A_CALL * timeout_s)
        if call is not None:
            yield f"a call of scope {name}", call


def standing_stories(session: Session) -> Iterator[Due]:
    """The story of a target that waits for nothing that could come: no call, no turn, no instant, and no scope.

    It is a standstill only while nothing else goes on in the session: others are not ended for its sake.
    """
    if not all(calls.idle for calls in session.scopes.values()):
        return
    state = next((state for state in session.stories.awake() if session.calls(state).open), None)
    if state is not None:
        yield f"the story of target {state.key}", session.stories.moved


def due_in_search(scopes: Mapping[str, ScopeCalls], timeout_s: float) -> tuple[Due, ...]:
    """The same of a search for proxies in these scopes, which has not ended as long as this is asked."""
    busy = any(not calls.idle or calls.gate.state is GateState.PAUSED for calls in scopes.values())
    return (*overdue_calls(scopes, timeout_s), *(() if busy else (("the discovery", scopes),)))
