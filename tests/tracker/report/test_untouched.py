"""What is said of a target without a record is what would be said of one of which nothing has happened."""

from datetime import UTC, datetime

import pytest
from fakes.recorded import make_targets
from msgspec import structs

from orchestrator.model.plan.target import Facts, Target
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import EarlierOutcome
from orchestrator.model.run.state import TargetState
from orchestrator.tracker.report.target import target_report

PLAIN, OTHER = make_targets(2)
FULL = structs.replace(
    OTHER, scope="far", source_version="1", labels={"app": "billing"}, facts=Facts(name="orders", nodes=2)
)
EARLIER = EarlierOutcome(
    at=datetime(2026, 3, 1, tzinfo=UTC), target=FULL.proxy_id, run_id="R1", outcome=Outcome.FAILED, reason="no ip"
)


@pytest.mark.parametrize("earlier", [None, EARLIER])
@pytest.mark.parametrize("project_id", [None, "p"])
@pytest.mark.parametrize("target", [PLAIN, FULL])
def test_it_is_told_as_one_of_which_nothing_is_known(
    target: Target, project_id: str | None, earlier: EarlierOutcome | None
) -> None:
    told = target_report(target, None, "2", project_id, earlier)
    assert told == target_report(target, TargetState(target), "2", project_id, earlier)
    assert told.outcome == "waiting"
