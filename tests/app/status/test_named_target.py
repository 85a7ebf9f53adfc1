"""A proxy is found by its id, the beginning of it, its name, or that of its instance; a word for several is refused."""

from pathlib import Path

import msgspec
import pytest
from fakes.e2e import sim_targets
from fakes.here import DeskHere
from fakes.memory_state import MemoryState
from fakes.recorded import BEGIN, RUN_ID, make_plan, make_targets, run_started
from msgspec import structs

from orchestrator.app.run.begin_or_resume import Beginning, begin_run
from orchestrator.app.status.one_proxy.named_target import named_target
from orchestrator.errors import UsageError
from orchestrator.model.plan.target import Facts, Target
from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import Outcome
from orchestrator.planner.plan_file.load import load_plan
from orchestrator.tracker.folder.state_folder import FolderState
from orchestrator.tracker.report.target import target_report
from orchestrator.tracker.state_store import StoredRun


def _target(target: Target, proxy_id: str, instance: str, proxy: str) -> Target:
    return structs.replace(target, proxy_id=proxy_id, facts=Facts(name=instance, proxy_name=proxy))


A, B, C = "aaaa" + "1" * 28 + "po01", "aaaa" + "2" * 28 + "po01", "cccc" + "3" * 28 + "po01"
ONE, TWO, THREE = make_targets(3)
TARGETS = [_target(ONE, A, "orders", "rw"), _target(TWO, B, "orders", "ro"), _target(THREE, C, "账单", "rw")]


def _run() -> StoredRun:
    fleet = MemoryState().fleet("prod", writes=True)
    return fleet.begin(make_plan(TARGETS), TARGETS, run_started(3, run_id=RUN_ID))


@pytest.mark.parametrize(
    ("word", "proxy_id"),
    [(A, A), ("aaaa1", A), ("CCCC", C), ("ro", B), ("账单", C), ("orders/rw", A), ("x" * 36, "x" * 36)],
)
def test_a_word_for_one_proxy_is_enough(word: str, proxy_id: str) -> None:
    assert named_target(_run(), word) == proxy_id


def test_a_word_may_mean_a_proxy_that_a_redo_leaves_out() -> None:
    stored = MemoryState().fleet("prod", writes=True).begin(make_plan(TARGETS), TARGETS[:2], run_started(2))
    entry = msgspec.Raw(msgspec.json.encode(target_report(TARGETS[2], None, "2", None)))
    kept = r.OutcomeKept(at=BEGIN, target=C, outcome=Outcome.ALREADY, position=2, entry=entry)
    stored.resume(2).append([kept])
    assert [named_target(stored, word) for word in ("cccc", "账单", "账单/rw")] == [C, C, C]


@pytest.mark.parametrize(("word", "proxy_id"), [("ro", B), ("gold", A), ("orders/ro", B)])
def test_what_people_call_a_proxy_in_a_label_is_a_name_too(word: str, proxy_id: str) -> None:
    """As a plan that `init` wrote has them: it lists the proxies, so no discovery learns their names."""
    labels = [{"name": "orders/rw", "tier": "gold"}, {"name": "orders/ro", "app": ""}]
    targets = [
        structs.replace(target, facts=None, labels=own) for target, own in zip(TARGETS, [*labels, {}], strict=True)
    ]
    run = MemoryState().fleet("prod", writes=True).begin(make_plan(targets), targets, run_started(3))
    assert named_target(run, word) == proxy_id
    with pytest.raises(UsageError, match="is no target of run"):
        named_target(run, "")


@pytest.mark.parametrize("word", ["aaaa", "orders", "rw"])
def test_a_word_for_several_proxies_names_them(word: str) -> None:
    with pytest.raises(UsageError, match=f"{word} means 2 proxies of run {RUN_ID}: {A}, ") as caught:
        named_target(_run(), word)
    assert "INSTANCE/PROXY" in (caught.value.hint or "")


@pytest.mark.parametrize("word", ["ccc", "dddd", "order", "ordrs/rw"])
def test_too_little_of_an_id_and_half_a_name_mean_nothing(word: str) -> None:
    with pytest.raises(UsageError, match="is no target of run"):
        named_target(_run(), word)


def test_the_verbs_that_take_an_id_take_its_beginning(tmp_path: Path) -> None:
    desk = DeskHere(tmp_path, targets=sim_targets(2))
    plan = load_plan(desk.write())
    fleet = FolderState(desk.state).fleet(plan.name, writes=True)
    fleet.claim(desk.plan)
    begin_run(plan, plan.proxies, Beginning(fleet=fleet, now=BEGIN, suffix="abcdef"))
    proxy_id = plan.proxies[1].proxy_id
    assert proxy_id in desk.cli("status", "PLAN", proxy_id[:32]).stdout
    assert f'"proxy_id": "{proxy_id}"' in desk.cli("status", "PLAN", proxy_id[:32], "--format", "json").stdout
    settled = desk.cli("settle", "PLAN", proxy_id[:32], "--outcome", "failed", "--note", "so")
    assert f"{proxy_id} is not open: it is waiting" in settled.stderr
    assert "means 2 proxies" in desk.cli("settle", "PLAN", "0000", "--outcome", "failed", "--note", "so").stderr
