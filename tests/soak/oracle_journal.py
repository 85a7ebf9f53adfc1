"""Starts that the journal itself shows to be wrong: one pass over it, every intent against all that binds it."""

from collections.abc import Callable, Iterator
from math import floor

from judge.rule import Found, Rule, Violation
from soak.calendar import Calendar
from soak.disk import Line
from soak.loop import seconds
from soak.oracle_waves import WaveLog
from soak.plans import OPENS_H, doubt_period_s
from soak.process import scope_rate
from soak.standing import Fleetwide, Standing
from soak.trial import Evidence, Process

from orchestrator.model.amount import Amount
from orchestrator.model.record import (
    AttemptDisproved,
    HoldReleased,
    HoldSet,
    Intent,
    SessionStarted,
    WaveApproved,
    WaveDone,
    WaveOpened,
    WaveSoaking,
)

#: Instants of records have microseconds.
_TINY_S = 1e-5

#: What a preflight read may be this old at the intent; at slow rates a few calls' time. And the time to write it down.
_FRESH_S, _FRESH_CALLS, _WRITING_S = 60.0, 3, 2.0


def journal_rules(evidence: Evidence) -> Found:
    """Every rule that one reading of the journal can show."""
    reader = _Reader(evidence)
    for line in evidence.disk.lines:
        yield from reader.read(line)


class _Reader:
    """Where a reader of the journal stands."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.plan = evidence.fleet.plan
        self.fleet = Fleetwide(self.plan)
        self.waves = WaveLog(self.plan, self.fleet)
        self.process: Process | None = None
        self.hold: HoldSet | None = None
        self.tokens: set[str] = set()
        self._calendar = Calendar(evidence)

    def read(self, line: Line) -> Found:
        record = line.record
        match record:
            case SessionStarted():
                self.process = self.evidence.processes[record.number - 1]
            case HoldSet():
                self.hold = record
            case HoldReleased():
                self.waves.release(self.hold)
                self.hold = None
                self.fleet.forgive()
            case WaveApproved() | WaveOpened() | WaveSoaking() | WaveDone():
                yield from self.waves.read(record)
                if isinstance(record, WaveApproved) and _approves(record, self.hold):
                    self.hold = None
            case Intent():
                yield from self._intent(record)
            case AttemptDisproved():
                yield from self._disproof(record)
            case _:
                pass
        self.fleet.take(record)

    # --- an intent ---------------------------------------------------------------------------------------------------

    def _intent(self, intent: Intent) -> Found:
        each = self.fleet.targets[intent.target or ""]
        for rule, problem in (*self._own(intent, each), *self._bound(each), *self._time(intent, each)):
            yield Violation(rule, f"{intent.target} attempt {intent.attempt} at +{seconds(intent.at):.2f} s: {problem}")
        yield from self.waves.intent(intent, each)

    def _own(self, intent: Intent, each: Standing) -> Iterator[tuple[Rule, str]]:
        if intent.token in self.tokens:
            yield Rule.INTENT, f"token {intent.token} was used before"
        self.tokens.add(intent.token)
        if intent.attempt != each.attempts + 1:
            yield Rule.INTENT, f"comes after attempt {each.attempts}"
        if each.phase != "waiting":
            yield Rule.INTENT, f"it is {each.word}"
        if each.preflight is None or each.preflight.current_version != intent.source_version:
            yield Rule.TIME, f"no preflight read {intent.source_version}"

    def _bound(self, each: Standing) -> Iterator[tuple[Rule, str]]:
        if self.hold is not None:
            yield Rule.HOLD, f"held: {self.hold}"
        for name, standings, limit, counted in self._budgets(each):
            spent = sum(map(counted, standings))
            if spent > limit:
                yield Rule.BUDGET, f"{spent} counted for {name}, {limit} allowed"
        if self.plan.follow.to != "accepted":
            yield from self._caps(each)
            if self.plan.failures.mode == "strict":
                yield from self._strict(each)

    def _budgets(self, each: Standing) -> Iterator[tuple[str, list[Standing], int, Callable[[Standing], bool]]]:
        everyone = list(self.fleet.targets.values())
        base = len(everyone) - self.fleet.left_out
        failures = self.plan.failures
        yield "fleet", everyone, _budget(failures.max, base), self._failed
        yield "fleet (rejected)", everyone, _budget(failures.max_rejected, base), _rejected
        wave = next(wave for wave in self.plan.waves if wave.name == (each.wave or ""))
        members = self.fleet.of_wave(wave.name)
        if wave.max_failures is not None:
            yield f"wave {wave.name}", members, int(wave.max_failures.value), self._failed
        if wave.max_rejected is not None:
            yield f"wave {wave.name} (rejected)", members, int(wave.max_rejected.value), _rejected
        for scope in self.plan.scopes:
            if scope.max_failures is not None:
                inside = [other for other in everyone if other.target.scope == scope.name]
                yield f"scope {scope.name}", inside, int(scope.max_failures.value), self._failed

    def _failed(self, each: Standing) -> bool:
        return not each.forgiven and self.fleet.failed(each)

    def _strict(self, each: Standing) -> Iterator[tuple[Rule, str]]:
        """Failures and targets in flight, a target once, never above the budget and one."""
        for name, standings, limit, counted in self._budgets(each):
            if counted is _rejected or each not in standings:
                continue
            risk = sum(not other.forgiven and (other.is_open or self._failed(other)) for other in standings)
            if risk + 1 > limit + 1:
                yield Rule.BUDGET, f"strict: {risk} at risk already for {name}, {limit} allowed"

    def _caps(self, each: Standing) -> Iterator[tuple[Rule, str]]:
        limits = self.process.plan.limits if self.process else self.plan.limits
        flying = [other for other in self.fleet.targets.values() if other.is_open]
        if len(flying) + 1 > _cap(limits.in_flight, len(self.fleet.targets)):
            yield Rule.CAPS, f"{len(flying)} in flight already"
        beside = [other for other in flying if other.target.instance_id == each.target.instance_id]
        if len(beside) + 1 > limits.per_instance:
            yield Rule.CAPS, f"{len(beside)} in flight on its instance already"
        for label, most in limits.per_label.items():
            alike = [other for other in flying if other.target.labels.get(label) == each.target.labels.get(label)]
            if label in each.target.labels and len(alike) + 1 > most:
                yield Rule.CAPS, f"{len(alike)} in flight with its {label} already"
        if limits.ramp and self._grown() < len(flying) + 1:
            yield Rule.CAPS, f"{len(flying)} in flight already, and only {self._grown() - 1} have succeeded"

    def _grown(self) -> int:
        """How many may be in flight while confidence grows; the canary has its own limits."""
        if len(self.plan.waves) > 1 and self.waves.current == self.plan.waves[0].name:
            return len(self.fleet.targets)
        canary = self.plan.waves[0].name if len(self.plan.waves) > 1 else None
        return 1 + sum(each.outcome == "succeeded" and each.wave != canary for each in self.fleet.targets.values())

    def _time(self, intent: Intent, each: Standing) -> Iterator[tuple[Rule, str]]:
        process, at_s = self.process, seconds(intent.at)
        if process is None:
            yield Rule.INTENT, "no session has begun"
            return
        if process.until_s is not None and at_s >= process.until_s + _TINY_S:
            yield Rule.TIME, "starts were to end before"
        stop_s = process.ordeal.stop_s
        if stop_s is not None and at_s > process.began_s + stop_s + _TINY_S:
            yield Rule.TIME, "the process was asked to stop before"
        if not any(map(self._window_open, self._calendar.readings_s(at_s))):
            yield Rule.TIME, "the window is closed"
        scope = next(scope for scope in self.plan.scopes if scope.name == each.target.scope)
        rate = scope_rate(self.plan, scope) or 1.0
        fresh_s = max(_FRESH_S, _FRESH_CALLS / rate) + _WRITING_S
        if each.preflight is not None and at_s - seconds(each.preflight.at) > fresh_s:
            yield Rule.TIME, f"its preflight was {at_s - seconds(each.preflight.at):.1f} s before"

    def _window_open(self, at_s: float) -> bool:
        """Every window opens at the same hour, and virtual time begins an hour later."""
        if not self.plan.windows or self.plan.windows == "instance":
            return True
        window = self.plan.windows[0]
        minute = (at_s / 60 + 60) % (24 * 60)  # since the window opened
        return minute < (window.closes - OPENS_H * 60) % (24 * 60)

    def _disproof(self, record: AttemptDisproved) -> Found:
        each = self.fleet.targets[record.target or ""]
        age_s = (record.at - each.intent.at).total_seconds() if each.intent else 0.0
        if age_s < doubt_period_s(self.plan) - _TINY_S:
            yield Violation(Rule.DISPROVED, f"{record.target} after {age_s:.1f} s, before the doubt period has passed")
        if each.attempts >= self.plan.retry.attempts:
            yield Violation(Rule.DISPROVED, f"{record.target} after {each.attempts} attempts: no more are allowed")


def _rejected(each: Standing) -> bool:
    return not each.forgiven and each.outcome == "rejected"


def _approves(record: WaveApproved, hold: HoldSet | None) -> bool:
    return hold is not None and hold.cause == "approval" and hold.wave == record.wave


def _cap(amount: Amount, total: int) -> int:
    return max(1, floor(amount.value * total / 100 + 1e-9) if amount.percent else int(amount.value))


def _budget(amount: Amount, total: int) -> int:
    return max(0, floor(amount.value * total / 100 + 1e-9) if amount.percent else int(amount.value))
