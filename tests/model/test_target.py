"""What a target is called."""

import pytest

from orchestrator.model.plan.target import Facts, Target

IDS = {"scope": "default", "instance_id": "0" * 32 + "in07", "proxy_id": "0" * 32 + "po01"}
COLUMNS = {"app": "billing", "tier": "gold", "owner": "db-team"}


@pytest.mark.parametrize(
    ("facts", "labels", "called"),
    [
        (Facts(name="orders", proxy_name="rw"), COLUMNS, "orders/rw"),
        (Facts(tags={"team": "orders"}), COLUMNS, "app=billing tier=gold"),
        (None, COLUMNS, "app=billing tier=gold"),
        (None, {}, ""),
    ],
)
def test_a_target_is_called_by_its_name_or_else_by_its_first_labels(
    facts: Facts | None, labels: dict[str, str], called: str
) -> None:
    assert Target(**IDS, facts=facts, labels=labels).called == called
