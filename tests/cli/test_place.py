"""A command that the program advises reaches the fleet that it speaks of, and no other."""

from pathlib import Path

import pytest
from fakes.recorded import empty_run, make_plan, make_targets, run_started
from msgspec.structs import replace

from orchestrator.cli.grammar.parser import parse
from orchestrator.cli.place import plan_words

PLAN = replace(make_plan(make_targets(1)), path="/my plans/prod.yaml")


@pytest.fixture(autouse=True)
def no_state_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORCHESTRATOR_STATE", raising=False)


def words(*options: str) -> str:
    return plan_words(PLAN, parse(["status", PLAN.path, *options]))


def test_the_path_is_enough_where_the_state_is_beside_the_plan() -> None:
    assert words() == "'/my plans/prod.yaml'"


def test_a_state_folder_that_was_named_is_named_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert words("--state", "/s t") == "'/my plans/prod.yaml' --state '/s t'"
    monkeypatch.chdir(tmp_path)
    assert words("--state", "s") == f"'/my plans/prod.yaml' --state {tmp_path / 's'}"


def test_one_that_the_environment_names_may_not_be_there_where_the_command_is_pasted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ORCHESTRATOR_STATE", "/s")
    assert words() == "'/my plans/prod.yaml' --state /s"


def test_a_simulated_fleet_is_never_answered_with_a_command_for_the_real_one() -> None:
    assert words("--simulate", "--state", "/s") == "'/my plans/prod.yaml' --state /s --simulate"


def test_the_same_simulated_cloud_answers_from_any_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    given = words("--simulate", "--state", "/s", "--speed", "600", "--faults", "bad.yaml", "--seed", "7")
    assert given.partition(" --simulate ")[2] == f"--seed 7 --speed 600 --faults {tmp_path / 'bad.yaml'}"
    assert words("--simulate", "--faults", "harsh").endswith(" --simulate --faults harsh")


def test_a_simulated_run_is_spoken_of_with_the_options_that_it_was_begun_with() -> None:
    run = empty_run(PLAN, make_targets(1))
    run.apply(run_started(1, simulated=True, world=("--seed", "7")))
    options = parse(["status", PLAN.path, "--simulate", "--state", "/s"])
    assert plan_words(PLAN, options, run) == "'/my plans/prod.yaml' --state /s --simulate --seed 7"


def test_what_is_advised_is_understood(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    options = parse(["run", "/p.yaml", *words("--state", "s", "--simulate").split()[2:]])
    assert (options.state, options.simulate) == (tmp_path / "s", True)


def test_a_fleet_whose_state_is_not_beside_its_plan_is_reached_from_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert plan_words(PLAN, parse(["status"])) == f"'/my plans/prod.yaml' --state {tmp_path / '.orchestrator'}"
