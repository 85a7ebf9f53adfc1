"""What is in deploy/ can be used as it is: files parse, and the commands in them are understood."""

import configparser
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from fakes.documents import ROOT, read, shell_words

from orchestrator.cli.grammar.parser import parse
from orchestrator.cli.options import Options
from orchestrator.errors import ExitCode
from orchestrator.planner.plan_file.load import load_plan

CRON_JOB = "deploy/kubernetes/base/cronjob.yaml"
OVERLAY = ROOT / "deploy/kubernetes/overlays/prod"

_FIELD = re.compile(r"(\*|\d+(-\d+)?)(,\d+(-\d+)?)*(/\d+)?")


def _cron_lines() -> Iterator[list[str]]:
    for line in read("deploy/crontab").splitlines():
        if line and not line.startswith("#") and not re.match(r"[A-Z_]+=", line):
            yield line.split(maxsplit=6)


def _started_by(command: str) -> Options:
    program, *arguments = shell_words(command)
    assert program.rpartition("/")[2] == "orchestrator"
    return parse(arguments)


def test_the_crontab_starts_a_run_at_night_and_again_every_hour() -> None:
    lines = [line for line in _cron_lines() if _started_by(line[6]).verb == "run"]
    assert [line[1] for line in lines] == ["22", "23,0-4"]
    for *_, command in lines:
        options = _started_by(command)
        assert options.quiet
        assert options.log_file is not None
        assert "flock" not in command


def test_every_line_of_the_crontab_can_be_read_by_cron() -> None:
    for *fields, user, command in _cron_lines():
        assert all(_FIELD.fullmatch(field) for field in fields), fields
        assert user == "orchestrator"
        assert "%" not in command  # cron would turn it into a line break


def test_the_crontab_keeps_in_sight_what_later_nights_leave_alone() -> None:
    started = [(line[4], _started_by(line[6])) for line in _cron_lines()]
    others = [(weekday, each.verb, each.quiet) for weekday, each in started if each.verb != "run"]
    assert others == [("*", "plan", True), ("1", "status", False)]


def test_the_crontab_sets_who_gets_mail_and_where_the_state_is() -> None:
    assert re.search(r"^MAILTO=\S+@\S+$", read("deploy/crontab"), re.MULTILINE)
    assert re.search(r"^ORCHESTRATOR_STATE=/\S+$", read("deploy/crontab"), re.MULTILINE)


def _unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's keys have capitals
    parser.read_string(read(f"deploy/{name}"))
    return parser


def test_the_service_starts_a_run() -> None:
    service = _unit("orchestrator@.service")["Service"]
    options = _started_by(service["ExecStart"])
    assert (options.verb, options.plan.name) == ("run", "%i.yaml")
    assert [int(code) for code in service["SuccessExitStatus"].split()] == [ExitCode.LOCKED, ExitCode.MORE_TO_DO]
    assert service["User"] == "orchestrator"
    assert int(service["TimeoutStopSec"]) > 2 * 30  # a call under way takes at most http.timeout


def test_starts_end_by_the_clock_by_which_they_begin() -> None:
    """A schedule in one zone beside an `--until` in another lets starts go on into the day."""
    documents = {document["kind"]: document for document in yaml.safe_load_all(read(CRON_JOB))}
    job = documents["CronJob"]["spec"]
    container = job["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    assert job["timeZone"] == "Etc/UTC"
    assert parse(container["args"]).until == "05:00 UTC"
    assert _unit("orchestrator@.timer")["Timer"]["OnCalendar"].endswith(" UTC")
    assert _started_by(_unit("orchestrator@.service")["Service"]["ExecStart"]).until == "05:00 UTC"
    runs = [options for *_, command in _cron_lines() if (options := _started_by(command)).verb == "run"]
    assert {options.until for options in runs} == {"05:00"}  # both by the host's clock
    assert "TZ=" not in read("deploy/crontab")


def test_the_timer_starts_the_service() -> None:
    timer = _unit("orchestrator@.timer")
    assert timer["Timer"]["OnCalendar"].endswith("UTC")
    assert timer["Install"]["WantedBy"] == "timers.target"


@pytest.fixture(scope="module")
def cron_job() -> dict[str, Any]:
    documents = {document["kind"]: document for document in yaml.safe_load_all(read(CRON_JOB))}
    assert documents["PersistentVolumeClaim"]["spec"]["accessModes"] == ["ReadWriteOnce"]
    job: dict[str, Any] = documents["CronJob"]["spec"]
    return job


def test_the_cron_job_never_runs_two_pods(cron_job: dict[str, Any]) -> None:
    assert cron_job["concurrencyPolicy"] == "Forbid"
    assert all(_FIELD.fullmatch(field) for field in cron_job["schedule"].split())
    assert cron_job["jobTemplate"]["spec"]["backoffLimit"] == 0


def test_the_cron_job_starts_a_run_with_its_state_on_the_volume(cron_job: dict[str, Any]) -> None:
    pod = cron_job["jobTemplate"]["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert parse(container["args"]).verb == "run"
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    state = next(entry["value"] for entry in container["env"] if entry["name"] == "ORCHESTRATOR_STATE")
    assert state.startswith(mounts["state"])
    assert mounts.keys() == {volume["name"] for volume in pod["volumes"]}


def test_the_cron_job_has_no_rights_that_it_does_not_need(cron_job: dict[str, Any]) -> None:
    pod = cron_job["jobTemplate"]["spec"]["template"]["spec"]
    inner = pod["containers"][0]["securityContext"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["restartPolicy"] == "Never"
    assert inner["readOnlyRootFilesystem"] is True
    assert inner["capabilities"] == {"drop": ["ALL"]}


def test_the_overlay_brings_what_the_base_needs(cron_job: dict[str, Any]) -> None:
    overlay = yaml.safe_load((OVERLAY / "kustomization.yaml").read_text(encoding="utf-8"))
    (base,) = ((OVERLAY / each).resolve() for each in overlay["resources"])
    assert yaml.safe_load((base / "kustomization.yaml").read_text(encoding="utf-8"))["resources"] == ["cronjob.yaml"]
    pod = cron_job["jobTemplate"]["spec"]["template"]["spec"]
    needed = {each["configMap"]["name"] for each in pod["volumes"] if "configMap" in each}
    assert {each["name"] for each in overlay["configMapGenerator"]} == needed
    assert [each["name"] for each in overlay["images"]] == [pod["containers"][0]["image"].rpartition(":")[0]]
    plans = [OVERLAY / name for each in overlay["configMapGenerator"] for name in each["files"]]
    assert parse(pod["containers"][0]["args"]).plan.name in {plan.name for plan in plans}
    for plan in plans:
        assert load_plan(plan).scopes[0].auth.token_file == "/etc/orchestrator/secrets/token"  # of the mounted Secret


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl")
def test_kustomize_makes_a_cron_job_that_takes_the_plans_of_the_overlay() -> None:
    kubectl = shutil.which("kubectl") or ""
    made = subprocess.run([kubectl, "kustomize", OVERLAY], capture_output=True, text=True, check=True)
    documents = {each["kind"]: each for each in yaml.safe_load_all(made.stdout)}
    assert {each["metadata"]["namespace"] for each in documents.values()} == {"orchestrator-prod"}
    volumes = documents["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]["volumes"]
    assert {"configMap": {"name": documents["ConfigMap"]["metadata"]["name"]}, "name": "plans"} in volumes


def test_the_lock_has_every_library_of_the_image_with_its_hashes() -> None:
    entries = dict(re.findall(r"^([a-z0-9-]+)==\S+(.*(?:\n    .*)*)", read("deploy/requirements.lock"), re.MULTILINE))
    project = tomllib.loads(read("pyproject.toml"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["fast"], "setuptools"]
    assert {re.split(r"[^a-z0-9-]", each)[0] for each in wanted} - entries.keys() == set()
    assert [name for name, rest in entries.items() if "--hash=sha256:" not in rest] == []
    assert "--require-hashes -r requirements.lock" in read("deploy/Dockerfile")


def test_the_image_is_built_in_two_stages_and_runs_as_nobody_special(cron_job: dict[str, Any]) -> None:
    text = read("deploy/Dockerfile").replace("\\\n", " ")
    steps = [line.split(maxsplit=1) for line in text.splitlines() if line and line[0] not in "# "]
    assert [step[0] for step in steps].count("FROM") == 2
    user = next(value for name, value in steps if name == "USER")
    assert user == f"{cron_job['jobTemplate']['spec']['template']['spec']['securityContext']['runAsUser']}:10001"
    assert ["ENTRYPOINT", '["orchestrator"]'] in steps
    for _, value in (step for step in steps if step[0] == "COPY" and "--from" not in step[1]):
        assert all((ROOT / name).exists() for name in value.split()[:-1]), value


def test_log_rotation_covers_the_log_of_the_crontab() -> None:
    text = read("deploy/logrotate")
    pattern = next(line.split()[0] for line in text.splitlines() if line.endswith("{"))
    logs = [options.log_file for line in _cron_lines() if (options := _started_by(line[6])).log_file]
    assert all(log.match(pattern) for log in logs)
    assert text.count("{") == text.count("}") == 1
    assert "copytruncate" in text


def test_every_path_of_the_host_is_the_same_everywhere() -> None:
    for name in ("crontab", "orchestrator@.service", "README.md"):
        for path in ("/opt/orchestrator", "/var/lib/orchestrator", "/etc/orchestrator/plans"):
            assert path in read(f"deploy/{name}"), (name, path)
    assert shlex.split(read("deploy/runbook.md").split("export ")[1].splitlines()[0])[0].endswith(
        "/var/lib/orchestrator"
    )
