"""Waves in their order: approved, sent within their size, settled, soaked, read once more, and only then the next."""

from collections import Counter
from datetime import datetime, timedelta

from judge.known import Fleet, Known, selected
from judge.rule import Found, Rule, Violation

from orchestrator.model.plan.plan import Plan, Wave
from orchestrator.model.record import record as r

#: Instants of records have microseconds.
_TINY = timedelta(microseconds=10)

_SUCCESS = ("succeeded", "accepted", "partial")


class Waves:
    """What the journal has said of the waves."""

    def __init__(self, plan: Plan, fleet: Fleet, met: Counter[str]) -> None:
        self._plan = plan
        self._fleet = fleet
        self._met = met
        self._waves = {wave.name: wave for wave in plan.waves}
        self._approved: set[str] = set()
        self._passed: set[str] = set()
        self._accepted: dict[str, int] = {}
        self._opened: set[str] = set()
        self._soaks: dict[str, datetime] = {}
        self._done: set[str] = set()

    def release(self, hold: r.HoldSet | None) -> None:
        """What a release of this hold lets pass: also every wave in which nothing was sent since."""
        self._accepted = {name: len(self._sent(wave)) for name, wave in self._waves.items()}
        if hold is not None and hold.wave is not None:
            (self._passed if hold.cause == "wave_failed" else self._approved).add(hold.wave)

    def approve(self, record: r.WaveApproved) -> None:
        self._approved.add(record.wave)

    def open(self, record: r.WaveOpened) -> Found:
        wave = self._waves[record.wave]
        yield from self._only_after_others(wave)
        if wave.approve and wave.name not in self._approved:
            yield _wrong(wave, "the wave was not approved")
        self._opened.add(wave.name)
        self._met["waves opened"] += 1
        self._met["waves approved"] += wave.approve

    def soak(self, record: r.WaveSoaking) -> Found:
        wave = self._waves[record.wave]
        yield from self._settled(wave)
        ends = [known.settled_at for known in self._sent(wave) if known.settled_at]
        since = max(ends, default=record.at)
        if record.until < since + timedelta(seconds=wave.soak_s) - _TINY:
            yield _wrong(wave, f"the soak is too short: from {since} until {record.until}")
        self._soaks[wave.name] = record.until
        self._met["waves soaked"] += 1

    def done(self, record: r.WaveDone) -> Found:
        wave = self._waves[record.wave]
        yield from self._settled(wave, soaked=wave.name in self._soaks)
        sent = self._sent(wave)
        good = any(known.standing in _SUCCESS for known in sent)
        if len(sent) > self._accepted.get(wave.name, 0) and not good and wave.name not in self._passed:
            yield _wrong(wave, "nothing succeeded in the wave")
        self._met["waves passed that failed"] += bool(sent) and not good
        until = self._soaks.get(wave.name)
        if until is not None:
            yield from self._soaked(wave, sent, until, record.at)
        elif wave.soak_s and sent and self._follows_something():
            yield _wrong(wave, "the wave has not soaked")
        self._done.add(wave.name)

    def intent(self, record: r.Intent, known: Known) -> Found:
        """An intent, counted already."""
        wave = self._waves[record.wave]
        if wave.name not in self._opened:
            yield _wrong(wave, "sent before its wave was opened")
        if not selected(wave, known.target):
            yield _wrong(wave, "its wave does not select it")
        if wave.name not in self._done:  # else it was stuck there, or held up by one that was
            yield from self._only_after_others(wave)
        else:
            self._met["sent after their wave was done"] += 1
        if wave.size is not None:
            yield from self._size(wave, wave.size.cap(len(self._fleet.targets)))

    def _size(self, wave: Wave, size: int) -> Found:
        """Targets that turn out to need nothing are replaced, also when the cloud had refused a call for them."""
        count = sum(not other.left_out for other in self._sent(wave))
        if count > size:
            yield _wrong(wave, f"above the size: {count}, {size} allowed")
        self._met["at the size of a wave"] += count == size

    def _only_after_others(self, wave: Wave) -> Found:
        for other in self._plan.waves[: self._plan.waves.index(wave)]:
            if other.name not in self._done:
                yield _wrong(wave, f"wave {other.name} is not done")

    def _settled(self, wave: Wave, *, soaked: bool = False) -> Found:
        """While a wave soaks, a person may give back a target that was stuck: it is sent when the soak is over."""
        for known in self._fleet.of_wave(wave.name):
            over = known.settled_at is not None and not known.open
            given_back = soaked and known.standing == "waiting"
            if not (over or known.stuck or given_back or self._held_up(known)):
                yield _wrong(wave, f"the wave is not settled: {known.target.proxy_id} is {known.standing}")
            self._met["waves settled with stuck targets"] += known.stuck

    def _held_up(self, known: Known) -> bool:
        """Whether a stuck target may hold a slot that this one needs."""
        return known.standing == "waiting" and any(other.stuck for other in self._fleet.everybody)

    def _sent(self, wave: Wave) -> list[Known]:
        return [known for known in self._fleet.of_wave(wave.name) if known.intents]

    def _soaked(self, wave: Wave, sent: list[Known], until: datetime, at: datetime) -> Found:
        if at < until - _TINY:
            yield _wrong(wave, f"the wave has not soaked until {until}")
        for known in sent if self._plan.follow.to == "verified" else ():
            read_at = (known.reread_at, known.settled_at)  # one that was stuck as the soak began may have ended since
            fresh = any(each is not None and each >= until - _TINY for each in read_at)
            if known.standing == "succeeded" and not fresh:
                yield _wrong(wave, f"{known.target.proxy_id} was not read once more after the soak")

    def _follows_something(self) -> bool:
        undrawn = any(known.wave is None for known in self._fleet.everybody)
        return undrawn and self._plan.follow.to != "accepted"


def _wrong(wave: Wave, what: str) -> Violation:
    return Violation(Rule.WAVES, f"wave {wave.name}: {what}")
