"""Whether a scope may be used: open, paused while one probe at a time finds out, or given up for this session.

A scope starts paused: its first call is one authenticated GET, alone. It only observes replies; the probing is
the probe's work.
"""

from enum import Enum, auto

import anyio


class GateState(Enum):
    """Whether calls may pass."""

    OPEN = auto()
    PAUSED = auto()
    GIVEN_UP = auto()


class Yielded(Exception):  # a signal between a call and the loop, not an error
    """The scope cannot be used right now; the target goes back to the queue with nothing recorded."""


class ScopeGone(Exception):  # as Yielded
    """The scope was given up for this session; every story that follows something in it stops."""


class Gate:
    """The gate of one scope."""

    def __init__(self) -> None:
        self.state = GateState.PAUSED
        self.why = "not yet tried"
        self.credentials_refused = False
        self.reached = False
        self._opened = anyio.Event()
        self._paused = anyio.Event()
        self._paused.set()

    def pause(self, why: str, *, credentials: bool = False) -> bool:
        """Close the gate until a probe comes back. True when it was open."""
        if self.state is not GateState.OPEN:
            return False
        self.state, self.why, self.credentials_refused = GateState.PAUSED, why, credentials
        self._opened = anyio.Event()
        self._paused.set()
        return True

    def open(self) -> None:
        """Let everybody through."""
        self.state, self.why, self.credentials_refused = GateState.OPEN, "", False
        self.reached = True
        self._paused = anyio.Event()
        self._opened.set()

    def give_up(self, why: str) -> None:
        """Send everybody away for the rest of the session."""
        self.state, self.why = GateState.GIVEN_UP, why
        self._opened.set()

    async def passage(self, *, patient: bool) -> None:
        """Pass, or wait for the gate to open.

        Raises:
            Yielded: it is paused, and the caller is not patient.
            ScopeGone: it was given up.
        """
        while self.state is not GateState.OPEN:
            if self.state is GateState.GIVEN_UP:
                raise ScopeGone(self.why)
            if not patient:
                raise Yielded(self.why)
            await self._opened.wait()

    async def until_paused(self) -> None:
        """Wait for the next pause."""
        await self._paused.wait()
