"""A run laid into a state folder as its own process would have left it."""

from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from fakes.e2e import Desk
from fakes.recorded import RUN_ID
from msgspec import structs

from orchestrator.model.plan.plan import Plan
from orchestrator.model.record import record as r
from orchestrator.tracker.open_state import open_state


def laid_down(desk: Desk, plan: Plan, records: Iterable[r.Record]) -> Any:
    """The fleet whose only run has these records; the first begins it."""
    fleet = open_state(str(desk.state), {}, desk.plan, simulated=False).fleet(plan.name, writes=True)
    first, *others = records
    assert isinstance(first, r.RunStarted)
    with fleet.lock(datetime.now(UTC)):
        fleet.claim(desk.plan)
        run = fleet.begin(plan, plan.proxies, structs.replace(first, run_id=RUN_ID))
        with closing(run.resume(2)) as journal:
            journal.append(others)
    return fleet
