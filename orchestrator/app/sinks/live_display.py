"""The live display of a run on a terminal: waves, outcomes, what is in flight, the rate, and what is waited for."""

from itertools import count
from typing import ClassVar

import anyio
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from orchestrator.app.sinks.tee import RecordSink
from orchestrator.executor.decide.foreseen import time_left_s
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.model.record import Record
from orchestrator.model.run import Run
from orchestrator.model.status import WaveStatus
from orchestrator.plain import plain
from orchestrator.spoken import spoken
from orchestrator.tracker.runs.recovery import Recovered

_REFRESH_S = 0.25
#: Without a record it is refreshed every so many times: the rate, the time left and what is waited for change too.
_IDLE = 4
_BAR_WIDTH = 30


class LiveDisplay(RecordSink):
    """Shows one run on standard error while it goes on.

    Args:
        recovered: the run; it is only looked at.
    """

    name: ClassVar = "the display"

    def __init__(self, recovered: Recovered, console: Console | None = None) -> None:
        self._run = recovered.run
        self._name = recovered.plan.name
        self._console = console or Console(stderr=True)
        self._changed = True

    def take(self, record: Record) -> None:  # noqa: ARG002  # the run holds what it says
        """A record has changed the run: show it soon."""
        self._changed = True

    async def serve(self, dispatcher: Dispatcher) -> None:
        """Refresh until cancelled; the last state stays on the screen."""
        with Live(console=self._console, auto_refresh=False) as screen:
            try:
                for beat in count():
                    if self._changed or beat % _IDLE == 0:
                        self._changed = False
                        screen.update(self.render(dispatcher), refresh=True)
                    await anyio.sleep(_REFRESH_S)
            finally:
                screen.update(self.render(dispatcher), refresh=True)

    def render(self, dispatcher: Dispatcher) -> RenderableType:
        """The display as it stands."""
        return Group(self._title(), self._waves(dispatcher), self._numbers(dispatcher), Text(plain(_waits(dispatcher))))

    def _title(self) -> Text:
        started = self._run.started
        simulated = "SIMULATED  " if started and started.simulated else ""
        version = started.target_version if started else ""
        return Text(f"{simulated}{self._name} -> {version}", style="bold")

    def _waves(self, dispatcher: Dispatcher) -> Table:
        table = Table.grid(padding=(0, 2))
        for wave in self._run.waves.values():
            settled, words = _progress(self._run, wave)
            # Targets that need nothing are replaced by others, so a wave may come to more than it was planned with.
            total = max(dispatcher.session.rollout.wave_targets[wave.name], settled)
            bar = ProgressBar(total=max(1, total), completed=settled, width=_BAR_WIDTH)
            table.add_row(wave.name, bar, f"{settled}/{total}", _wave_state(wave), words)
        return table

    def _numbers(self, dispatcher: Dispatcher) -> Text:
        rollout = dispatcher.session.rollout
        scopes = dispatcher.session.scopes.values()
        calls = sum(scope.calls for scope in self._run.scopes.values()) + sum(scope.usage.calls for scope in scopes)
        rate = sum({id(scope.lanes): scope.lanes.pacer.rate for scope in scopes}.values())
        return Text(
            f"in flight {self._run.tally.fleet.open}   starting {len(rollout.queue.starting)}   "
            f"calls {calls}   rate up to {rate:g}/s   time left about {spoken(time_left_s(rollout))}"
        )


def _progress(run: Run, wave: WaveStatus) -> tuple[int, str]:
    count = run.tally.waves.get(wave.name)
    if count is None:
        return 0, ""
    words = "  ".join(f"{name} {number}" for name, number in sorted(count.standing.items()) if number)
    return sum(count.standing.values()) - count.open - count.standing["waiting"], words


def _wave_state(wave: WaveStatus) -> str:
    if wave.done_at is not None:
        return "done"
    if wave.soaks_until is not None:
        return f"soaking until {wave.soaks_until:%H:%M:%S} UTC"
    return "waiting" if wave.opened_at is None else "open"


def _waits(dispatcher: Dispatcher) -> str:
    wait, held = dispatcher.waits_for, "HELD: " if dispatcher.session.run.hold else ""
    return f"{held}waits for {wait.seen_at(dispatcher.session.clock.now())}" if wait is not None else held
