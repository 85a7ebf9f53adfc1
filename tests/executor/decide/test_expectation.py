"""How long an upgrade is expected to take: as seen, else as written, else as the cloud foretold."""

import pytest
from fakes.clock import START
from fakes.rollouts import rollout_of
from fakes.stage import plan_of, targets_of
from msgspec.structs import replace

from orchestrator.model.plan.plan import Follow
from orchestrator.model.plan.settings import in_force, settings_of
from orchestrator.model.record.record import PreflightDone


def _read(proxy_id: str, upgrade_s: float | None) -> PreflightDone:
    return PreflightDone(
        at=START,
        target=proxy_id,
        attempt=1,
        wave="all",
        current_version="1.0",
        latest_version=None,
        can_upgrade=None,
        upgrade_s=upgrade_s,
    )


@pytest.mark.parametrize(
    ("foretold", "written", "seen", "expected_s"),
    [
        ((), (), (), 600.0),
        ((None, None), (), (), 600.0),
        ((100.0, 300.0, 900.0), (), (), 300.0),
        ((9000.0,), (), (), 3600.0),
        ((100.0,), ("follow.expected",), (), 600.0),
        ((100.0,), (), (42.0,), 42.0),
    ],
)
def test_the_expectation(
    foretold: tuple[float | None, ...], written: tuple[str, ...], seen: tuple[float, ...], expected_s: float
) -> None:
    targets = targets_of(3)
    made = rollout_of(plan_of(targets, written=frozenset(written)))
    made.run.waves["all"] = made.run.waves.pop(next(iter(made.run.waves)))
    for target, upgrade_s in zip(targets, foretold, strict=False):
        made.run.apply(_read(target.proxy_id, upgrade_s))
    for seconds in seen:
        made.run.durations.add(seconds)
    assert made.expected_s == expected_s


def test_an_expectation_that_a_later_session_writes_counts_as_written() -> None:
    frozen = plan_of(targets_of(1))
    assert not in_force(frozen, settings_of(frozen)).says_expected
    later = replace(frozen, follow=Follow(expected_s=60.0))
    assert in_force(frozen, settings_of(later)).says_expected
