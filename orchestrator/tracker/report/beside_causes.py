"""What ended badly too, and is not among the causes of a hold: it came later, or it counts in no budget. Pure."""

from collections.abc import Iterator

from orchestrator.model.run.tally import Count
from orchestrator.spoken import counted
from orchestrator.tracker.report.schema import HoldReport


def beside_causes(hold: HoldReport, count: Count) -> Iterator[str]:
    """The lines about it.

    Args:
        hold: why the fleet is held.
        count: of the fleet.
    """
    later = count.failed + count.rejected - len(hold.proxy_ids)
    if hold.cause in ("failures", "rejected") and later > 0:
        yield f"beside these, {later:,} more {'counts' if later == 1 else 'count'} in the budgets by now"
    if count.repeated:
        yield f"{counted(count.repeated, 'proxy', 'proxies')} ended as before when sent once more: in no budget"
