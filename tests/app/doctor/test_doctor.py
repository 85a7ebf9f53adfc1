"""What `doctor` finds: of answers, of a scope that is asked, of a host. No test here needs a network."""

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import anyio
import jsonschema
import msgspec
import pytest
from fakes.e2e import cloud_desk
from fakes.memory_state import MemoryState
from fakes.recorded import make_plan, make_targets
from msgspec import structs

from orchestrator.app.doctor import judge_answers
from orchestrator.app.doctor.diagnosis import Diagnosis, all_well
from orchestrator.app.doctor.diagnosis_lines import diagnosis_lines
from orchestrator.app.doctor.doctor_document import doctor_document, doctor_schema
from orchestrator.app.doctor.examine import ask_scopes
from orchestrator.app.doctor.look_at_host import disk, lock, look_at_host
from orchestrator.app.doctor.look_at_receivers import look_at_receivers
from orchestrator.app.scopes.inventory_api import ApiVersion
from orchestrator.clock import SystemClock
from orchestrator.executor.rate.fixed_rate import WindowPacer
from orchestrator.executor.rate.lanes import Lanes
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.model.plan.plan import Discover, InstanceFilter, Metrics, Notify, Retry
from orchestrator.model.reply.reply import (
    Answered,
    Doubtful,
    Exchange,
    Failure,
    JobPage,
    NotSent,
    Page,
    ProxyVersion,
    Refused,
    Reply,
    Throttled,
    Unauthenticated,
)
from orchestrator.tracker.folder.state_folder import FolderState
from orchestrator.tracker.state_store import DiskTrial

TARGETS = make_targets(2)
PLAN = make_plan(TARGETS)
SCOPE = TARGETS[0].scope
FOUND = structs.replace(PLAN, proxies=(), discover=(Discover(scope=SCOPE),))
T = TypeVar("T")
OK = Exchange(http_status=200, cloud_offset_s=-0.4)
FORBIDDEN = Refused("no permission", Exchange(http_status=403, error_code="DBS.200010"))
UNKNOWN = Refused("no such proxy", Exchange(http_status=404, error_code="DBS.200543"), not_found=True)
BAD_TOKEN = Unauthenticated("The token must be updated", Exchange(http_status=401))


@dataclass
class Cloud:
    """Answers as it is told to; it has no way to upgrade anything.

    Attributes:
        refuses: by the name of a call, what it answers instead.
        credentials: why there are none.
        renewed: what the first read answers once credentials were renewed.
    """

    refuses: dict[str, Any] = field(default_factory=dict)
    credentials: Failure | None = None
    renewed: Reply[JobPage] | None = None
    asked: Counter[str] = field(default_factory=Counter)
    generation: int = 0
    project_id: str | None = "p"

    async def prepare(self) -> Failure | None:
        return self.credentials

    async def renew(self) -> Failure | None:
        self.asked["renew"] += 1
        if self.renewed is not None:
            self.refuses["jobs"] = self.renewed
        return self.credentials

    async def jobs(self, **_query: Any) -> Reply[JobPage]:
        return self._answer("jobs", JobPage(jobs=(), total_count=0))

    async def instances(
        self, *, offset: int, version: ApiVersion = "v3.1", filters: Mapping[str, str] | None = None
    ) -> Reply[Page]:
        del offset, version, filters
        row = {"id": TARGETS[0].instance_id, "proxy_ips": ["10.0.0.1"]}
        return self._answer("instances", Page(rows=(row,), total_count=1))

    async def instance_details(self, instance_ids: Sequence[str]) -> Reply[Page]:
        raise AssertionError(f"nobody asks for {instance_ids}")

    async def scheduled_upgrade(self, instance_id: str, proxy_id: str) -> Reply[Page]:
        raise AssertionError(f"nobody asks for {instance_id} {proxy_id}")

    async def proxies(self, instance_id: str) -> Reply[Page]:
        del instance_id
        row = {"proxy": {"pool_id": TARGETS[0].proxy_id, "name": "rw"}}
        return self._answer("proxies", Page(rows=(row,), total_count=1))

    async def proxy_version(self, instance_id: str, proxy_id: str) -> Reply[ProxyVersion]:
        del instance_id, proxy_id
        return self._answer("version", ProxyVersion(current_version="2.23.12.000"))

    def _answer(self, call: str, value: T) -> Reply[T]:
        self.asked[call] += 1
        refusal: Reply[T] | None = self.refuses.get(call)
        return refusal or Answered(value, OK)


class Told(WindowPacer):
    """Its first claim finds that another process was told to pause."""

    def claim(self, now_s: float, *, waited: bool) -> float:
        del waited
        self.throttle(now_s, 600.0)
        return 600.0


def scope_of(cloud: Cloud, pacer: type[WindowPacer] = WindowPacer) -> ScopeCalls:
    clock = SystemClock()
    return ScopeCalls(
        name=SCOPE,
        api=cloud,  # type: ignore[arg-type]  # without the call that upgrades
        lanes=Lanes(pacer(100_000.0), clock),
        retry=Retry(),
        clock=clock,
        chance=lambda: 0.0,
        note=lambda _record: None,
    )


def asked(
    cloud: Cloud, *, discovers: bool = False, pacer: type[WindowPacer] = WindowPacer, **entry: Any
) -> dict[str, Diagnosis]:
    """What asking a scope with this cloud finds, by what was looked at."""
    plan, targets = (FOUND, ()) if discovers else (PLAN, TARGETS)
    if entry:
        plan = structs.replace(plan, discover=(Discover(scope=SCOPE, instances=InstanceFilter(**entry)),))

    async def story() -> list[Diagnosis]:
        return await ask_scopes(plan, targets, {SCOPE: scope_of(cloud, pacer)})

    return {diagnosis.check: diagnosis for diagnosis in anyio.run(story)}


def states(found: dict[str, Diagnosis]) -> dict[str, str]:
    return {check: diagnosis.state for check, diagnosis in found.items()}


def test_a_pause_that_another_process_was_told_is_not_waited_for() -> None:
    cloud = Cloud()
    found = asked(cloud, pacer=Told)
    assert cloud.asked == {}
    assert states(found) == dict.fromkeys(("endpoint", "clock", "credentials"), "untried")
    assert found["endpoint"].words == "all who share its rate pause, for another 10 min"


# --- a scope ---------------------------------------------------------------------------------------------------------


def test_a_scope_that_lets_the_plan_read_costs_three_calls() -> None:
    cloud = Cloud()
    found = asked(cloud)
    assert all_well(list(found.values()))
    assert list(found) == ["endpoint", "clock", "credentials", "read jobs", "list proxies", "read versions"]
    assert cloud.asked == {"jobs": 1, "proxies": 1, "version": 1}


@pytest.mark.parametrize(("cloud", "usable"), [(Cloud(), True), (Cloud({"jobs": BAD_TOKEN}), False)])
def test_a_scope_that_answers_can_be_asked_for_its_metrics_too(cloud: Cloud, usable: bool) -> None:
    scope = scope_of(cloud)
    anyio.run(ask_scopes, PLAN, TARGETS, {SCOPE: scope})
    assert scope.open is usable


def test_a_discovery_is_tried_on_the_first_instance_that_it_finds() -> None:
    cloud = Cloud()
    assert asked(cloud, discovers=True)["read versions"].state == "well"
    assert cloud.asked == {"jobs": 1, "instances": 1, "proxies": 1, "version": 1}


def test_a_discovery_that_names_its_instances_needs_no_list() -> None:
    found = asked(Cloud(), discovers=True, ids=(TARGETS[0].instance_id,))
    assert "list instances" not in found
    assert found["read versions"].state == "well"


@pytest.mark.parametrize(
    ("call", "check", "action"),
    [
        ("jobs", "read jobs", "gaussdbformysql:task:list"),
        ("instances", "list instances", "gaussdbformysql:instance:list"),
        ("proxies", "list proxies", "gaussdbformysql:proxy:list"),
        ("version", "read versions", "gaussdbformysql:proxy:list"),
    ],
)
def test_a_read_that_is_forbidden_names_its_permission(call: str, check: str, action: str) -> None:
    diagnosis = asked(Cloud({call: FORBIDDEN}), discovers=True)[check]
    assert diagnosis.state == "wrong"
    assert diagnosis.remedy is not None
    assert action in diagnosis.remedy


def test_a_proxy_that_does_not_exist_is_a_mistake_in_the_plan() -> None:
    diagnosis = asked(Cloud({"version": UNKNOWN}))["read versions"]
    assert diagnosis.state == "wrong"
    assert diagnosis.remedy is not None
    assert "ids in the plan" in diagnosis.remedy


def test_wrong_credentials_are_refused_twice_and_nothing_more_is_asked() -> None:
    cloud = Cloud({"jobs": BAD_TOKEN})
    found = asked(cloud)
    assert states(found) == {"endpoint": "well", "clock": "untried", "credentials": "wrong"}
    assert cloud.asked == {"jobs": 2, "renew": 1}


def test_credentials_that_are_good_once_renewed_are_well() -> None:
    cloud = Cloud({"jobs": BAD_TOKEN}, renewed=Answered(JobPage(jobs=(), total_count=0), OK))
    assert all_well(asked(cloud).values())


def test_without_credentials_nothing_is_asked() -> None:
    cloud = Cloud(credentials=Unauthenticated("TOKEN is not set", Exchange()))
    assert states(asked(cloud)) == {"credentials": "wrong"}
    assert set(cloud.asked) <= {"renew"}


@pytest.mark.parametrize("reply", [NotSent("connection refused"), Doubtful("connection closed", Exchange())])
def test_an_endpoint_that_does_not_answer_is_wrong_and_asked_once(reply: Any) -> None:
    cloud = Cloud({"jobs": reply})
    assert states(asked(cloud)) == {"endpoint": "wrong", "clock": "untried", "credentials": "untried"}
    assert cloud.asked == {"jobs": 1}


def test_a_pause_that_the_cloud_asks_for_is_not_waited_for() -> None:
    found = asked(Cloud({"jobs": Throttled(3600.0, Exchange(http_status=429, error_msg="too many"))}))
    assert states(found)["endpoint"] == "well"
    assert {diagnosis.state for check, diagnosis in found.items() if check.startswith(("read", "list"))} == {"wrong"}


# --- clock -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offset_s", "state", "words"),
    [
        (-0.4, "well", "agrees with the cloud's, to 1.2 s"),
        (10.0, "well", "at least 10.0 s behind the cloud's"),
        (-10.0, "well", "at least 8.8 s ahead of the cloud's"),
        (61.0, "wrong", "at least 61.0 s behind the cloud's"),
        (-3600.0, "wrong", "at least 3598.8 s ahead of the cloud's"),
        (None, "untried", "the answer had no Date"),
    ],
)
def test_a_clock_is_wrong_only_when_it_surely_is(offset_s: float | None, state: str, words: str) -> None:
    diagnosis = judge_answers.clock("scope s", Exchange(http_status=200, duration_ms=200, cloud_offset_s=offset_s))
    assert (diagnosis.state, diagnosis.words) == (state, words)


def test_of_no_answer_it_is_not_said_that_it_lacked_something() -> None:
    diagnosis = judge_answers.clock("scope s", Exchange())
    assert (diagnosis.state, diagnosis.words) == ("untried", "there was no answer")


# --- host ------------------------------------------------------------------------------------------------------------


def test_a_host_that_has_everything() -> None:
    found = list(look_at_host(PLAN, MemoryState(), lambda: 0.0))
    assert [diagnosis.check for diagnosis in found] == ["disk", "fleet", "lock", "open files"]
    assert all_well(found)


@pytest.mark.parametrize(("seconds", "free_bytes"), [(0.6, 10**12), (0.001, 10**7)])
def test_a_disk_that_is_slow_or_nearly_full_is_wrong(seconds: float, free_bytes: int) -> None:
    assert disk("state", DiskTrial(seconds, free_bytes)).state == "wrong"
    assert disk("state", DiskTrial(0.001, 10**12)).state == "well"


def test_a_process_that_holds_the_lock_is_named_and_nothing_is_wrong() -> None:
    diagnosis = lock("process 7 on vm, since 22:00")
    assert diagnosis.state == "well"
    assert diagnosis.words.startswith("process 7 on vm")


def test_a_fleet_of_another_plan_and_a_state_that_is_a_file_are_diagnosiss(tmp_path: Path) -> None:
    state = MemoryState()
    (tmp_path / "other.yaml").touch()
    state.fleet(PLAN.name).claim(tmp_path / "other.yaml")
    (tmp_path / "file").touch()
    found = {diagnosis.check: diagnosis for diagnosis in look_at_host(PLAN, state, lambda: 0.0)}
    assert found["fleet"].state == "wrong"
    folder = {
        diagnosis.check: diagnosis for diagnosis in look_at_host(PLAN, FolderState(tmp_path / "file/s"), lambda: 0.0)
    }
    assert folder["disk"].state == "wrong"
    assert folder["disk"].remedy


# --- what is printed, and the verb -----------------------------------------------------------------------------------


def test_each_check_has_a_mark_and_below_it_what_to_do() -> None:
    lines = list(
        diagnosis_lines([Diagnosis("host", "disk", "well", "fine"), Diagnosis("host", "lock", "wrong", "a\nb", "c")])
    )
    assert lines == ["✓ host  disk  fine", "✗ host  lock  a", " " * 14 + "b", " " * 14 + "to do: c"]


def test_the_verb_leaves_nothing_behind_and_says_what_is_wrong(tmp_path: Path) -> None:
    with cloud_desk(tmp_path, 2) as desk:
        well = desk.cli("doctor", "PLAN")
        assert (well.code, well.stderr) == (0, "")
        assert "✗" not in well.stdout
        wrong = desk.cli("doctor", "PLAN", "--quiet", environ={"HW_AUTH_TOKEN": "wrong"})
        assert wrong.code == 1
        assert [line[0] for line in wrong.stdout.splitlines()] == ["✗", " "]
        assert desk.books()["upgrade_calls"] == []
        assert not desk.state.exists()


def test_what_programs_read_is_as_the_schema_says_it() -> None:
    found = [*look_at_host(PLAN, MemoryState(), lambda: 0.0), *asked(Cloud({"jobs": BAD_TOKEN})).values()]
    document = json.loads(msgspec.json.encode(doctor_document("prod", [*found, judge_answers.upgrades_untried()])))
    jsonschema.validate(document, doctor_schema())
    assert (document["schema"], document["name"], document["well"]) == ("orchestrator.doctor/1", "prod", False)
    assert document["diagnoses"][-1]["state"] == "untried"
    assert document["diagnoses"][0]["remedy"] is None


def test_that_upgrades_are_allowed_is_never_claimed() -> None:
    diagnosis = judge_answers.upgrades_untried()
    assert diagnosis.state == "untried"
    assert "gaussdb:proxy:upgrade" in diagnosis.words


@pytest.mark.parametrize(("folder", "state"), [(".", "well"), ("nowhere", "wrong")])
def test_the_folder_of_the_metrics_is_looked_at_where_the_plan_has_one(tmp_path: Path, folder: str, state: str) -> None:
    plan = structs.replace(PLAN, metrics=Metrics(textfile=str(tmp_path / folder / "prod.prom")))
    [*_, found] = look_at_host(plan, FolderState(tmp_path / "state"), SystemClock().monotonic)
    assert (found.check, found.state) == ("metrics", state)
    [*_, last] = look_at_host(PLAN, FolderState(tmp_path / "state"), SystemClock().monotonic)
    assert last.check == "open files"


def test_receivers_are_looked_at_and_told_nothing() -> None:
    entries = (
        Notify(command=("true",)),
        Notify(command=("no-such-program",)),
        Notify(webhook_env="HOOK"),
        Notify(webhook_env="HOOK", secret_env="KEY"),
        Notify(ping_env="PING"),
        Notify(apprise_env="APP"),
    )
    plan = structs.replace(PLAN, notify=entries)
    environ = {"PATH": os.environ["PATH"], "HOOK": "https://host/very-secret", "PING": "http://192.0.2.1/very-secret"}
    found = list(look_at_receivers(plan, environ))
    assert [each.state for each in found] == ["well", "wrong", "untried", "wrong", "wrong", "wrong"], (
        "whether an address answers is never claimed"
    )
    assert [each.words for each in found if each.state == "wrong"][1:] == [
        "webhook_env HOOK: $KEY is not set",
        "ping_env PING: plain http would show the address to everyone on the way; use https, or http.allow_http",
        "apprise_env APP: $APP is not set",
    ]
    assert "very-secret" not in str(found)
