"""The dashboard, the alerts and the page speak of metrics that are written, and of all of them."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from fakes.documents import ROOT, first_words, read
from fakes.metrics import as_found, names
from fakes.stage import Stage, plan_of, targets_of

from orchestrator.app.sinks.metrics_file import MetricsFile
from orchestrator.cli.grammar.parser import parse
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import HoldCause

_NAME = re.compile(r"\borchestrator_[a-z_]+")
_LABEL = re.compile(r"\{\{\s*(?:\$labels\.)?([a-z_]+)\s*\}\}")
_PROMTOOL = shutil.which("promtool")
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_STANDING = ("waiting", "in_flight", "in_doubt", "timed_out")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("metrics") / "fleet.prom"

    async def here(work: Any, _name: str) -> None:
        work()

    plan = plan_of(targets_of(2))
    Stage(plan=plan, sinks=(MetricsFile(as_found(plan), path, here),)).play()
    return path


def _alerts() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(read("deploy/alerts.yaml"))["groups"] for rule in group["rules"]]


def _panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(read("deploy/grafana-dashboard.json"))["panels"]
    return found


def _queries() -> Iterator[str]:
    yield from (rule["expr"] for rule in _alerts())
    yield from (target["expr"] for panel in _panels() for target in panel["targets"])
    yield "orchestrator_build_info"  # of the variable `fleet`


def test_every_metric_that_is_asked_for_is_written(written: Path) -> None:
    asked = {name for query in _queries() for name in _NAME.findall(query)}
    assert len(asked) > 15
    assert asked <= names(written)


def test_the_page_has_every_metric_and_no_other(written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    told = {word.partition("{")[0] for word in first_words(read("docs/metrics.md")) if word.startswith("orchestrator_")}
    assert told == {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}


def test_the_labels_of_alerts_and_legends_are_written(written: Path) -> None:
    texts = [text for rule in _alerts() for text in rule["annotations"].values()]
    texts += [target["legendFormat"] for panel in _panels() for target in panel["targets"]]
    known = set(re.findall(r'([a-z_]+)="', written.read_text(encoding="utf-8")))
    assert {label for text in texts for label in _LABEL.findall(text)} <= known


def test_the_page_names_every_alert() -> None:
    assert {rule["alert"] for rule in _alerts()} <= set(first_words(read("docs/metrics.md")))


def test_alerts_and_panels_are_told_apart() -> None:
    assert len({rule["alert"] for rule in _alerts()}) == len(_alerts())
    assert len({panel["id"] for panel in _panels()}) == len({panel["title"] for panel in _panels()}) == len(_panels())
    places = [panel["gridPos"] for panel in _panels()]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    cells = [cell for place in places for cell in _cells(place)]
    assert len(cells) == len(set(cells)), "no panel lies on another"


def _cells(place: dict[str, int]) -> Iterator[tuple[int, int]]:
    yield from product(range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"]))


@pytest.mark.parametrize("panel", _panels(), ids=lambda panel: panel["title"])
def test_each_panel_has_all_that_grafana_draws_it_from(panel: dict[str, Any]) -> None:
    assert panel["type"] in {"stat", "table", "timeseries"}
    assert isinstance(panel["id"], int)
    assert set(panel["gridPos"]) == {"x", "y", "w", "h"}
    assert panel["datasource"] == _SOURCE
    assert panel["targets"]
    assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
    for target in panel["targets"]:
        assert target["datasource"] == _SOURCE
        assert target["expr"].strip()
        assert 'fleet=~"$fleet"' in target["expr"]
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["unit"]
    steps = defaults.get("thresholds", {"steps": []})["steps"]
    assert [step["value"] for step in steps[:1]] in ([], [None]), "Grafana's base step has no value"
    assert panel["type"] != "stat" or panel["options"]["reduceOptions"]["calcs"]


def test_every_variable_of_the_dashboard_is_declared() -> None:
    text = read("deploy/grafana-dashboard.json")
    declared = {each["name"] for each in json.loads(text)["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z_]+)", text.replace("$__", "")))
    assert used == declared == {"datasource", "fleet"}


def test_the_words_of_the_labels_are_those_of_the_report(written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    assert set(re.findall(r'outcome="([a-z_]+)"', text)) == {*(each.value for each in Outcome), *_STANDING}
    assert set(re.findall(r'cause="([a-z_]+)"', text)) == set(get_args(HoldCause))


def test_the_option_is_understood() -> None:
    assert parse(["run", "prod.yaml", "--metrics", "/srv/prod.prom"]).metrics == Path("/srv/prod.prom")


@pytest.mark.skipif(_PROMTOOL is None, reason="promtool is not installed")
def test_promtool_finds_nothing_wrong(written: Path) -> None:
    rules = subprocess.run([str(_PROMTOOL), "check", "rules", ROOT / "deploy/alerts.yaml"], check=False)
    with written.open("rb") as file:
        metrics = subprocess.run([str(_PROMTOOL), "check", "metrics"], stdin=file, check=False)
    assert (rules.returncode, metrics.returncode) == (0, 0)


@pytest.mark.skipif(_PROMTOOL is None, reason="promtool is not installed")
def test_prometheus_can_read_every_query_of_the_dashboard(tmp_path: Path) -> None:
    """As rules, for which promtool has a check; variables stand for what Grafana puts in their places."""
    filled = [query.replace("$fleet", ".*").replace("$__rate_interval", "1m") for query in _queries()]
    rules = [{"record": f"asked:query{number}", "expr": query} for number, query in enumerate(filled)]
    path = tmp_path / "queries.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}), encoding="utf-8")
    assert not any("$" in query for query in filled)
    assert subprocess.run([str(_PROMTOOL), "check", "rules", path], check=False).returncode == 0


@pytest.mark.skipif(_PROMTOOL is None, reason="promtool is not installed")
def test_each_alert_fires_for_what_it_is_about_and_not_otherwise() -> None:
    played = subprocess.run([str(_PROMTOOL), "test", "rules", ROOT / "tests/data/alerts.test.yaml"], check=False)
    assert played.returncode == 0
