"""What is wrong in the plan itself, not in the fleet: a proxy that does not exist, a version that is not on offer."""

from collections.abc import Collection, Iterable, Iterator

from orchestrator.app.status.what_next.left_behind import instance_meant, place_of
from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.target import Target
from orchestrator.model.run.eligibility import NO_INSTANCE
from orchestrator.planner.preview.preview_values import LeftOut, Preview
from orchestrator.spoken import counted
from orchestrator.tracker.report.behind import NAMED, NOT_OFFERED, mistake_line, not_offered_line

_MISTAKES = (NOT_OFFERED, "gone")


def plan_mistakes(plan: Plan, preview: Preview, targets: Iterable[Target]) -> tuple[str, ...]:
    """What a preview found to be wrong in the plan, each with its place and what to do; at most `NAMED` proxies.

    Args:
        plan: the plan.
        preview: of it.
        targets: all that there are: one of their instances may be meant where there is none.
    """
    groups = [group for group in preview.left_out if group.reason in _MISTAKES]
    instances = dict.fromkeys(each.instance_id for each in targets) if groups else {}
    return tuple(line for group in groups for line in _lines(plan, group, instances))


def _lines(plan: Plan, group: LeftOut, instances: Collection[str]) -> Iterator[str]:
    if group.reason == NOT_OFFERED:
        place = place_of(plan, NOT_OFFERED, "")
        yield not_offered_line(plan.target_version, len(group.targets), group.why, place)
        return
    for target in group.targets[:NAMED]:
        place = place_of(plan, group.reason, target.proxy_id)
        meant = instance_meant(target.instance_id, instances) if group.why == NO_INSTANCE else None
        what = f"proxy {target.proxy_id} of instance {target.instance_id}"
        yield mistake_line(group.reason, what, "; ".join(filter(None, (group.why, meant))), place)
    if len(group.targets) > NAMED:
        yield f"and {counted(len(group.targets) - NAMED, 'more proxy', 'more proxies')}: {group.why}"
