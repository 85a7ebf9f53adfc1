"""Waves in their order: approved, sent within their size, settled, soaked, read once more, and only then the next."""

from collections import Counter
from datetime import datetime, timedelta

from fakes.checker_known import Fleet, Known, selected

from orchestrator.model import record as r
from orchestrator.model.plan import Plan, Wave

_SUCCESS = ("succeeded", "accepted", "partial")
_STUCK = ("in_doubt", "timed_out")


class Waves:
    """What the journal has said of the waves."""

    def __init__(self, plan: Plan, fleet: Fleet, met: Counter[str]) -> None:
        self._plan = plan
        self._fleet = fleet
        self._met = met
        self._waves = {wave.name: wave for wave in plan.waves}
        self._approved: set[str] = set()
        self._passed: set[str] = set()
        self._opened: set[str] = set()
        self._soaks: dict[str, datetime] = {}
        self._done: set[str] = set()

    def release(self, hold: r.HoldSet | None) -> None:
        """What a release of this hold lets pass."""
        if hold is not None and hold.wave is not None:
            (self._passed if hold.cause == "wave_failed" else self._approved).add(hold.wave)

    def approve(self, record: r.WaveApproved) -> None:
        self._approved.add(record.wave)

    def open(self, record: r.WaveOpened) -> None:
        wave = self._waves[record.wave]
        self._only_after_others(wave)
        assert not wave.approve or wave.name in self._approved, "the wave was not approved"
        self._opened.add(wave.name)
        self._met["waves opened"] += 1
        self._met["waves approved"] += wave.approve

    def soak(self, record: r.WaveSoaking) -> None:
        wave = self._waves[record.wave]
        self._settled(wave)
        ends = [known.settled_at for known in self._sent(wave) if known.settled_at]
        assert record.until >= max(ends, default=record.at) + timedelta(seconds=wave.soak_s), "the soak is too short"
        self._soaks[wave.name] = record.until
        self._met["waves soaked"] += 1

    def done(self, record: r.WaveDone) -> None:
        wave = self._waves[record.wave]
        self._settled(wave, soaked=wave.name in self._soaks)
        sent = self._sent(wave)
        good = any(known.standing in _SUCCESS for known in sent)
        assert good or not sent or wave.name in self._passed, "nothing succeeded in the wave"
        self._met["waves passed that failed"] += bool(sent) and not good
        until = self._soaks.get(wave.name)
        if until is not None:
            self._soaked(sent, until, record.at)
        else:
            assert not (wave.soak_s and sent and self._follows_something()), "the wave has not soaked"
        self._done.add(wave.name)

    def intent(self, record: r.Intent, known: Known) -> None:
        """An intent, counted already."""
        wave = self._waves[record.wave]
        assert wave.name in self._opened, "sent before its wave was opened"
        assert selected(wave, known.target), "its wave does not select it"
        if wave.name not in self._done:  # else it was stuck there, or held up by one that was
            self._only_after_others(wave)
        else:
            self._met["sent after their wave was done"] += 1
        if wave.size is not None:
            size = wave.size.cap(len(self._fleet.targets))
            count = sum(not other.left_out for other in self._sent(wave))
            assert count <= size, f"above the size of wave {wave.name}: {count}, {size} allowed"
            self._met["at the size of a wave"] += count == size

    def _only_after_others(self, wave: Wave) -> None:
        before = self._plan.waves[: self._plan.waves.index(wave)]
        for other in before:
            assert other.name in self._done, f"wave {other.name} is not done"

    def _settled(self, wave: Wave, *, soaked: bool = False) -> None:
        """While a wave soaks, a person may give back a target that was stuck: it is sent when the soak is over."""
        for known in self._fleet.of_wave(wave.name):
            over = known.settled_at is not None and not known.open
            stuck = known.standing in _STUCK
            given_back = soaked and known.standing == "waiting"
            assert over or stuck or given_back or self._held_up(known), (
                f"the wave is not settled: {known.target.proxy_id} is {known.standing}"
            )
            self._met["waves settled with stuck targets"] += stuck

    def _held_up(self, known: Known) -> bool:
        """Whether a stuck target may hold a slot that this one needs."""
        return known.standing == "waiting" and any(other.standing in _STUCK for other in self._fleet.everybody)

    def _sent(self, wave: Wave) -> list[Known]:
        return [known for known in self._fleet.of_wave(wave.name) if known.intents]

    def _soaked(self, sent: list[Known], until: datetime, at: datetime) -> None:
        assert at >= until, "the wave has not soaked"
        if self._plan.follow.to == "verified":
            for known in sent:
                read_at = (known.reread_at, known.settled_at)
                fresh = any(each is not None and each >= until for each in read_at)
                assert known.standing != "succeeded" or fresh, "not read once more after the soak"

    def _follows_something(self) -> bool:
        undrawn = any(known.wave is None for known in self._fleet.everybody)
        return undrawn and self._plan.follow.to != "accepted"
