"""A plan for what the cloud shows: its text loads, says what was found, and overwrites nothing."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from fakes.e2e import NEW, OLD, PROJECT, cloud_desk

from orchestrator.app.init.first_plan import first_plan
from orchestrator.app.init.found_fleet import FoundFleet, plan_to_ask
from orchestrator.cli.grammar.parser import parse
from orchestrator.cli.verbs import verb_init
from orchestrator.errors import StateError
from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.target import Facts, Target
from orchestrator.model.reply.reply import ProxyVersion
from orchestrator.planner.plan_file.load import load_plan
from orchestrator.tracker.disk import write_new

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def target(number: int, *, instance: int = 0, facts: Facts | None = None) -> Target:
    return Target(
        scope="default", instance_id=f"{instance:032x}in07", proxy_id=f"{number:032x}po01", facts=facts or Facts()
    )


def loaded(folder: Path, found: FoundFleet) -> tuple[Plan, str]:
    """The plan that is written for what was found, and its text."""
    path = folder / "prod.yaml"
    asked = plan_to_ask("prod", str(path), "cn-north-4", PROJECT, None)
    path.write_text(first_plan(asked, found, str(path), AT), encoding="utf-8")
    return load_plan(path), path.read_text(encoding="utf-8")


def running(*versions: tuple[str, str | None]) -> dict[str, ProxyVersion]:
    """Of proxy 0, 1, …: the version that runs, and the one that is on offer."""
    return {
        target(number).proxy_id: ProxyVersion(current_version=runs, latest_version=offered)
        for number, (runs, offered) in enumerate(versions)
    }


def test_what_was_found_is_a_plan_for_exactly_that(tmp_path: Path) -> None:
    targets = [target(0), target(1), target(2, instance=1)]
    plan, text = loaded(tmp_path, FoundFleet(targets, running((OLD, NEW), (OLD, NEW), (NEW, None))))
    assert (plan.name, plan.target_version, plan.scopes[0].project_id) == ("prod", NEW, PROJECT)
    assert [each.proxy_id for each in plan.proxies] == [each.proxy_id for each in targets]
    assert [wave.name for wave in plan.waves] == ["canary", "rest"]
    assert plan.waves[1].approve
    assert "# 3 proxies on 2 instances" in text
    assert "1 of 3 proxies run it already" in text


@pytest.mark.parametrize(
    ("versions", "newest"),
    [
        ([(OLD, NEW), (OLD, None)], NEW),
        ([(OLD, "2.25"), (OLD, NEW), (OLD, NEW)], NEW),
        ([(NEW, None), (NEW, None), (OLD, None)], NEW),
        ([], None),
    ],
)
def test_the_version_is_what_most_proxies_are_offered(
    versions: list[tuple[str, str | None]], newest: str | None
) -> None:
    assert FoundFleet([], running(*versions)).newest == newest


def test_names_of_the_cloud_stay_in_their_comment(tmp_path: Path) -> None:
    facts = Facts(name="a\nversion: 9", proxy_name="订单\u2028x: [", instance_status="ACTIVE")
    plan, text = loaded(tmp_path, FoundFleet([target(0, facts=facts)], {}))
    assert len(plan.proxies) == 1
    assert "# 订单\\u2028x: [, version not read" in text
    assert plan.proxies[0].labels == {"name": "a\\nversion: 9/订单\\u2028x: ["}


@pytest.mark.parametrize("name", ["订单", "😀", 'quote " and \\', "# no comment", "", None])
def test_a_proxy_is_called_in_the_plan_as_the_cloud_calls_it(tmp_path: Path, name: str | None) -> None:
    """A run of a list asks for no names: without them every page would tell ids of 36 characters alone."""
    plan, _ = loaded(tmp_path, FoundFleet([target(0, facts=Facts(name="orders", proxy_name=name))], {}))
    assert plan.proxies[0].called == (f"name=orders/{name}" if name else "name=orders")
    bare, text = loaded(tmp_path, FoundFleet([target(0)], {}))
    assert bare.proxies[0].labels == {}
    assert "labels" not in text


def test_the_windows_that_are_offered_load_when_they_are_taken_in(tmp_path: Path) -> None:
    _, text = loaded(tmp_path, FoundFleet([target(0)], running((OLD, NEW))))
    path = tmp_path / "night.yaml"
    path.write_text(text.replace("# windows:", "windows:").replace("#   - {days", "  - {days"), encoding="utf-8")
    assert load_plan(path).windows


def test_a_file_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "prod.yaml"
    path.write_text("mine")
    with pytest.raises(StateError):
        write_new(path, [b"other"])
    assert path.read_text() == "mine"


def test_the_verb_writes_a_plan_that_the_others_take(tmp_path: Path) -> None:
    with cloud_desk(tmp_path, 2) as desk:
        words = ("--region", "cn-north-4", "--project-id", PROJECT, "--endpoint", desk.url)
        written = desk.cli("init", "new.yaml", *words)
        assert (written.code, written.stderr) == (0, "")
        assert written.stdout.splitlines()[-1] == "next: orchestrator plan new.yaml"
        assert desk.cli("plan", "new.yaml").code == 0
        again = desk.cli("init", "new.yaml", *words)
        assert again.code == 2
        assert "is there already" in again.stderr
        assert desk.books()["upgrade_calls"] == []


def test_without_an_address_it_says_which_option_is_missing(tmp_path: Path) -> None:
    with cloud_desk(tmp_path, 1) as desk:
        for words, said in (
            ((), "--region: is missing"),
            (("--region", "mars-1"), "--region: unknown region 'mars-1'"),
        ):
            ended = desk.cli("init", "new.yaml", *words)
            assert ended.code == 2
            assert said in ended.stderr
            assert "--endpoint" in ended.stderr
            assert "new.yaml:" not in ended.stderr


def test_a_cloud_that_does_not_answer_leaves_no_plan_and_no_word_of_discover(tmp_path: Path) -> None:
    with cloud_desk(tmp_path, 1) as desk:
        words = ("--region", "cn-north-4", "--project-id", PROJECT, "--endpoint", desk.url)
        ended = desk.cli("init", "new.yaml", *words, environ={"HW_AUTH_TOKEN": "wrong"})
        assert ended.code == 7
        assert "no plan is written" in ended.stderr
        assert "out of discover" not in ended.stderr
        assert not (desk.folder / "new.yaml").exists()


def test_what_is_advised_asks_the_simulated_cloud_that_showed_the_proxies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "try.yaml"
    assert verb_init.run(parse(["init", str(path), "--simulate", "--seed", "7", "--speed", "6000"])) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("try.yaml --simulate --seed 7 --speed 6000")
    assert f"orchestrator doctor {path} --simulate --seed 7 --speed 6000\n" in path.read_text()
