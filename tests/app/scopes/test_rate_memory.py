"""`rate: auto` between sessions, and what a preview assumes."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fakes.clock import VirtualClock
from fakes.clouds import FakeCloud
from fakes.rollouts import stage_of
from fakes.stage import plan_of, targets_of

from orchestrator.app.scopes.assume_rates import assume_rates, first_rates
from orchestrator.app.scopes.keep_rates import keeping, learned
from orchestrator.app.scopes.open_scopes import shared_lanes
from orchestrator.app.scopes.rate_memory import RateMemory, RatesPlace
from orchestrator.executor.rate.auto_rate import AutoPacer, auto_pacer
from orchestrator.executor.rate.fixed_rate import WindowPacer
from orchestrator.executor.rate.lanes import Lanes
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.model.plan.amount import Rate
from orchestrator.model.plan.auth import Auth
from orchestrator.model.plan.plan import Limits, Plan, Scope
from orchestrator.planner.preview.estimate import AUTO_RATE, AssumedRate
from orchestrator.planner.preview.preview import make_preview
from orchestrator.planner.preview.preview_text import table
from orchestrator.planner.targets.resolve import resolve_targets
from orchestrator.tracker.folder.rates_file import RATES
from orchestrator.tracker.folder.state_folder import FolderState

NOW = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)


def scope(name: str, region: str = "cn-north-4", rate: Rate | None = None, user: str = "robot") -> Scope:
    auth = Auth(user=user, domain="domain", password_env="SECRET_PLACE")
    return Scope(name=name, region=region, project_id=f"p-{name}", rate=rate, auth=auth)


class StillClock(VirtualClock):
    """One that can be asked outside of an event loop."""

    def monotonic(self) -> float:
        return 0.0


def plan_with(*scopes: Scope, rate: Rate = "auto") -> Plan:
    targets = targets_of(12, scopes=[each.name for each in scopes])
    return plan_of(targets, scopes=scopes, limits=Limits(rate=rate))


def memory(state: Path | None, warnings: list[str] | None = None, *, writes: bool = True) -> RateMemory:
    if state is None:
        return RateMemory(environ={})
    warn = (warnings if warnings is not None else []).append
    return RateMemory(environ={}, at=RatesPlace(state=FolderState(state), writes=writes, warn=warn, warn_unshared=warn))


def used(plan: Plan, lanes: Mapping[str, Lanes]) -> dict[str, ScopeCalls]:
    clock = VirtualClock()
    return {
        name: ScopeCalls(
            name=name,
            api=FakeCloud(clock, ()),
            lanes=line,
            retry=plan.retry,
            clock=clock,
            chance=lambda: 0.5,
            note=lambda _record: None,
        )
        for name, line in lanes.items()
    }


def found(state: Path, plan: Plan, rate: float) -> None:
    """A session ends that has found this rate for every scope."""
    lanes = dict.fromkeys((each.name for each in plan.scopes), Lanes(auto_pacer(rate), VirtualClock()))
    memory(state).keep(plan, learned(used(plan, lanes)), NOW)


def test_scopes_with_the_same_endpoint_and_credentials_share_one_pacer(tmp_path: Path) -> None:
    plan = plan_with(scope("a"), scope("b"), scope("c", user="other"), scope("d", region="cn-south-1"))
    with shared_lanes(plan, memory(tmp_path), StillClock()) as lanes:
        assert lanes["a"] is lanes["b"]
        assert len({id(line) for line in lanes.values()}) == 3
        assert [line.pacer.rate for line in lanes.values()] == [1.0] * 4, "to be found out"


def test_a_cloud_that_is_new_each_time_is_shared_with_nobody() -> None:
    plan = plan_with(scope("a"), scope("b", region="cn-south-1", rate=3.0))
    with shared_lanes(plan, memory(None), StillClock()) as lanes:
        assert isinstance(lanes["a"].pacer, AutoPacer)
        assert isinstance(lanes["b"].pacer, WindowPacer)


def test_fleets_of_a_state_folder_share_a_rate_and_nobody_reads_a_secret(tmp_path: Path) -> None:
    first, second = (plan_with(scope(name, rate=rate)) for name, rate in (("a", 20.0), ("b", 5.0)))
    clock = StillClock()
    with (
        shared_lanes(first, memory(tmp_path), clock) as here,
        shared_lanes(second, memory(tmp_path), clock) as there,
    ):
        assert there["b"].pacer.claim(0.0, waited=False) == 0.0
        assert here["a"].pacer.claim(0.0, waited=False) > 0.0
        assert here["a"].pacer.nominal == 5.0
    (file,) = tmp_path.glob(".rate-*")
    assert file.stat().st_mode & 0o777 == 0o600
    assert not [
        word for word in (b"robot", b"domain", b"SECRET_PLACE") if word in file.name.encode() + file.read_bytes()
    ]
    with shared_lanes(first, memory(tmp_path), clock) as lanes:
        assert lanes["a"].pacer.claim(1.0, waited=False) == 0.0
        assert lanes["a"].pacer.nominal == 20.0, "the other one has left"


def test_a_preview_leaves_no_file_of_its_own(tmp_path: Path) -> None:
    plan = plan_with(scope("a", rate=5.0))
    clock = StillClock()
    with shared_lanes(plan, memory(tmp_path, writes=False), clock) as lanes:
        assert lanes["a"].pacer.claim(0.0, waited=False) == 0.0
        assert not list(tmp_path.iterdir())
        with shared_lanes(plan, memory(tmp_path), clock) as others:
            assert others["a"].pacer.claim(0.0, waited=False) == 0.0
            assert lanes["a"].pacer.claim(0.1, waited=False) > 0.0


def test_a_rate_that_is_written_binds_those_who_share_it(tmp_path: Path) -> None:
    plan = plan_with(scope("a", rate=5.0), scope("b"), scope("c", rate=3.0), scope("d", region="cn-south-1"))
    with shared_lanes(plan, memory(tmp_path), StillClock()) as lanes:
        assert lanes["b"].pacer is lanes["a"].pacer
        assert lanes["a"].pacer.nominal == 3.0
        assert lanes["d"].pacer.nominal == 1.0, "to be found out"
    rated, assumed = assume_rates(plan, memory(tmp_path))
    assert assumed == (AssumedRate(scopes=("d",), rate=AUTO_RATE, found_at=None),)
    assert [each.rate for each in rated.scopes] == [3.0, 3.0, 3.0, AUTO_RATE]


def test_the_next_session_starts_where_the_last_one_was(tmp_path: Path) -> None:
    plan = plan_with(scope("a"), scope("b", region="cn-south-1"))
    found(tmp_path, plan_with(scope("z")), 40.0)
    with shared_lanes(plan, memory(tmp_path), StillClock()) as lanes:
        assert lanes["a"].pacer.learned == 40.0
        assert lanes["a"].pacer.rate == 20.0, "carefully"
        assert lanes["b"].pacer.learned is None, "another endpoint"
        assert lanes["b"].pacer.rate == 1.0


async def at_once(write: Callable[..., None], *arguments: Any) -> None:
    """In place of a thread: virtual time does not stand still for one."""
    write(*arguments)


def test_while_a_session_goes_on_what_it_finds_is_written_down(tmp_path: Path) -> None:
    """It may be killed at any instant: nothing is left to its end."""
    stage = stage_of(30, limits=Limits(ramp=False, rate="auto"))
    stage.script = (keeping(memory(tmp_path), at_once),)
    assert stage.play().outcomes() == {"succeeded": 30}
    kept = memory(tmp_path).known(stage.plan.scopes[0])
    assert kept is not None
    assert kept.rate >= 1.0


def test_other_fleets_of_the_state_folder_know_it_too_and_nobody_reads_a_secret(tmp_path: Path) -> None:
    plan = plan_with(scope("a"))
    found(tmp_path, plan, 40.0)
    text = (tmp_path / RATES).read_text()
    assert "gaussdb.cn-north-4" in text
    assert not [word for word in ("robot", "domain", "SECRET_PLACE") if word in text]


def test_a_damaged_memory_is_told_of_once_and_begun_anew(tmp_path: Path) -> None:
    plan, warnings = plan_with(scope("a")), list[str]()
    (tmp_path / RATES).write_text("{")
    broken = memory(tmp_path, warnings)
    with shared_lanes(plan, broken, StillClock()) as lanes:
        assert lanes["a"].pacer.learned is None
    assert broken.known(plan.scopes[0]) is None
    assert len(warnings) == 1
    assert RATES in warnings[0]


def test_a_memory_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    plan, warnings = plan_with(scope("a")), list[str]()
    kept = memory(tmp_path / "state", warnings)
    kept.keep(plan, learned(used(plan, {"a": Lanes(auto_pacer(9.0), VirtualClock())})), NOW)
    assert [warning for warning in warnings if "cannot" in warning]
    assert kept.known(plan.scopes[0]) is not None, "for this process"


@pytest.mark.parametrize("state", ["there", None])
def test_a_preview_and_a_simulated_run_write_nothing(tmp_path: Path, state: str | None) -> None:
    plan = plan_with(scope("a"))
    reader = memory(None if state is None else tmp_path / state, writes=False)
    reader.keep(plan, learned(used(plan, {"a": Lanes(auto_pacer(9.0), VirtualClock())})), NOW)
    assert list(tmp_path.iterdir()) == []
    assert reader.known(plan.scopes[0]) is not None, "what discovery found serves the preview"


def test_fixed_rates_are_not_remembered(tmp_path: Path) -> None:
    plan = plan_with(scope("a"), rate=7.0)
    memory(tmp_path).keep(plan, learned(used(plan, {"a": Lanes(WindowPacer(7.0), VirtualClock())})), NOW)
    assert list(tmp_path.iterdir()) == []
    assert assume_rates(plan, memory(tmp_path)) == (plan, ())


def test_a_preview_says_what_it_takes_auto_to_be(tmp_path: Path) -> None:
    plan = plan_with(scope("a"), scope("b", region="cn-south-1"))
    found(tmp_path, plan_with(scope("a")), 38.0)
    rated, rates = assume_rates(plan, memory(tmp_path))
    assert [each.rate for each in rated.scopes] == [38.0, AUTO_RATE]
    preview = make_preview(rated, resolve_targets(rated))
    preview.rates = rates
    lines = [line for line in table(preview) if line.startswith("rate")]
    assert lines == [
        "rate of a: auto, assumed to be 38/s, as found until 2026-03-01 22:00 UTC",
        "rate of b: auto, not found out yet; assumed to be 2/s",
    ]


def test_a_rate_begins_as_it_is_written_or_with_what_was_found_or_slowly(tmp_path: Path) -> None:
    plan = plan_with(scope("a", rate=5.0), scope("b"), scope("c", region="cn-south-1"), scope("d", region="cn-north-9"))
    found(tmp_path, plan_with(scope("c", region="cn-south-1")), 38.0)
    with shared_lanes(plan, memory(tmp_path), StillClock()) as lanes:
        begins = {name: each.pacer.nominal for name, each in lanes.items()}
    assert first_rates(plan, memory(tmp_path)) == begins == {"a": 5.0, "b": 5.0, "c": 38.0, "d": 1.0}


def test_of_a_scope_that_another_host_serves_nothing_is_kept(tmp_path: Path) -> None:
    plan = plan_with(scope("here"), scope("there", region="cn-south-1"))
    lanes = {"here": Lanes(auto_pacer(9.0), VirtualClock())}
    memory(tmp_path).keep(plan, learned(used(plan, lanes)), NOW)
    after = memory(tmp_path)
    assert after.known(plan.scopes[0]) is not None
    assert after.known(plan.scopes[1]) is None
