"""Waves in their order: opened in turn, approved, settled, soaked, read once more, and successful before the next."""

from datetime import datetime, timedelta
from math import floor
from typing import TypeAlias

from judge.rule import Found, Rule, Violation
from soak.standing import Fleetwide, Standing

from orchestrator.model.amount import Amount
from orchestrator.model.plan import Plan, Wave
from orchestrator.model.record import HoldSet, Intent, WaveApproved, WaveDone, WaveOpened, WaveSoaking

WaveRecord: TypeAlias = WaveApproved | WaveOpened | WaveSoaking | WaveDone

_SUCCESS = frozenset({"succeeded", "accepted", "partial"})
_STUCK = frozenset({"in_doubt", "timed_out"})


class WaveLog:
    """What the journal has said of the waves so far."""

    def __init__(self, plan: Plan, fleet: Fleetwide) -> None:
        self._plan = plan
        self._fleet = fleet
        self._waves = {wave.name: wave for wave in plan.waves}
        self._approved: set[str] = set()
        self._passed: set[str] = set()
        self._opened: set[str] = set()
        self._soaks: dict[str, datetime] = {}
        self._done: dict[str, datetime] = {}
        self._at_soak: set[str] = set()

    @property
    def current(self) -> str | None:
        """The first wave that is not done."""
        return next((wave.name for wave in self._plan.waves if wave.name not in self._done), None)

    def release(self, hold: HoldSet | None) -> None:
        """What a release lets pass."""
        if hold is not None and hold.wave is not None:
            if hold.cause == "wave_failed":
                self._passed.add(hold.wave)
            if hold.cause == "approval":
                self._approved.add(hold.wave)

    def read(self, record: WaveRecord) -> Found:
        wave = self._waves[record.wave]
        match record:
            case WaveApproved():
                self._approved.add(wave.name)
            case WaveOpened():
                self._opened.add(wave.name)
                yield from self._opening(wave)
            case WaveSoaking():
                self._soaks[wave.name] = record.until
                self._at_soak = {each.target.proxy_id for each in self._fleet.of_wave(wave.name) if each.outcome}
                yield from self._settled(wave)
            case WaveDone():
                yield from self._settled(wave, soaked=wave.name in self._soaks)
                yield from self._finished(wave, record.at)
                self._done[wave.name] = record.at

    def intent(self, intent: Intent, each: Standing) -> Found:
        """An intent in its wave."""
        wave = self._waves[intent.wave]
        late = intent.wave in self._done and self.current is not None  # it was stuck there, or held up by one that was
        if intent.wave not in self._opened or not (late or intent.wave == self.current):
            yield _wrong(wave, f"{intent.target} is sent, but the wave at work is {self.current}")
        if each.wave not in (None, intent.wave):
            yield _wrong(wave, f"{intent.target} was drawn by {each.wave}")
        if wave.select is not None and not wave.select.labels.items() <= each.target.labels.items():
            yield _wrong(wave, f"{intent.target} is not selected")
        yield from self._size(wave, each)

    def _size(self, wave: Wave, each: Standing) -> Found:
        """Targets that turn out to need nothing are replaced, also when the cloud had refused a call for them."""
        if wave.size is None:
            return
        sent = {
            other.target.proxy_id for other in self._fleet.of_wave(wave.name) if other.attempts and not other.left_out
        }
        if len(sent | {each.target.proxy_id}) > _cap(wave.size, len(self._fleet.targets)):
            yield _wrong(wave, f"{len(sent)} were sent before {each.target.proxy_id}")

    def _opening(self, wave: Wave) -> Found:
        if wave.name != self.current:
            yield _wrong(wave, f"opens before {self.current} is done")
        if wave.approve and wave.name not in self._approved:
            yield _wrong(wave, "opens without approval")

    def _settled(self, wave: Wave, *, soaked: bool = False) -> Found:
        """While a wave soaks, a person may give back a target that was stuck: it is sent when the soak is over."""
        for each in self._fleet.of_wave(wave.name):
            given_back = soaked and each.phase == "waiting"
            if each.outcome is None and each.phase not in _STUCK and not given_back and not self._held_up(each):
                yield _wrong(wave, f"goes on, but {each.target.proxy_id} is {each.word}")

    def _held_up(self, each: Standing) -> bool:
        """Whether a stuck target may hold a slot that this one needs."""
        return each.phase == "waiting" and any(other.phase in _STUCK for other in self._fleet.targets.values())

    def _finished(self, wave: Wave, at: datetime) -> Found:
        """What a wave must have behind it when something comes after it."""
        sent = [each for each in self._fleet.of_wave(wave.name) if each.attempts]
        if sent and wave.name not in self._passed and not any(each.outcome in _SUCCESS for each in sent):
            yield _wrong(wave, f"is done, {len(sent)} were sent, none succeeded")
        until = self._soaks.get(wave.name)
        if until is not None:
            yield from self._soaked(wave, sent, until, at)
        elif wave.soak_s and sent and any(each.wave is None for each in self._fleet.targets.values()):
            yield _wrong(wave, "is done without its soak")

    def _soaked(self, wave: Wave, sent: list[Standing], until: datetime, at: datetime) -> Found:
        if at < until:
            yield _wrong(wave, f"is done before its soak ends at {until}")
        for each in sent:
            soaked = each.target.proxy_id in self._at_soak
            if soaked and each.settled is not None and until < each.settled.at + timedelta(seconds=wave.soak_s):
                yield _wrong(wave, f"soaks until {until}, {each.target.proxy_id} was settled at {each.settled.at}")
            if self._plan.follow.to == "verified" and each.outcome == "succeeded" and not _reread(each, until):
                yield _wrong(wave, f"is done, {each.target.proxy_id} was not read once more")


def _reread(each: Standing, until: datetime) -> bool:
    read = (each.reverified, each.settled)  # one that was stuck as the soak began may have ended since
    return any(record is not None and record.at >= until for record in read)


def _cap(size: Amount, total: int) -> int:
    return max(1, floor(size.value * total / 100 + 1e-9) if size.percent else int(size.value))


def _wrong(wave: Wave, what: str) -> Violation:
    return Violation(Rule.WAVES, f"wave {wave.name} {what}")
