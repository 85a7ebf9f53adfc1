"""A process for each fleet that is under way: it stands by, and takes up what a host that is gone has left.

Each has a process of its own, for a session owns its process: signals, event loop, watchdog, memory.
"""

from collections.abc import Callable, Collection
from math import inf
from typing import Protocol

import msgspec

from orchestrator.errors import ExitCode, StateError

#: How often it looks which fleets are under way.
_LOOK_S = 1.0
#: After a helper that could do nothing for its fleet, the next one is not started sooner.
_AGAIN_S = 60.0
#: So long a database that is away is waited for, as a session does.
_AWAY_S = 900.0
#: Ends after which the next helper may start at once: its session came to an end, or was another host's.
_FINE = frozenset(ExitCode) - {
    ExitCode.USAGE,
    ExitCode.SCOPE_UNUSABLE,
    ExitCode.STATE_UNUSABLE,
    ExitCode.INTERNAL,
}


class Helper(Protocol):
    """A process that stands by for one fleet."""

    def poll(self) -> int | None:
        """Its exit code; None while it lives. Negative when a signal has ended it."""

    def terminate(self) -> None:
        """Tell it to stop: it hands its fleet over when it works on it."""


class Attendance(msgspec.Struct):
    """The helpers of this host.

    Attributes:
        under_way: the fleets with a session that goes on, or that was left to the next host; None when a stop came
            before that was known.
        start: starts a helper for a fleet.
        monotonic: seconds that never go back.
        tell: takes a sentence for the operator, when the database goes away and when it is back.
    """

    under_way: Callable[[], Collection[str] | None]
    start: Callable[[str], Helper]
    monotonic: Callable[[], float]
    tell: Callable[[str], object] = lambda _sentence: None
    helpers: dict[str, Helper] = {}
    _not_before: dict[str, float] = {}
    _reached_s: float | None = None
    _away: bool = False

    def attend(self, wait: Callable[[float], bool], *, once: bool) -> None:
        """Stand by until told to stop, or with `once` until nothing is under way; then let the helpers come to an end.

        Args:
            wait: waits so many seconds, or less when told to stop; whether it was.
            once: end by itself.

        Raises:
            StateError: the database cannot be used, and was not reached for 15 minutes.
        """
        try:
            while self.step() or not once:
                if wait(_LOOK_S):
                    break
        finally:
            self.end(wait)

    def step(self) -> bool:
        """Start the helpers that are missing; whether anything is under way."""
        self._reap()
        wanted = self._wanted()
        for fleet in wanted or ():
            if fleet not in self.helpers and self._not_before.get(fleet, -inf) <= self.monotonic():
                self.helpers[fleet] = self.start(fleet)
        return wanted is None or bool(wanted or self.helpers)

    def end(self, wait: Callable[[float], object]) -> None:
        """Tell all helpers to stop, and wait until they have."""
        for helper in self.helpers.values():
            helper.terminate()
        while self.helpers:
            self._reap()
            wait(0.1)

    def _wanted(self) -> Collection[str] | None:
        """The fleets that are under way; None while the database is away, and after a stop."""
        try:
            found = self.under_way()
        except StateError as error:
            if self._reached_s is None or self.monotonic() - self._reached_s >= _AWAY_S:
                raise
            if not self._away:
                self.tell(f"{error}; it is waited for, and after {_AWAY_S / 60:g} minutes this ends")
            self._away = True
            return None
        if found is None:
            return None
        if self._away:
            self.tell("the database is reached again")
        self._reached_s, self._away = self.monotonic(), False
        return found

    def _reap(self) -> None:
        for fleet, helper in [*self.helpers.items()]:
            code = helper.poll()
            if code is not None:
                del self.helpers[fleet]
                pause_s = _LOOK_S if code < 0 or code in _FINE else _AGAIN_S
                self._not_before[fleet] = self.monotonic() + pause_s
