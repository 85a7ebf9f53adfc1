"""What binds at the instant of an intent: caps and ramp. Counts the fleet anew each time."""

from collections import Counter
from collections.abc import Iterator

from judge.known import Fleet, Known
from judge.rule import Found, Rule, Violation

from orchestrator.model.plan import plan as plans
from orchestrator.model.plan.plan import Plan


class Limits:
    """The limits of a plan, asked after every intent, which is counted already.

    Attributes:
        limits: those of the session.
        met: how often each limit was reached, so that one can see whether it was tried at all.
    """

    def __init__(self, plan: Plan, fleet: Fleet, met: Counter[str]) -> None:
        self._plan = plan
        self._fleet = fleet
        self.limits: plans.Limits = plan.limits
        self.met = met
        self._follows = plan.follow.to != "accepted"

    def check(self, known: Known) -> Found:
        """What must hold when this target has just been sent."""
        for what, count, most in self._caps(known):
            if count > most:
                yield Violation(Rule.CAPS, f"above {what}: {count}, {most} allowed")
            self.met[f"at {what}"] += count == most

    def _caps(self, known: Known) -> Iterator[tuple[str, int, int]]:
        limits, everybody = self.limits, self._fleet.everybody
        yield "concurrency", sum(other.unanswered for other in everybody), limits.concurrency
        flying = [other for other in everybody if other.open]
        instance = known.target.instance_id
        yield "per_instance", sum(other.target.instance_id == instance for other in flying), limits.per_instance
        if not self._follows:
            return
        yield "in_flight", len(flying), limits.in_flight.cap(len(everybody))
        for name, most in limits.per_label.items():
            label = known.target.labels.get(name)
            if label is not None:
                yield "per_label", sum(other.target.labels.get(name) == label for other in flying), most
        allowance = self._ramp(known)
        if allowance is not None:
            yield "ramp", sum(not other.stuck for other in flying), allowance

    def _ramp(self, known: Known) -> int | None:
        """1, and twice as many for every doubling of successes after the first of several waves."""
        waves = self._plan.waves
        if not self.limits.ramp or (len(waves) > 1 and known.wave == waves[0].name):
            return None
        canary = waves[0].name if len(waves) > 1 else None
        successes = sum(each.standing == "succeeded" and each.wave != canary for each in self._fleet.everybody)
        allowance = 1
        while 2 * allowance <= successes + 1:
            allowance *= 2
        return allowance
