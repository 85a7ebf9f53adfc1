"""Failure budgets at the instant of an intent: of the fleet, of its wave, of every scope. Counts anew each time."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from judge.known import Fleet, Known
from judge.rule import Found, Rule, Violation

from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Plan


@dataclass(frozen=True)
class _Budget:
    """One budget: whose it is, of how many its percentage is taken, and whether the strict bound holds."""

    whose: str
    group: list[Known]
    base: int
    failures: Amount | None
    rejected: Amount | None
    strict: bool


class Budgets:
    """The budgets of a plan, asked after every intent, which is counted already."""

    def __init__(self, plan: Plan, fleet: Fleet, met: Counter[str]) -> None:
        self._plan = plan
        self._fleet = fleet
        self._met = met
        self._strict = plan.failures.mode == "strict" and plan.follow.to != "accepted"

    def check(self, known: Known) -> Found:
        """What must hold when this target has just been sent."""
        for budget in self._budgets(known):
            yield from self._budget(budget)

    def _budgets(self, known: Known) -> Iterator[_Budget]:
        failures, fleet = self._plan.failures, self._fleet
        everybody = fleet.everybody
        yield _Budget("fleet", everybody, _sent(everybody), failures.max, failures.max_rejected, strict=True)
        wave = next(wave for wave in self._plan.waves if wave.name == known.wave)
        mine = fleet.of_wave(wave.name)
        yield _Budget("wave", mine, fleet.reach(wave), wave.max_failures, wave.max_rejected, strict=True)
        for scope in self._plan.scopes:
            group, own = fleet.of_scope(scope.name), scope.name == known.target.scope
            yield _Budget("scope", group, _sent(group), scope.max_failures, scope.max_rejected, strict=own)

    def _budget(self, budget: _Budget) -> Found:
        counted = [known for known in budget.group if not known.forgiven]
        harm = sum(map(self._fleet.failed, counted))
        exposed = sum(known.open and not self._fleet.failed(known) for known in counted)
        refused = sum(known.standing == "rejected" for known in counted)
        unanswered = sum(known.unanswered for known in counted)
        kinds = (("failures", harm, exposed, budget.failures), ("rejected", refused, unanswered, budget.rejected))
        for kind, spent, at_risk, amount in kinds:
            if amount is not None:
                yield from self._spent(budget, kind, amount.budget(budget.base), spent, at_risk)

    def _spent(self, budget: _Budget, kind: str, limit: int, spent: int, at_risk: int) -> Found:
        whose, strict = budget.whose, budget.strict and self._strict
        if spent > limit:
            yield Violation(Rule.BUDGET, f"sent although the {whose} has {spent} {kind}, {limit} allowed")
        if strict and spent + at_risk > limit + 1:
            yield Violation(Rule.BUDGET, f"{spent + at_risk} at risk in the {whose}, {limit} {kind} allowed")
        self._met[f"at strict {kind} of the {whose}"] += strict and spent + at_risk == limit + 1


def _sent(group: list[Known]) -> int:
    return sum(not known.left_out for known in group)
