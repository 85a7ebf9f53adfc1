"""The metrics file: true, complete, written in time, and no trouble to the session whatever becomes of it."""

import stat
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import anyio
import pytest
from fakes.clock import START
from fakes.metrics import as_found, names, samples
from fakes.stage import Played, Stage, plan_of, targets_of

from orchestrator.app.metrics.measure import PREFIX
from orchestrator.app.sinks import metrics_file
from orchestrator.app.sinks.metrics_file import EVERY_S, MetricsFile
from orchestrator.app.sinks.tee import end_all
from orchestrator.errors import ExitCode
from orchestrator.model.plan.plan import Freeze, Plan
from orchestrator.model.record.record import PartFailed


def plan(number: int = 12, **changes: Any) -> Plan:
    return plan_of(targets_of(number), **changes)


def play(path: Path, made: Plan, beside: metrics_file.Beside | None = None) -> tuple[Played, MetricsFile]:
    """Play a plan to its end; unless a way of writing is given, the last write alone is made."""
    latest: list[Callable[[], None]] = [lambda: None]

    async def kept(work: Callable[[], None], _name: str) -> None:
        latest[0] = work

    sink = MetricsFile(as_found(made), path, beside or kept)
    played = Stage(plan=made, sinks=(sink,)).play()
    latest[0]()
    return played, sink


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fleet.prom"


def test_at_the_end_the_file_says_what_came_of_the_fleet(path: Path) -> None:
    played, sink = play(path, plan())
    sink.end(ExitCode.DONE, played.ended_at)
    found = samples(path)
    assert found["targets{outcome=succeeded}"] == 12
    assert sum(value for name, value in found.items() if name.startswith("targets{")) == 12
    assert (found["waves{state=done}"], found["open_targets{}"]) == (2, 0)
    assert (found["session_running{}"], found["last_session_exit_code{}"]) == (0, 0)
    assert found["last_session_end_timestamp_seconds{}"] == pytest.approx(played.ended_at.timestamp(), abs=1)
    assert found["attempts_total{}"] == 12
    assert found["calls_total{scope=default}"] > 12
    assert found["upgrade_duration_seconds_count{}"] == found["upgrade_duration_seconds_bucket{le=+Inf}"] == 12
    assert found["budget_left_targets{kind=failures,of=fleet}"] == 0
    assert found["budget_left_targets{kind=rejected,of=fleet}"] == 1


def test_while_a_session_is_under_way_the_file_is_written_every_15_seconds(path: Path) -> None:
    at: list[float] = []

    async def noted(work: Callable[[], None], _name: str) -> None:
        work()
        at.append(anyio.current_time())

    play(path, plan(), noted)
    assert len(at) > 20
    assert {round(after - before, 6) for before, after in pairwise(at)} == {EVERY_S}
    found = samples(path)
    assert (found["session_running{}"], "last_session_exit_code{}" in found) == (1, False)
    assert found["session_start_timestamp_seconds{}"] == pytest.approx(START.timestamp(), abs=1)


def test_a_larger_fleet_has_no_more_samples(path: Path, tmp_path: Path) -> None:
    few, many = path, tmp_path / "many.prom"
    play(few, plan(3))
    play(many, plan(40))
    assert samples(few).keys() == samples(many).keys()
    assert not any(target.proxy_id in many.read_text() for target in targets_of(40))


def test_names_follow_the_rules_and_each_carries_the_fleet(path: Path) -> None:
    play(path, plan(freezes=(Freeze(start="2026-03-20", end="2026-03-21", timezone="UTC"),)))
    assert all(name.startswith(PREFIX) for name in names(path))
    rows = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    assert all('fleet="fleet"' in row for row in rows)
    types = dict(line.split()[2:4] for line in path.read_text().splitlines() if line.startswith("# TYPE"))
    assert {name for name, kind in types.items() if kind == "counter"} == {n for n in types if n.endswith("_total")}
    assert not any(word in name for name in types for word in ("minute", "hour", "milli", "_ms", "percent"))


def test_another_user_may_read_it_and_no_other_file_is_left(path: Path) -> None:
    play(path, plan(2))
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_cannot_be_written_is_reported_once_and_tried_again(path: Path) -> None:
    folder = path.parent / "later"
    tries = 0

    async def counted(work: Callable[[], None], _name: str) -> None:
        nonlocal tries
        tries += 1
        if tries == 4:
            folder.mkdir()
        work()

    played, _ = play(folder / "fleet.prom", plan(), counted)
    assert (set(played.outcomes()), played.code) == ({"succeeded"}, 0)
    assert [(each.part, "later" in each.error) for each in played.of(PartFailed)] == [("the metrics", True)]
    assert samples(folder / "fleet.prom")["session_running{}"] == 1


def test_a_disk_that_hangs_delays_nothing(path: Path) -> None:
    async def hangs(_work: Callable[[], None], _name: str) -> None:
        await anyio.sleep_forever()

    usual = Stage(plan=plan()).play()
    played, _ = play(path, plan(), hangs)
    assert (played.outcomes(), played.code, played.seconds) == (usual.outcomes(), usual.code, usual.seconds)


def test_at_the_end_a_disk_that_hangs_is_waited_for_some_seconds(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    played, sink = play(path, plan(2))
    go_on = threading.Event()
    monkeypatch.setattr(metrics_file, "_PATIENCE_S", 0.05)
    monkeypatch.setattr(metrics_file, "put_file", lambda *_, **__: go_on.wait())
    failed = end_all([sink], ExitCode.DONE, played.ended_at)
    go_on.set()
    assert "the disk does not answer" in failed["the metrics"]


def test_a_slow_write_of_before_does_not_come_after_the_last_one(path: Path) -> None:
    late: list[Callable[[], None]] = []

    async def kept(work: Callable[[], None], _name: str) -> None:
        late.append(work)

    played, sink = play(path, plan(2), kept)
    sink.end(ExitCode.DONE, played.ended_at)
    for write in late:
        write()
    assert samples(path)["session_running{}"] == 0


def test_a_session_that_never_began_leaves_the_file_of_the_last_one(path: Path) -> None:
    async def nobody(_work: Callable[[], None], _name: str) -> None:
        pytest.fail("there is nothing to write")

    path.write_text("# of the last session\n")
    MetricsFile(as_found(plan()), path, nobody).end(ExitCode.STATE_UNUSABLE, START)
    assert path.read_text() == "# of the last session\n"
