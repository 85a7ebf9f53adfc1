"""What a target is called."""

import msgspec
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


def test_targets_have_no_scope_and_no_empty_labels_of_their_own() -> None:
    """However they are made: of a million, each copy would take 64 MB."""
    made = Target(**IDS, facts=None, labels={})
    one, other = msgspec.json.Decoder(Target).decode_lines(msgspec.json.encode(IDS) + b"\n" + msgspec.json.encode(made))
    assert one.scope is other.scope is made.scope
    assert one.labels is other.labels is made.labels
