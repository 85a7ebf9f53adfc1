"""Which scopes share a rate, and what a preview assumes of one that is yet to be found."""

from collections.abc import Mapping, Sequence

from msgspec import structs

from orchestrator.app.scopes.rate_memory import RateMemory
from orchestrator.cloud.rate_key import RateKey, rate_key
from orchestrator.model.plan.plan import Plan, Scope
from orchestrator.planner.preview.estimate import AUTO_RATE, AssumedRate


def rate_groups(plan: Plan, environ: Mapping[str, str]) -> list[list[Scope]]:
    """The scopes that share a rate."""
    groups: dict[RateKey, list[Scope]] = {}
    for scope in plan.scopes:
        groups.setdefault(rate_key(scope, environ), []).append(scope)
    return list(groups.values())


def written_rate(plan: Plan, group: Sequence[Scope]) -> float | None:
    """The lowest rate that the plan writes for scopes that share one; None when it is to be found out for all."""
    rates = (plan.limits.rate if scope.rate is None else scope.rate for scope in group)
    return min((rate for rate in rates if rate != "auto"), default=None)


def first_rates(plan: Plan, memory: RateMemory) -> dict[str, float]:
    """Calls per second with which a process begins in each scope, as far as this host knows."""
    from orchestrator.executor.rate.auto_rate import auto_pacer  # noqa: PLC0415  # no preview searches for a rate

    rates: dict[str, float] = {}
    for group in rate_groups(plan, memory.environ):
        written, known = written_rate(plan, group), memory.known(group[0])
        rate = auto_pacer(None if known is None else known.rate).nominal if written is None else written
        rates.update(dict.fromkeys((scope.name for scope in group), rate))
    return rates


def assume_rates(plan: Plan, memory: RateMemory) -> tuple[Plan, tuple[AssumedRate, ...]]:
    """The plan with an assumed number for every `auto`, and what the numbers rest on."""
    if not plan.finds_rates:
        return plan, ()
    assumed: list[AssumedRate] = []
    numbers: dict[str, float] = {}
    for group in rate_groups(plan, memory.environ):
        names, known, written = tuple(scope.name for scope in group), memory.known(group[0]), written_rate(plan, group)
        if written is not None:
            numbers.update(dict.fromkeys(names, written))
            continue
        rate = AUTO_RATE if known is None else known.rate
        assumed.append(AssumedRate(scopes=names, rate=rate, found_at=None if known is None else known.at))
        numbers.update(dict.fromkeys(names, rate))
    scopes = (structs.replace(scope, rate=numbers.get(scope.name, scope.rate)) for scope in plan.scopes)
    return structs.replace(plan, scopes=tuple(scopes)), tuple(assumed)
