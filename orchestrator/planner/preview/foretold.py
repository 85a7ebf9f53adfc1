"""What the cloud itself foretells of the upgrades in a preview: its `risk`, per target and summed up. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import structs

from orchestrator.model.learned.median import median
from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.target import Target
from orchestrator.model.reply.reply import ProxyVersion
from orchestrator.model.reply.risk import Risk
from orchestrator.model.run.eligibility import Reading
from orchestrator.planner.preview.preview_values import ImpactForecast, StepGroup


def risks_of(targets: Iterable[Target], readings: Mapping[str, Reading]) -> dict[str, Risk]:
    """What is foretold of these targets, by proxy_id."""
    read = ((target.proxy_id, readings.get(target.proxy_id)) for target in targets) if readings else ()
    return {key: each.risk for key, each in read if isinstance(each, ProxyVersion) and each.risk is not None}


def foretold(groups: Sequence[StepGroup]) -> ImpactForecast | None:
    """The sum over a wave; None when the cloud foretells no duration of it."""
    risks = [risk for group in groups for risk in group.risks.values()]
    impacts = [risk.service_impact_s for risk in risks if risk.service_impact_s is not None]
    longest = max((risk.upgrade_s for risk in risks if risk.upgrade_s is not None), default=None)
    if not impacts and longest is None:
        return None
    return ImpactForecast(proxies=len(impacts), service_impact_s=sum(impacts), upgrade_s=longest)


def expecting(plan: Plan, readings: Mapping[str, Reading]) -> Plan:
    """The plan with the length of an upgrade as the cloud foretells it, unless a person wrote it."""
    if plan.says_expected:
        return plan
    risks = (each.risk for each in readings.values() if isinstance(each, ProxyVersion) and each.risk is not None)
    lengths = [risk.upgrade_s for risk in risks if risk.upgrade_s is not None]
    if not lengths:
        return plan
    expected_s = min(median(lengths), plan.follow.timeout_s)
    return structs.replace(plan, follow=structs.replace(plan.follow, expected_s=expected_s))
