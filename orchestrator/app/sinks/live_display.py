"""The live display of a run on a terminal: waves, what is waited for and why, the rate, and what mattered last."""

from collections import deque
from itertools import count
from typing import ClassVar

import anyio
from rich.console import Console, Group, RenderableType
from rich.live import Live

from orchestrator.app.sinks.live_frame import TAIL, Picture, WaveLine, frame
from orchestrator.app.sinks.progress_words import now_words, progress, speed_words
from orchestrator.app.sinks.record_log import level_of
from orchestrator.app.sinks.tee import RecordSink
from orchestrator.app.telling.told import told
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.model.record.outcome import GOOD, Phase
from orchestrator.model.record.record import Record, WaveDone, WaveOpened
from orchestrator.model.run.run import Run
from orchestrator.model.run.status import WaveStatus
from orchestrator.plain import plain
from orchestrator.tracker.report.build import wave_state

_REFRESH_S = 0.25
#: Without a record it is refreshed every so many times: the rate, the time left and what is waited for change too.
_IDLE = 4
_WELL = frozenset(map(str, GOOD))
#: What is no outcome; the bar tells of it.
_OPEN = frozenset(map(str, Phase))


class LiveDisplay(RecordSink):
    """Shows one run on standard error while it goes on.

    Args:
        run: it is only looked at.
        fleet: its name.
        console: in place of one on standard error.
        refresh_s: time between two pictures, when something has changed.
    """

    name: ClassVar = "the display"

    def __init__(self, run: Run, fleet: str, console: Console | None = None, *, refresh_s: float = _REFRESH_S) -> None:
        self._run = run
        self._name = fleet
        self._console = console or Console(stderr=True, highlight=False)
        self._refresh_s = refresh_s
        self._changed = True
        self._tail = deque[str](maxlen=TAIL)

    def take(self, record: Record) -> None:
        """A record has changed the run: show it soon, and in the tail when it mattered."""
        self._changed = True
        if level_of(record) in ("warning", "error") or isinstance(record, WaveOpened | WaveDone):
            self._tail.append(f"{record.at:%H:%M:%S}  {told(record, self._run)}")

    async def serve(self, dispatcher: Dispatcher) -> None:
        """Refresh until cancelled; the last state stays on the screen."""
        with Live(console=self._console, auto_refresh=False, vertical_overflow="crop") as screen:
            try:
                for beat in count():
                    if self._changed or beat % _IDLE == 0:
                        self._changed = False
                        screen.update(self.render(dispatcher), refresh=True)
                    await anyio.sleep(self._refresh_s)
            finally:
                screen.update(self.render(dispatcher), refresh=True)

    def render(self, dispatcher: Dispatcher) -> RenderableType:
        """The display as it stands."""
        shown, size = self._shown(dispatcher), self._console.size
        return Group(*frame(shown, size.width, size.height))

    def _shown(self, dispatcher: Dispatcher) -> Picture:
        rollout, run = dispatcher.session.rollout, self._run
        started = run.started
        simulated = "SIMULATED  " if started and started.simulated else ""
        return Picture(
            title=self._said(f"{simulated}{self._name} -> {started.target_version if started else ''}"),
            progress=", ".join(progress(dispatcher)),
            waves=[_wave(rollout, wave, self._said(wave.name)) for wave in run.waves.values()],
            now=self._said(now_words(dispatcher)),
            speed=speed_words(dispatcher),
            tail=[self._said(line) for line in self._tail],
        )

    def _said(self, text: str) -> str:
        """As this terminal can show it: its width must be known before it is cut."""
        encoding = self._console.encoding
        return plain(text).encode(encoding, "backslashreplace").decode(encoding)


def _wave(rollout: Rollout, wave: WaveStatus, name: str) -> WaveLine:
    found = rollout.run.tally.waves.get(wave.name)
    standing = {} if found is None else {str(outcome): number for outcome, number in found.standing.items() if number}
    ended = {outcome: number for outcome, number in standing.items() if outcome not in _OPEN}
    well = sum(number for outcome, number in ended.items() if outcome in _WELL)
    ill = sum(ended.values()) - well
    # Targets that need nothing are replaced by others, so a wave may come to more than it was planned with.
    total = max(rollout.wave_targets[wave.name], well + ill)
    first_ill = sorted(ended, key=lambda outcome: (outcome in _WELL, outcome))
    words = "  ".join(f"{outcome} {ended[outcome]}" for outcome in first_ill)
    still = 0 if found is None else found.open
    return WaveLine(
        name=name, well=well, ill=ill, open=still, total=total, state=_wave_state(rollout, wave), words=words
    )


def _wave_state(rollout: Rollout, wave: WaveStatus) -> str:
    state = wave_state(rollout.run, wave)
    if wave.done_at is not None:
        return state
    if wave.soaks_until is not None:
        return f"soaks to {wave.soaks_until:%H:%M:%S}Z"
    if wave.opened_at is not None:
        return "open"
    asks = any(each.approve for each in rollout.plan.waves if each.name == wave.name)
    return "after approval" if asks and not wave.approved else "waiting"
