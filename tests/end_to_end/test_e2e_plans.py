"""Plans at the command line: what is wrong with them, previews, options, and what is printed where."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
from fakes.e2e import Desk, NewCloud

PLANS = Path(__file__).parent.parent.parent / "plans"

#: A problem of each class, each on a line of its own, with what is said about it.
PROBLEMS = """\
version: 2                                        # 1:10: version
name: ../up                                       # 2:7: name
target_version: 2.x                               # 3:17: target_version
region: cn-north-4
project_id: short                                 # 5:13: project_id
endpoint: "http://cloud.example"                  # 6:11: endpoint: plain http
regoin: x                                         # 7:1: regoin: unknown key; did you mean region?
limits:
  rate: fast                                      # 9:9: limits.rate: expected a rate such as 10/s
  rate: 3/s                                       # 10:3: limits.rate: duplicate key; the first stands in line 9
  concurrency: 0                                  # 11:16: limits.concurrency
follow: {poll: 15}                                # 12:16: follow.poll: expected a duration
freezes: [{from: 2026-13-01, to: 2027-01-04, timezone: Mars/Olympus}]    # 13:18: freezes.*from
auth: {token: abc}                                # 14:8: auth.token: a plan holds no secrets
waves:
  - {name: a}
  - {name: a, size: 10%}                          # 17:12: .*another wave is called a too
proxies:
  - {instance_id: nonsense, proxy_id: 0f46fc46396e4fb19a0cb52f578e9511po01}    # 19:19: .*instance_id
  - {instance_id: 517ea793ab91438cbfcd9c4b1c958b1ein07}                        # 20:5: .*proxy_id
"""


@pytest.mark.parametrize("verb", ["plan", "run", "status", "hold"])
def test_all_problems_at_once_with_their_places(desk: Desk, verb: str) -> None:
    desk.plan.write_text(PROBLEMS)
    words = {"plan": ("--offline",), "hold": ("--note", "x")}.get(verb, ())
    ended = desk.cli(verb, desk.plan.name, *words)
    assert ended.code == 2
    assert ended.stdout == ""
    assert not desk.state.exists()
    for line in PROBLEMS.splitlines():
        if expected := re.search(r"# (\d+:\d+: .*)", line):
            place, _, words_there = expected[1].partition(": ")
            found = [each for each in ended.messages if each.startswith(f"prod.yaml:{place}: ")]
            assert found, f"nothing about {place} in {ended.messages}"
            assert any(re.search(words_there.replace("?", r"\?"), each) for each in found), found
    assert "abc" not in ended.stderr, "what may be a secret is never repeated"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "prod.yaml"),
        (b"- a list\n", "prod.yaml:1:1"),
        (b"version: 1\n  bad indent: [\n", "prod.yaml:2"),
        (b"version: \xff\xfe\n", "UTF-8"),
        (b"a: &a [x,x]\nb: &b [*a,*a]\nc: [" + b"[" * 200 + b"]" * 200 + b"]\n", "prod.yaml:3"),
        (b"version: 1\x00\n", "prod.yaml"),
        (b"version: !!python/object:os.system 1\n", "prod.yaml:1"),
    ],
    ids=["empty", "a list", "bad indent", "not text", "deep", "nul", "tag"],
)
def test_files_that_are_no_plan(desk: Desk, content: bytes, says: str) -> None:
    desk.plan.write_bytes(content)
    ended = desk.cli("plan", desk.plan.name, "--offline")
    assert ended.code == 2
    assert says in ended.stderr


def test_plans_that_cannot_be_read(desk: Desk, tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.yaml", tmp_path):
        ended = desk.cli("plan", path, "--offline")
        assert ended.code == 2
        assert str(path) in ended.stderr


@pytest.mark.parametrize("plan", sorted(PLANS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_plan_can_be_previewed_offline(desk: Desk, plan: Path) -> None:
    ended = desk.cli("plan", plan, "--offline")
    assert (ended.code, ended.stderr) == (0, "")
    assert "2.24.03.000" in ended.stdout
    table = json.loads(desk.cli("run", plan, "--dry-run", "--offline", "--format", "json").stdout)
    assert table["target_version"] == "2.24.03.000"


def test_the_schema_of_plans_takes_every_example(desk: Desk) -> None:
    import yaml  # noqa: PLC0415  # only here

    schema = json.loads(desk.cli("schema", "plan").stdout)
    assert schema == json.loads((PLANS / "plan.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    for plan in PLANS.glob("*.yaml"):
        jsonschema.validate(yaml.load(plan.read_text(), Loader=yaml.BaseLoader), schema)  # noqa: S506  # text only


def test_a_preview_reads_and_never_writes(new_cloud: NewCloud) -> None:
    desk = new_cloud(4, already=1)
    ended = desk.cli("plan", "PLAN")
    assert (ended.code, ended.stderr) == (0, "")
    assert "2.23.12.000" in ended.stdout
    for proxy in desk.targets:
        assert proxy.proxy_id in ended.stdout
    told = json.loads(desk.cli("plan", "PLAN", "--format", "json").stdout)
    assert json.loads(desk.run("--dry-run", "--format", "json").stdout) == told
    calls = desk.books()["calls"]
    looks = {"proxy_version", "immediate_jobs", "scheduled_jobs", "schedule_events", "instances", "proxies"}
    assert set(calls) <= looks
    assert 3 * told["calls"]["read"] == sum(calls.values()), "three previews, and each counts its own calls"
    assert not desk.state.exists()
    assert desk.cli("plan", "PLAN", "--quiet").stdout == ""


def test_options_may_stand_before_or_after_the_verb(desk: Desk, tmp_path: Path) -> None:
    before = desk.cli("--quiet", "--state", tmp_path / "a", "plan", "PLAN", "--offline")
    after = desk.cli("plan", "--offline", "PLAN", "--state", tmp_path / "a", "--quiet")
    assert before == after
    assert (before.code, before.stdout, before.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "VERB"),
        (("explode", "PLAN"), "explode"),
        (("run",), "PLAN"),
        (("run", "PLAN", "--frobnicate"), "--frobnicate"),
        (("run", "PLAN", "--until", "25:00"), "--until"),
        (("run", "PLAN", "--until", "2026-01-01T00:00:00"), "offset"),
        (("run", "PLAN", "--max-duration", "50"), "--max-duration"),
        (("run", "PLAN", "--wait", "soon"), "--wait"),
        (("run", "PLAN", "--speed", "0", "--simulate"), "--speed"),
        (("run", "PLAN", "--set", "limits.rate"), "KEY=VALUE"),
        (("run", "PLAN", "--set", "limits.rate=fast"), "--set: limits.rate: expected a rate"),
        (("run", "PLAN", "--set", "waves=[]"), "cannot be set"),
        (("run", "PLAN", "--only-outcome", "broken"), "broken"),
        (("hold", "PLAN"), "--note"),
        (("report", "PLAN", "--format", "xml"), "xml"),
        (("report", "PLAN", "--run", "../../etc"), "../../etc"),
        (("schema", "fleet"), "fleet"),
        (("simulate", "--instances", "-1"), "instances"),
        (("simulate", "--faults", "nowhere.yaml"), "nowhere.yaml"),
        (("run", "PLAN", "--simulate", "--faults", "nowhere.yaml"), "nowhere.yaml"),
    ],
    ids=" ".join,
)
def test_command_lines_that_are_wrong(desk: Desk, words: tuple[str, ...], says: str) -> None:
    ended = desk.cli(*words)
    assert ended.code == 2
    assert ended.stdout == ""
    assert says in ended.stderr
    assert not (desk.fleet / "runs").exists()


@pytest.mark.parametrize("verb", ["run", "plan", "status", "report", "hold", "release", "settle", "simulate", "schema"])
def test_every_verb_has_help(desk: Desk, verb: str) -> None:
    ended = desk.cli(verb, "--help")
    assert (ended.code, ended.stderr) == (0, "")
    assert ended.stdout.startswith(f"usage: orchestrator {verb}")


def test_two_plans_cannot_have_one_fleet(new_cloud: NewCloud) -> None:
    desk = new_cloud(1)
    assert desk.run().code == 0
    other = desk.folder / "other.yaml"
    other.write_text(desk.plan.read_text().replace('"version": 1', '"version": 1, "name": "prod"'))
    ended = desk.cli("run", other)
    assert ended.code == 2
    assert str(desk.plan) in ended.stderr
    desk.plan.unlink()
    assert desk.cli("run", other).code == 0, "the fleet moves on when its plan is gone"
