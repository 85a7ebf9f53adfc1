"""Executors that break one rule each. The judge must find every one of them out, or it proves nothing.

Most play another plan than the one they are held to: who starts outside a window plays a plan without windows. The
others have one decision of the real executor replaced.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import fakes.stage
from msgspec.structs import replace

from orchestrator.executor.decide import next_action as decide
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.ledger import Ledger
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Freeze, Limits, Plan, Wave, Window
from orchestrator.model.record.record import HoldSet, Record

Change = Callable[[Plan], Plan]


@dataclass(frozen=True)
class Broken:
    """One broken executor.

    Attributes:
        what: the rule that it breaks.
        says: what the judge must say of it.
        plays: the plan that it plays in place of the one it is held to.
        held_to: what is changed in a random plan first, so that there is something to break.
        module, name, instead: the function of the executor that is replaced, if one is.
        shows: the number of a random plan in which it shows, which is tried first.
    """

    what: str
    says: str
    plays: Change = lambda plan: plan
    held_to: Change = lambda plan: plan
    module: Any = None
    name: str = ""
    instead: Any = None
    shows: int = 0

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """While it is the executor."""
        if self.module is None:
            yield
            return
        kept = getattr(self.module, self.name)
        setattr(self.module, self.name, self.instead)
        try:
            yield
        finally:
            setattr(self.module, self.name, kept)


def _more(amount: Amount, by: int) -> Amount:
    return replace(amount, value=amount.value + by)


def _limits(**more: int) -> Change:
    """The same limits, some of them higher."""

    def change(plan: Plan) -> Plan:
        raised: dict[str, Any] = {name: getattr(plan.limits, name) + by for name, by in more.items()}
        return replace(plan, limits=replace(plan.limits, **raised))

    return change


def _in_flight(plan: Plan) -> Plan:
    return replace(plan, limits=replace(plan.limits, in_flight=_more(plan.limits.in_flight, 1)))


def _labels(plan: Plan) -> Plan:
    labels = {name: most + 1 for name, most in plan.limits.per_label.items()}
    return replace(plan, limits=replace(plan.limits, per_label=labels))


def _no_ramp(plan: Plan) -> Plan:
    return replace(plan, limits=replace(plan.limits, ramp=False))


def _tight(**limits: Any) -> Change:
    """Held to nothing but these limits."""
    wide: dict[str, Any] = {"in_flight": Amount(20), "concurrency": 20, "per_instance": 3, "rate": 10.0, "ramp": False}
    values = Limits(**{**wide, **limits})
    return lambda plan: replace(_followed(plan), limits=values, failures=_lenient(), windows=(), freezes=())


def _followed(plan: Plan) -> Plan:
    return replace(plan, follow=replace(plan.follow, to="verified"))


def _lenient() -> Failures:
    return Failures(max=Amount(100, percent=True), max_rejected=Amount(100, percent=True), mode="soft")


def _strict(**budgets: Amount) -> Change:
    """Held to strict budgets and nothing else."""
    failures = replace(_lenient(), mode="strict", **budgets)
    return lambda plan: replace(_tight()(plan), failures=failures, waves=(Wave(name="all"),), scopes=_free(plan))


def _free(plan: Plan) -> Any:
    return tuple(replace(scope, max_failures=None, max_rejected=None) for scope in plan.scopes)


def _one_more_failure(plan: Plan) -> Plan:
    return replace(plan, failures=replace(plan.failures, max=_more(plan.failures.max, 1)))


def _one_more_rejected(plan: Plan) -> Plan:
    return replace(plan, failures=replace(plan.failures, max_rejected=_more(plan.failures.max_rejected, 1)))


def _soft(plan: Plan) -> Plan:
    return replace(plan, failures=replace(plan.failures, mode="soft"))


def _scopes(**changes: Any) -> Change:
    return lambda plan: replace(plan, scopes=tuple(replace(scope, **changes) for scope in plan.scopes))


def _waves(*waves: Wave) -> Change:
    return lambda plan: replace(_tight()(plan), waves=waves)


def _each_wave(**changes: Any) -> Change:
    return lambda plan: replace(plan, waves=tuple(replace(wave, **changes) for wave in plan.waves))


def _always(plan: Plan) -> Plan:
    return replace(plan, windows=())


def _unfrozen(plan: Plan) -> Plan:
    return replace(plan, freezes=())


def _unfit(plan: Plan) -> Plan:
    return replace(plan, fit=False)


def _calendar(**times: Any) -> Change:
    """Held to windows or freezes, and nothing else."""
    return lambda plan: replace(_tight(in_flight=Amount(2))(plan), fit=True, **times)


def _both(first: Change, second: Change) -> Change:
    return lambda plan: second(first(plan))


def _one_success(rollout: Rollout, wave: Wave) -> bool:
    """Whether a wave has nothing left to send, and one success: that will do."""
    count = rollout.run.tally.waves.get(wave.name)
    return count is not None and count.standing["succeeded"] > 0 and rollout.queue.exhausted(wave.name)


class DeafLedger(Ledger):
    """A person's hold is written down, and that is all."""

    def _apply(self, record: Record) -> None:
        if not (isinstance(record, HoldSet) and record.cause == "person"):
            super()._apply(record)


CANARY, EARLY, REST = Wave(name="canary", size=Amount(1)), Wave(name="early", size=Amount(3)), Wave(name="rest")
ONE = Amount(1)

BEFORE_DAWN = Window(opens=3 * 60, closes=6 * 60, timezone="UTC")
SHORT = Window(opens=22 * 60, closes=22 * 60 + 40, timezone="UTC")
DAYS_OF_STARTS = tuple(
    Freeze(start=f"2026-{first}", end=f"2026-{last}", timezone="UTC")
    for first, last in (("03-01", "03-03"), ("03-28", "03-29"), ("10-24", "10-25"), ("10-31", "11-01"))
)

BROKEN = (
    Broken("starts outside windows", "outside windows", _always, _calendar(windows=(BEFORE_DAWN,)), shows=1),
    Broken("starts in a freeze", "in a freeze", _unfrozen, _calendar(freezes=DAYS_OF_STARTS), shows=1),
    Broken("starts what does not fit", "expected to last until", _unfit, _calendar(windows=(SHORT,)), shows=3),
    Broken("one more in flight", "above in_flight", _in_flight, _tight(in_flight=Amount(2))),
    Broken("one more on an instance", "above per_instance", _limits(per_instance=1), _tight(per_instance=1)),
    Broken("one more of a label", "above per_label", _labels, _tight(per_label={"app": 1}), shows=1),
    Broken("one more call at once", "above concurrency", _limits(concurrency=1), _tight(concurrency=1), shows=1),
    Broken("no ramp", "above ramp", _no_ramp, _tight(ramp=True)),
    Broken("one failure more than one", "3 at risk in the fleet", _one_more_failure, _strict(max=ONE)),
    Broken("as many failures as happen", "at risk in the fleet", _soft, _strict(max=ONE)),
    Broken(
        "one rejection more than one",
        "3 at risk in the fleet, 1 rejected",
        _one_more_rejected,
        _strict(max_rejected=ONE),
        shows=4,
    ),
    Broken(
        "budgets of waves are for others",
        "at risk in the wave",
        _each_wave(max_failures=None),
        _both(_strict(), _each_wave(max_failures=ONE)),
    ),
    Broken(
        "budgets of scopes are for others",
        "at risk in the scope",
        _scopes(max_failures=None),
        _both(_strict(), _scopes(max_failures=ONE)),
    ),
    Broken(
        "one more in a wave",
        "above the size",
        _waves(replace(EARLY, size=Amount(4)), REST),
        _waves(EARLY, REST),
        shows=1,
    ),
    Broken("no soak", "has not soaked", _each_wave(soak_s=0.0), _waves(replace(EARLY, soak_s=600.0), REST)),
    Broken("half a soak", "too short", _each_wave(soak_s=300.0), _waves(replace(EARLY, soak_s=600.0), REST), shows=1),
    Broken("no approval", "not approved", _each_wave(approve=False), _waves(EARLY, replace(REST, approve=True))),
    Broken("another order of waves", "is not done", _waves(REST, EARLY), _waves(EARLY, REST)),
    Broken(
        "the next wave before this one is settled",
        "is not settled",
        held_to=_waves(EARLY, REST),
        module=decide,
        name="_wave_settled",
        instead=_one_success,
        shows=3,
    ),
    Broken(
        "goes on after a wave that failed",
        "nothing succeeded",
        held_to=_waves(CANARY, REST),
        module=decide,
        name="_wave_failed",
        instead=lambda _rollout, _wave: None,
        shows=9,
    ),
    Broken(
        "looks at no subnet", "was refused for addresses", lambda plan: replace(plan, capacity=None), _tight(), shows=1
    ),
    Broken(
        "looks at no event",
        "by an event of the cloud",
        lambda plan: replace(plan, cloud_events="off"),
        _tight(),
        shows=3,
    ),
    Broken("does not hear of holds", "under a hold", module=fakes.stage, name="Ledger", instead=DeafLedger, shows=2),
)
