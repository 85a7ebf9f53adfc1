"""What is in deploy/hosts/ can be used as it is: files parse, and the commands in them are understood."""

import configparser
from typing import Any

import pytest
import yaml
from fakes.documents import read, shell_words

from orchestrator.cli.grammar.parser import parse
from orchestrator.host import HOST_VARIABLE

DATABASE = "postgresql://"


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(read("deploy/hosts/compose.yaml"))["services"]
    return found


def test_every_command_of_the_composition_is_one_of_ours(services: dict[str, Any]) -> None:
    verbs = {name: parse(each["command"]).verb for name, each in services.items() if "command" in each}
    assert verbs == {"tables": "state", "cloud": "simulate", "run": "run", "worker-2": "worker", "worker-3": "worker"}


def test_the_hosts_of_the_composition_share_a_database_and_have_names_of_their_own(services: dict[str, Any]) -> None:
    hosts = [services[name] for name in ("run", "worker-2", "worker-3")]
    environs = [each["environment"] for each in hosts]
    assert len({each[HOST_VARIABLE] for each in environs}) == 3
    (state,) = {each["ORCHESTRATOR_STATE"] for each in environs}
    assert state.startswith(DATABASE)
    assert services["database"]["environment"]["POSTGRES_PASSWORD"] == environs[0]["PGPASSWORD"]
    assert parse(services["cloud"]["command"]).token == environs[0]["HW_AUTH_TOKEN"]
    assert {each["network_mode"] for each in hosts} == {"service:cloud"}, "it answers on loopback alone"
    assert parse(services["run"]["command"]).plan == parse(services["cloud"]["command"]).write_plan


def test_the_deployment_hands_over_when_a_pod_is_ended_and_never_loses_all_of_them() -> None:
    documents = {each["kind"]: each for each in yaml.safe_load_all(read("deploy/hosts/worker.yaml"))}
    deployment, budget = documents["Deployment"]["spec"], documents["PodDisruptionBudget"]["spec"]
    pod = deployment["template"]["spec"]
    (container,) = pod["containers"]
    assert parse(container["args"]).verb == "worker"
    assert deployment["replicas"] >= 2
    assert budget["maxUnavailable"] == 1
    assert budget["selector"] == deployment["selector"]
    assert deployment["template"]["metadata"]["labels"] == deployment["selector"]["matchLabels"]
    assert pod["terminationGracePeriodSeconds"] > 2 * 30  # a call under way takes at most http.timeout
    names = {entry["name"]: entry["valueFrom"] for entry in container["env"]}
    assert "secretKeyRef" in names["ORCHESTRATOR_STATE"]
    assert names[HOST_VARIABLE] == {"fieldRef": {"fieldPath": "metadata.name"}}
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts.keys() == {volume["name"] for volume in pod["volumes"]}
    assert container["workingDir"] == mounts["reports"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True


def test_the_service_stands_by_for_ever_and_hands_over_when_it_is_stopped() -> None:
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's keys have capitals
    parser.read_string(read("deploy/hosts/orchestrator-worker.service"))
    service = parser["Service"]
    program, *arguments = shell_words(service["ExecStart"])
    assert program.endswith("/orchestrator")
    options = parse(arguments)
    assert (options.verb, options.once) == ("worker", False)
    assert (service["Restart"], service["KillMode"]) == ("always", "mixed")
    assert int(service["TimeoutStopSec"]) > 2 * 30
    assert parser["Install"]["WantedBy"] == "multi-user.target"


def test_the_image_brings_what_a_state_in_a_database_needs() -> None:
    assert "'.[hosts]'" in read("deploy/hosts/Dockerfile")
