"""What one reading of a version means, by the table of the preflight."""

import pytest

from orchestrator.model.record.outcome import Outcome
from orchestrator.model.reply.reply import ProxyVersion
from orchestrator.model.run.eligibility import Eligible, LeaveOut, allowed_sources, verdict

TARGET = "2.24.03.000"


@pytest.mark.parametrize(
    ("current", "latest", "can_upgrade", "sources", "reason"),
    [
        ("2.23.12.000", TARGET, True, (), None),
        ("2.23.12.000", None, None, (), None),
        ("2.23.12.000", "2.26.06.000", True, ("2.23.9.0", "2.23.12.0"), None),
        (TARGET, TARGET, False, (), "current"),
        ("2.24.3.0", TARGET, True, ("2.23.12.000",), "current"),
        ("2.25.03.000", "2.25.03.000", False, (), "current"),
        ("2.23.09.000", TARGET, True, ("2.23.12.000",), "drifted"),
        ("2.23.12.000", "2.23.12.000", True, (), "not_offered"),
        ("", TARGET, True, (), "drifted"),
        ("2.23-rc", TARGET, True, ("2.23-rc",), "drifted"),
        ("2.23.12.000", TARGET, False, (), "not_upgradable"),
        ("2.23.09.000", "2.23.12.000", False, ("2.23.12.000",), "drifted"),
        ("2.23.12.000", "2.23.12.000", False, (), "not_offered"),
    ],
)
def test_the_first_rule_that_applies_decides(
    current: str,
    latest: str | None,
    can_upgrade: bool | None,  # a column of the table
    sources: tuple[str, ...],
    reason: str | None,
) -> None:
    version = ProxyVersion(current_version=current, latest_version=latest, can_upgrade=can_upgrade)
    found = verdict(TARGET, sources, version)
    if reason is None:
        assert found == Eligible(current)
    else:
        assert isinstance(found, LeaveOut)
        assert found.reason == reason
        assert found.outcome is (Outcome.ALREADY if reason == "current" else Outcome.SKIPPED)
        assert current in found.why or latest is not None


def test_the_targets_own_source_version_decides_before_the_plans() -> None:
    assert allowed_sources(("a", "b"), "c") == ("c",)
    assert allowed_sources(("a", "b"), None) == ("a", "b")


def test_a_version_without_its_last_zeros_is_not_the_one_on_offer() -> None:
    version = ProxyVersion(current_version="2.23.12.000", latest_version=TARGET, can_upgrade=True)
    found = verdict("2.24.3", (), version)
    assert isinstance(found, LeaveOut)
    assert (found.reason, found.why) == ("not_offered", f"the newest version on offer is {TARGET}")
