"""What a person may change of the limits while a run goes on, and what the limits are then."""

from collections.abc import Iterator

from msgspec import Struct, structs

from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Limits, Plan

#: Written with a unit.
_PER_SECOND = "rate"


class LimitChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Limits that hold in place of the plan's; None where the plan's hold. `rate`: calls per second, of every scope."""

    concurrency: int | None = None
    rate: float | None = None
    in_flight: Amount | None = None
    per_window: int | None = None

    def and_then(self, later: "LimitChange") -> "LimitChange":
        """Both: what the later one names goes before."""
        return structs.replace(self, **later.named)

    @property
    def named(self) -> dict[str, int | float | Amount]:
        """What it changes, by key of `limits`."""
        values = ((key, getattr(self, key)) for key in self.__struct_fields__)
        return {key: value for key, value in values if value is not None}

    def __str__(self) -> str:
        return " ".join(f"{key}={_text(key, value)}" for key, value in self.named.items())


def limited(plan: Plan, change: LimitChange) -> Plan:
    """The plan with these limits.

    Of scopes with a rate of their own the lower one holds, and of `concurrency` too: a process has connections for as
    many calls as its plan says.
    """
    if not change.named:
        return plan
    named = {**change.named}
    if change.concurrency is not None:
        named["concurrency"] = min(change.concurrency, plan.limits.concurrency)
    scopes = plan.scopes
    if change.rate is not None:
        scopes = tuple(structs.replace(each, rate=_lower(each.rate, change.rate)) for each in scopes)
    return structs.replace(plan, scopes=scopes, limits=structs.replace(plan.limits, **named))


def widened(limits: Limits, change: LimitChange, targets: int) -> Iterator[str]:
    """The keys with which more would be let through than before."""
    for key, value in change.named.items():
        before = getattr(limits, key)
        if isinstance(before, Amount) and isinstance(value, Amount):
            wider = value.cap(targets) > before.cap(targets)
        else:
            wider = before is not None and (before == "auto" or value > before)
        if wider:
            yield key


def _lower(own: object, asked: float) -> float | None:
    return min(own, asked) if isinstance(own, float | int) else None


def _text(key: str, value: float | Amount) -> str:
    text = f"{value}" if isinstance(value, Amount) else f"{value:g}"
    return f"{text}/s" if key == _PER_SECOND else text
