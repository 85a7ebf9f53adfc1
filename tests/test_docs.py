"""The documents say what the program does: commands, plans, links, exit codes, outcomes, options, the report."""

import argparse
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
import yaml
from fakes.documents import DOCUMENTS, ROOT, anchors, blocks, commands, first_words, links, read, rows, section, spans

from orchestrator import __version__
from orchestrator.cli.grammar import grammar
from orchestrator.cli.grammar.parser import parse
from orchestrator.cloud.credentials.chain import KEYS, TOKEN
from orchestrator.errors import ExitCode
from orchestrator.model.plan.region import SERVICES
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import HoldCause
from orchestrator.model.run.eligibility import LeaveOutReason
from orchestrator.planner.plan_file.load import load_plan
from orchestrator.simulator.distortion import DISTORTIONS, Effect
from orchestrator.simulator.profile import JobFate, Kind, Profile, Role
from orchestrator.simulator.profiles import BUILT_IN, profile_from_yaml
from orchestrator.simulator.routes import ROUTES
from orchestrator.tracker.report.csv_form import COLUMNS
from orchestrator.tracker.report.forms import DEFAULT_FORM, FORMS
from orchestrator.tracker.report.schema import Report, report_schema

every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
STANDING = ("waiting", "in_flight", "in_doubt", "timed_out")
SMALLEST: dict[str, Any] = {
    "version": "1",
    "region": "cn-north-4",
    "project_id": "054e292c9880d4992f02c0196d3ea468",
    "target_version": "2.24.03.000",
    "proxies": [{"instance_id": "5" * 32 + "in07", "proxy_id": "0" * 32 + "po01"}],
}


# --- the readme, links, folders ---------------------------------------------------------------------------------------


def test_the_readme_begins_with_the_two_commands_that_are_promised() -> None:
    first, second, *_ = blocks(read("README.md"))
    assert (first.text, second.text) == ("make demo\n", "make test\n")


@every_document
def test_every_link_leads_somewhere(document: Path) -> None:
    for link in links(document.read_text(encoding="utf-8")):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), link


def test_every_page_is_in_the_index() -> None:
    for folder in ("docs", "docs/adr", "deploy"):
        listed = set(links(read(f"{folder}/README.md")))
        assert {path.name for path in (ROOT / folder).iterdir() if path.is_file()} - {"README.md"} <= listed


def test_every_example_plan_is_explained() -> None:
    files = {path.name for path in (ROOT / "plans").glob("[!.]*.*")} - {"README.md"}
    assert set(first_words(read("plans/README.md"))) == files


def test_every_folder_says_what_it_is() -> None:
    for folder in ("docs", "deploy", "distribution", "plans", "tests", "benchmarks", "docs/adr"):
        assert (ROOT / folder / "README.md").exists(), folder
    packages = [path.parent for path in (ROOT / "orchestrator").glob("*/__init__.py")]
    for package in packages:
        assert (package / "__init__.py").read_text(encoding="utf-8").startswith('"""')
        assert f"`orchestrator/{package.name}/`" in section(read("README.md"), "Develop"), package.name


def test_every_file_that_the_architecture_names_is_there() -> None:
    page = read("docs/architecture.md")
    named = {word for word in spans(page) if re.fullmatch(r"[a-z_]+(/[a-z_]+)*\.(py|md|toml)|[a-z_]+/", word)}
    places = (ROOT, ROOT / "orchestrator")
    assert {word for word in named if not any((place / word).exists() for place in places)} == set()
    assert sum(1 for row in rows(section(page, "I want to …")) if row[0].startswith("…")) >= 12


def test_every_decision_has_the_same_form() -> None:
    for path in (ROOT / "docs/adr").glob("[0-9]*.md"):
        text = path.read_text(encoding="utf-8")
        assert re.match(rf"# {path.name[:4]}: .+\n\n- Date: \d{{4}}-\d\d-\d\d\n- Status: \w+", text), path.name
        assert [head for head in ("Context", "Decision", "Consequences") if f"\n## {head}\n" not in text] == []


def test_the_changelog_has_this_version() -> None:
    assert f"## [{__version__}]" in read("CHANGELOG.md")
    assert "## [Unreleased]" in read("CHANGELOG.md")


# --- commands, verbs, options, codes ----------------------------------------------------------------------------------


@every_document
def test_every_command_is_understood(document: Path) -> None:
    for arguments in commands(document.read_text(encoding="utf-8")):
        if arguments == ["--version"] or arguments in ([verb] for verb in _verbs()):
            continue
        parse(arguments)


def _verbs() -> dict[str, argparse.ArgumentParser]:
    found = next(action for action in grammar.parser()._actions if isinstance(action, argparse._SubParsersAction))
    return dict(found.choices)


def _options(parser: argparse.ArgumentParser) -> set[str]:
    return {max(action.option_strings, key=len) for action in parser._actions if action.option_strings}


def test_every_verb_and_option_is_documented() -> None:
    page = read("docs/commands.md")
    shared = section(page, "Common options")
    assert [words.split()[0] for words in first_words(section(page, "Verbs"))] == list(_verbs())
    for verb, parser in _verbs().items():
        documented = " ".join(spans(section(page, verb)) + spans(shared)).split()
        assert _options(parser) <= set(documented), verb
    assert _options(grammar.parser()) <= set(" ".join(spans(shared)).split())


def test_no_option_is_documented_that_does_not_exist() -> None:
    known = set().union(*map(_options, _verbs().values()), _options(grammar.parser()))
    documented = {word.split()[0] for word in first_words(read("docs/commands.md")) if word.startswith("--")}
    assert documented <= known


@pytest.mark.parametrize("document", ["docs/exit-codes.md", "deploy/runbook.md"])
def test_every_exit_code_is_documented(document: str) -> None:
    codes = {
        int(found[1]) for row in rows(read(document)) if (found := re.fullmatch(r"\[?(\d+)\]?(?:\(.*\))?", row[0]))
    }
    assert codes == {int(code) for code in ExitCode}


@pytest.mark.parametrize("document", ["docs/report.md", "deploy/runbook.md"])
def test_every_outcome_is_documented(document: str) -> None:
    assert {outcome.value for outcome in Outcome} | set(STANDING) <= set(first_words(read(document)))


def test_every_reason_and_cause_is_documented() -> None:
    skipped = {*get_args(LeaveOutReason), "failed_before"} - {"current"}
    assert skipped <= set(first_words(section(read("docs/report.md"), "Outcomes")))
    assert set(first_words(section(read("docs/waves-and-budgets.md"), "Holds"))) == set(get_args(HoldCause))


def test_every_form_of_the_report_is_documented() -> None:
    meaning = next(row[1] for row in rows(read("docs/commands.md")) if f"`{DEFAULT_FORM}` (default), `text`" in row[1])
    assert set(spans(meaning)) == FORMS.keys()


# --- plans and the simulated cloud ------------------------------------------------------------------------------------


@every_document
def test_every_plan_and_every_piece_of_one_loads(document: Path, tmp_path: Path) -> None:
    for number, block in enumerate(blocks(document.read_text(encoding="utf-8"), "yaml")):
        piece = yaml.load(block.text, yaml.BaseLoader)  # noqa: S506  # the loader that makes nothing but text
        if piece is None:
            continue
        if block.info == "faults":
            profile_from_yaml(block.text, "doc")
            continue
        file = tmp_path / f"plan{number}.yaml"
        file.write_text(block.text if "version" in piece else yaml.dump({**SMALLEST, **piece}), encoding="utf-8")
        load_plan(file)


@every_document
def test_every_piece_of_json_is_json(document: Path) -> None:
    for block in blocks(document.read_text(encoding="utf-8"), "json"):
        json.loads(block.text)


def test_the_simulated_cloud_is_documented() -> None:
    page = read("docs/simulated-cloud.md")
    named = {word for span in spans(page) for word in re.findall(r"\w+", span)}
    assert set(Profile.__struct_fields__) <= set(first_words(section(page, "A profile of your own")))
    assert set(BUILT_IN) == set(first_words(section(page, "Profiles")))
    assert {*get_args(Kind), *get_args(Role), *JobFate.__struct_fields__} <= named


def test_every_fault_is_documented_with_its_effect() -> None:
    effects = {"yes": Effect.NOW, "later": Effect.LATER, "no": Effect.NEVER}
    told = {
        row[0].strip("`"): effects[row[1]] for row in rows(section(read("docs/simulated-cloud.md"), "Faults of calls"))
    }
    assert told == {fault: effect for fault, (effect, _) in DISTORTIONS.items()}


def test_each_call_has_its_permission_and_the_smallest_policies_have_no_other() -> None:
    page = section(read("docs/credentials.md"), "Permissions")
    old, new = (json.loads(block.text) for block in blocks(page, "json"))
    table = {call.strip("`"): (identity.strip("`"), policy.strip("`")) for call, _, identity, policy in rows(page)}
    assert set(new["Statement"][0]["Action"]) == {identity for identity, _ in table.values()}
    assert set(old["Statement"][0]["Action"]) == {policy for _, policy in table.values()}
    made = {
        f"{method} …{path.partition('{project_id}')[2].replace('{engine}', 'taurusproxy')}"
        for (method, path), kind in ROUTES.items()
        if "{project_id}" in path and kind not in ("instance", "scheduled_jobs", "schedule_events", "metrics", "subnet")
    }
    assert (
        set(table) == made
    )  # the first is not called, metrics only where a plan asks for them, and the others where they may be
    assert "ces:metricData:list" in page
    assert "vpc:subnets:get" in page
    assert "schedule-events" in page
    assert "scheduled-jobs" in page


def test_credentials_and_endpoints_are_documented() -> None:
    page = read("docs/credentials.md")
    assert {row[0].strip("`"): row[1] for row in rows(section(page, "Endpoints"))} == SERVICES
    chain = section(page, "The default chain")
    places = [chain.index(name) for name in (TOKEN, *(key for keys in KEYS for key in keys), "[basic]")]
    assert places == sorted(places)


# --- the report -------------------------------------------------------------------------------------------------------


def _fields(schema: dict[str, Any], node: dict[str, Any], at: str = "") -> dict[str, None]:
    found: dict[str, None] = {}
    for branch in [node, *node.get("anyOf", [])]:
        if "$ref" in branch:
            found |= _fields(schema, schema["$defs"][branch["$ref"].rpartition("/")[2]], at)
        for name, value in branch.get("properties", {}).items():
            found[f"{at}{name}"] = None
            found |= _fields(schema, value, f"{at}{name}.")
        if "items" in branch:
            found |= _fields(schema, branch["items"], f"{at.removesuffix('.')}[].")
    return found


def test_every_field_of_the_report_is_documented() -> None:
    page = read("docs/report.md")
    parts = ("The run", "Totals and reasons", "Waves and scopes", "Targets")
    documented = [name for part in parts for name in first_words(section(page, part))]
    schema = report_schema()
    assert documented == list(_fields(schema, schema))
    assert set(COLUMNS) <= set(spans(section(page, "As CSV")))


@pytest.fixture(scope="module")
def example() -> str:
    text = blocks(section(read("docs/report.md"), "An example"), "json")[0].text
    report = msgspec.json.decode(text, type=Report)
    assert sum(report.totals.outcomes.values()) == report.totals.targets == len(report.targets)
    return text


JQ = [line for block in blocks(read("docs/report.md"), "sh") for line in block.text.splitlines() if line[:3] == "jq "]


@pytest.mark.parametrize("line", JQ)
def test_every_jq_example_asks_for_fields_that_exist(line: str, example: str, tmp_path: Path) -> None:
    schema = report_schema()
    known = {part for field in _fields(schema, schema) for part in re.split(r"\W+", field)} | {"app", "json"}
    assert set(re.findall(r"\.([a-z_]+)", line)) <= known
    if shutil.which("jq"):
        (tmp_path / "report.json").write_text(example, encoding="utf-8")
        subprocess.run(line, shell=True, check=True, cwd=tmp_path, stdout=subprocess.DEVNULL)  # noqa: S602  # our own line
