"""One rehearsal: performs the next action on virtual time until nothing is left, and notes how it went."""

from collections.abc import Callable, Iterator
from datetime import datetime

from orchestrator.executor.decide.actions import (
    Action,
    CloseWave,
    Ending,
    Finish,
    Hold,
    OpenWave,
    ReadCloud,
    SoakWave,
    Start,
    VerifyWave,
    WaitUntil,
)
from orchestrator.executor.decide.bench import SUBNET
from orchestrator.executor.decide.limits import room
from orchestrator.executor.decide.next_action import next_action
from orchestrator.forecast.binding import SLOW, binding
from orchestrator.forecast.environment import Environment, Setting
from orchestrator.forecast.rehearsed_target import follow_on, upgrade
from orchestrator.forecast.result import Rehearsal
from orchestrator.forecast.virtual_time import Process
from orchestrator.model.plan.target import Target
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import (
    Reverified,
    ScopeOpened,
    WaveApproved,
    WaveDone,
    WaveOpened,
    WaveSoaking,
)
from orchestrator.model.run.state import TargetState
from orchestrator.spoken import counted

#: How many proxies are read at once at the end of a soak, as in `executor.soak`.
_READERS = 10

#: A run that starts nothing for so long starts nothing any more.
_PATIENCE_S = 400 * 86400.0


def play(setting: Setting, duration: Callable[[], float], *, most_nights: int | None = None) -> Rehearsal:
    """Rehearse a run from its first call to its last.

    Args:
        setting: what is rehearsed.
        duration: draws how long an upgrade takes, in seconds.
        most_nights: stop as soon as something starts in a further one.
    """
    return _Play(setting, duration, most_nights).run()


class _Play:
    def __init__(self, setting: Setting, duration: Callable[[], float], most_nights: int | None) -> None:
        self._env = Environment(setting, duration)
        self._most_nights = most_nights
        self._wakes_at: datetime | None = None
        self._readers = 0
        self._seen: tuple[str, str, str | None] = ("", "", None)
        self._over = False

    def run(self) -> Rehearsal:
        """Play to the end."""
        env = self._env
        for name in env.scopes:
            env.events.resume(self._reach(name))
        for state in env.run.open_states():
            env.events.resume(follow_on(env, state))
        while not self._over:
            if env.changed:
                env.changed = False
                self._act()
            elif not env.events.step():
                self._end("nothing moves any more")
        env.result.calls, env.result.nights = env.calls, env.nights.count
        return env.result

    def _act(self) -> None:
        """Perform what is to be done now."""
        while not self._over:
            action = next_action(self._env.rollout, self._env.events.now)
            match action:
                case WaitUntil():
                    self._wait(action)
                    return
                case Start(target=target, wave=wave):
                    self._start(target, wave)
                case Finish(ending=ending, why=why):
                    self._end(None if ending is Ending.COMPLETED else why)
                case _:
                    self._perform(action)

    def _perform(self, action: Action) -> None:
        env, now = self._env, self._env.events.now
        match action:
            case OpenWave(wave=wave):
                env.note(WaveOpened(at=now, wave=wave))
            case SoakWave(wave=wave, until=until):
                env.note(WaveSoaking(at=now, wave=wave, until=until))
            case CloseWave(wave=wave):
                env.note(WaveDone(at=now, wave=wave))
            case VerifyWave(wave=wave):
                self._verify(wave)
            case ReadCloud(scope=scope, block=(kind, subnet)):
                env.read_cloud(scope, (kind, subnet))
                if kind == SUBNET:
                    env.events.resume(self._give_up(subnet))
            case Hold(cause="approval", wave=wave):
                env.note(WaveApproved(at=now, wave=wave or "", by="", note=""))
            case Hold(reason=reason):
                self._end(f"it would be held: {reason}")
            case _:
                raise AssertionError(f"performed elsewhere: {action}")

    def _wait(self, action: WaitUntil) -> None:
        env, instant = self._env, action.instant
        self._note_binding(action)
        if self._most_nights is not None and env.nights.count > self._most_nights:
            self._end(f"it takes more than {counted(self._most_nights, 'night')}")
        elif instant is not None and env.events.seconds_at(instant) - env.result.ends_s > _PATIENCE_S:
            self._end(str(action.wait))
        elif instant is not None and not self._wakes_before(instant):
            self._wakes_at = instant
            env.events.resume(self._wake(instant))

    def _note_binding(self, action: WaitUntil) -> None:
        env = self._env
        seen = (str(action.wait), room(env.rollout, env.events.now).why, env.crowded)
        if seen != self._seen:
            self._seen = seen
            what = binding(env)
            env.eager = not what.startswith(SLOW)
            env.result.held_up(env.events.now_s, what)

    def _wakes_before(self, instant: datetime) -> bool:
        return self._wakes_at is not None and self._env.events.now < self._wakes_at <= instant

    def _end(self, unfinished: str | None) -> None:
        self._over, self._env.result.unfinished = True, unfinished

    # --- processes ---------------------------------------------------------------------------------------------------

    def _reach(self, scope: str) -> Process:
        """The one call that each scope makes alone before anything else."""
        yield self._env.scopes[scope].poll
        self._env.note(ScopeOpened(at=self._env.events.now, scope=scope))

    def _wake(self, instant: datetime) -> Process:
        yield self._env.events.seconds_at(instant) - self._env.events.now_s
        self._env.changed = True

    def _give_up(self, subnet: str) -> Process:
        """Look once more at those that fit into their subnet not even when nothing is under way there."""
        yield self._env.plan.retry.busy_for_s
        self._env.rollout.queue.opened((SUBNET, subnet))
        self._env.changed = True

    def _start(self, target: Target, wave: str) -> None:
        queue = self._env.rollout.queue
        queue.take(target)
        queue.begin(target, wave)
        self._env.events.resume(upgrade(self._env, self._env.run.state(target.proxy_id), wave))

    def _verify(self, wave: str) -> None:
        """Read every proxy of the wave once more, some at a time."""
        env = self._env
        env.rollout.verifying = wave
        states = (env.run.states[key] for key in env.run.waves[wave].targets)
        upgraded = (state for state in states if state.outcome is Outcome.SUCCEEDED)
        self._readers = _READERS
        for _ in range(_READERS):
            env.events.resume(self._read_each(upgraded, wave))

    def _read_each(self, states: Iterator[TargetState], wave: str) -> Process:
        env = self._env
        for state in states:
            yield env.scopes[state.target.scope].poll
            yield env.scopes[state.target.scope].poll
            env.note(Reverified(at=env.events.now, target=state.key, healthy=True, finding=""))
        self._readers -= 1
        if not self._readers:
            env.rollout.verifying = None
            env.rollout.verified.add(wave)
            env.changed = True
