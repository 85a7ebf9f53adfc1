"""What binds at the instant of an intent: caps, ramp, budgets. Counts the fleet anew each time."""

from collections import Counter
from collections.abc import Iterator

from fakes.checker_known import Fleet, Known

from orchestrator.model.amount import Amount
from orchestrator.model.plan import Plan


class Limits:
    """The limits of a plan, asked after every intent, which is counted already.

    Attributes:
        met: how often each limit was reached, so that one can see whether it was tried at all.
    """

    def __init__(self, plan: Plan, fleet: Fleet, met: Counter[str]) -> None:
        self._plan = plan
        self._fleet = fleet
        self.met = met
        self._follows = plan.follow.to != "accepted"

    def check(self, known: Known) -> None:
        """What must hold when this target has just been sent."""
        for what, count, most in self._caps(known):
            assert count <= most, f"above {what}: {count}, {most} allowed"
            self.met[f"at {what}"] += count == most
        self._budgets(known)

    def _caps(self, known: Known) -> Iterator[tuple[str, int, int]]:
        limits, everybody = self._plan.limits, self._fleet.everybody
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
            yield "ramp", len(flying), allowance

    def _ramp(self, known: Known) -> int | None:
        """1, and twice as many for every doubling of successes after the first of several waves."""
        waves = self._plan.waves
        if not self._plan.limits.ramp or (len(waves) > 1 and known.wave == waves[0].name):
            return None
        canary = waves[0].name if len(waves) > 1 else None
        successes = sum(each.standing == "succeeded" and each.wave != canary for each in self._fleet.everybody)
        allowance = 1
        while 2 * allowance <= successes + 1:
            allowance *= 2
        return allowance

    def _budgets(self, known: Known) -> None:
        failures, fleet = self._plan.failures, self._fleet
        everybody = fleet.everybody
        base = sum(not other.left_out for other in everybody)
        self._budget("fleet", everybody, base, (failures.max, failures.max_rejected), strict=True)
        wave = next(wave for wave in self._plan.waves if wave.name == known.wave)
        own = (wave.max_failures, wave.max_rejected)
        self._budget("wave", fleet.of_wave(wave.name), fleet.reach(wave), own, strict=True)
        for scope in self._plan.scopes:
            group = fleet.of_scope(scope.name)
            base = sum(not other.left_out for other in group)
            mine = scope.name == known.target.scope
            self._budget("scope", group, base, (scope.max_failures, scope.max_rejected), strict=mine)

    def _budget(
        self, whose: str, group: list[Known], base: int, most: tuple[Amount | None, Amount | None], *, strict: bool
    ) -> None:
        strict = strict and self._plan.failures.mode == "strict" and self._follows
        counted = [known for known in group if not known.forgiven]
        harm = sum(map(self._fleet.failed, counted))
        exposed = sum(known.open and not self._fleet.failed(known) for known in counted)
        refused = sum(known.standing == "rejected" for known in counted)
        unanswered = sum(known.unanswered for known in counted)
        kinds = (("failures", harm, exposed, most[0]), ("rejected", refused, unanswered, most[1]))
        for kind, spent, at_risk, amount in kinds:
            if amount is None:
                continue
            limit = amount.budget(base)
            assert spent <= limit, f"sent although the {whose} has {spent} {kind}, {limit} allowed"
            assert not strict or spent + at_risk <= limit + 1, (
                f"{spent + at_risk} at risk in the {whose}, {limit} {kind} allowed"
            )
            self.met[f"at strict {kind} of the {whose}"] += strict and spent + at_risk == limit + 1
