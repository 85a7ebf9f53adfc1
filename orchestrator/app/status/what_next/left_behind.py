"""Targets that do not run the target version at the end of a run, and where the plan is wrong about one."""

from collections.abc import Iterable
from itertools import islice

from orchestrator.model.plan.plan import Plan
from orchestrator.model.run.eligibility import NO_INSTANCE
from orchestrator.model.run.run import Run
from orchestrator.planner.reading.locate import mentioned_at
from orchestrator.spoken import nearest
from orchestrator.tracker.report.behind import NAMED, NOT_OFFERED, Behind
from orchestrator.tracker.report.how_ended import behind, count_found

#: An unknown instance is held against so many, which takes less than a second.
_COMPARED = 5_000


def left_behind(run: Run, plan: Plan) -> Behind:
    """What does not run the target version; what is wrong with the plan itself is named with its place there."""
    first = tuple(islice(behind(run, plan, without=NOT_OFFERED), NAMED))
    places = {target.proxy_id: place_of(plan, target.reason, target.proxy_id) for target in first}
    lost = [target for target in first if target.evidence and target.evidence[-1] == NO_INSTANCE]
    known = dict.fromkeys(target.instance_id for target in run.targets.values()) if lost else {}
    return Behind(
        first=first,
        not_offered=(not_offered := count_found(run, NOT_OFFERED)),
        version_place=place_of(plan, NOT_OFFERED, "") if not_offered else None,
        places={proxy_id: place for proxy_id, place in places.items() if place is not None},
        meant={target.proxy_id: words for target in lost if (words := instance_meant(target.instance_id, known))},
    )


def instance_meant(instance_id: str, known: Iterable[str]) -> str | None:
    """The instance of other proxies that was probably meant by one that does not exist, as a question."""
    others = (each for each in islice(known, _COMPARED) if each != instance_id)
    meant = nearest(instance_id, list(others))
    return f"did you mean instance {meant}, of other proxies here?" if meant else None


def place_of(plan: Plan, reason: str | None, proxy_id: str) -> str | None:
    """Where the plan says what is wrong with a proxy, such as `plan.yaml:12:5`; None when it is not in the plan."""
    if reason == NOT_OFFERED:
        return mentioned_at([plan.path], "target_version")
    return mentioned_at([plan.path, *plan.inventory], proxy_id) if reason == "gone" else None
