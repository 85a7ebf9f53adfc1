"""One proxy of a fleet that has had no run yet: what its first start waits for."""

from collections.abc import Iterator
from datetime import datetime

from orchestrator.app.status.ahead import look_ahead
from orchestrator.app.status.fleet_status import asked_lines
from orchestrator.app.status.one_proxy.named_target import meant, the_one
from orchestrator.app.status.one_proxy.target_line import target_lines
from orchestrator.app.status.outlook import Outlook
from orchestrator.app.status.what_next.last_line import fleet_line
from orchestrator.model.plan.plan import Plan
from orchestrator.tracker.state_store import Fleet


def proxy_before_first_run(fleet: Fleet, plan: Plan, word: str, now: datetime, named: str) -> Iterator[str]:
    """What is known of it; where discovery has yet to find it, what the fleet waits for.

    Args:
        fleet: which exists, and has no run.
        plan: as its file has it.
        word: an id, the beginning of one, or a name, as a person gives it.
        now: by this host's clock.
        named: the plan as commands name it.

    Raises:
        UsageError: the plan has no such proxy, or several.
    """
    worker, seen = look_ahead(fleet, plan, now)
    proxy_id = known_proxy(seen, plan, word)
    yield f"{proxy_id or word}: no run of fleet {plan.name} has begun yet, so nothing was sent for it in one"
    if worker:
        yield f"  {worker}"
    yield from asked_lines(seen)
    if proxy_id is None:
        yield "it is not written out in the plan; a start looks for others in the cloud"
        yield fleet_line(seen, named)
    else:
        yield from target_lines(seen, proxy_id, named)


def known_proxy(seen: Outlook, plan: Plan, word: str) -> str | None:
    """The proxy that a word means; None when it is none of those written out, and discovery may find it.

    Raises:
        UsageError: the plan has no such proxy, or several.
    """
    targets = list(seen.run.targets.values())
    means = list(meant(word, targets))
    if len(means) == 1 or not plan.discover:
        return the_one(means, word, targets, plan.path)
    return None
