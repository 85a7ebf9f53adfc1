"""What is wrong in the plan itself, not in the fleet: a proxy that does not exist, a version that is not on offer."""

from collections.abc import Iterator

from orchestrator.app.status.left_behind import place_of
from orchestrator.model.plan import Plan
from orchestrator.planner.preview.preview import LeftOut, Preview
from orchestrator.spoken import counted
from orchestrator.tracker.report.behind import NAMED, advice

_MISTAKES = ("not_offered", "gone")


def plan_mistakes(plan: Plan, preview: Preview) -> tuple[str, ...]:
    """What a preview found to be wrong in the plan, each with its place and what to do; at most `NAMED` proxies."""
    groups = (group for group in preview.left_out if group.reason in _MISTAKES)
    return tuple(line for group in groups for line in _lines(plan, group))


def _lines(plan: Plan, group: LeftOut) -> Iterator[str]:
    if group.reason == "not_offered":
        yield _line(
            plan,
            group,
            f"target_version {plan.target_version} of {counted(len(group.targets), 'proxy', 'proxies')}",
            "",
        )
        return
    for target in group.targets[:NAMED]:
        yield _line(plan, group, f"proxy {target.proxy_id}", target.proxy_id)
    if len(group.targets) > NAMED:
        yield f"and {counted(len(group.targets) - NAMED, 'more proxy', 'more proxies')}: {group.why}"


def _line(plan: Plan, group: LeftOut, what: str, proxy_id: str) -> str:
    place = place_of(plan, group.reason, proxy_id)
    return f"{f'{place}: ' if place else ''}{what}: {group.why} -> {advice(group.reason)}"
