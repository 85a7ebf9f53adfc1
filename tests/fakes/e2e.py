"""The command line as a real process, beside a simulated cloud in this one: a plan in; exit code and report out."""

import json
import os
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from auditor.audit import audit
from fakes.held_jobs import end_jobs
from fakes.processes import PATIENCE_S, Ended, Running, start

from orchestrator.simulator.cloud import SimulatedCloud
from orchestrator.simulator.config import SimulatedTarget, SimulatorConfig
from orchestrator.simulator.embedded import embedded_cloud
from orchestrator.simulator.profile import Profile, Timing

OLD, NEW = "2.23.12.000", "2.24.03.000"
PROJECT = "054e292c9880d4992f02c0196d3ea468"
NOBODY = "http://127.0.0.1:9"  # the discard port, where nobody listens
TOKEN = "token-of-the-end-to-end-tests"
NOT_RECOVERED = "workflow_id not recovered"
#: At speed 1000 a job takes 0.1 to 0.5 s.
SPEED = 1000.0
#: Before the division by the speed: a job can be found at once; a late effect comes within 0.2 s.
TIMING = Timing(visible_s=(0.0, 1.0), visible_late_s=(100.0, 200.0), effect_late_s=(50.0, 200.0))

#: Durations that suit a cloud at speed 1000, where a job takes 0.1 to 0.5 s. Pauses are short. Bounds are so long that
#: no busy machine reaches them: a test that is about a bound sets it, in a world where nothing else ends the wait.
PACE: dict[str, Any] = {
    "waves": [{"name": "canary", "size": 1, "max_failures": 0}, {"name": "rest"}],
    "limits": {"rate": "200/s", "in_flight": 10, "ramp": "false"},
    "failures": {"max": "100%", "max_rejected": "100%", "mode": "soft"},
    "follow": {"poll": "40ms", "expected": "250ms", "timeout": "10m", "verify_for": "1m"},
    "retry": {"attempts": 5, "backoff": "20ms", "max_backoff": "100ms", "busy": "50ms", "busy_for": "1m"},
    "http": {"timeout": "30s", "connect_timeout": "30s"},
}
#: Where an answer never comes, or a doubt must last its time: a doubt ends after twice the time-out of a call. What is
#: late only on a busy machine is a doubt as well, so what a test expects must hold with it.
IMPATIENT: dict[str, Any] = {"http": {"timeout": "2s"}, "retry": {"resend_after": "500ms"}}


def sim_targets(count: int, *, per_instance: int = 1, already: int = 0) -> tuple[SimulatedTarget, ...]:
    """Proxies with valid ids, that run the old version; the first `already` of them the new one."""
    return tuple(
        SimulatedTarget(
            region="cn-north-4",
            project_id=PROJECT,
            instance_id=f"{number // per_instance:032x}in07",
            proxy_id=f"{number:032x}po01",
            source_version=NEW if number < already else OLD,
        )
        for number in range(count)
    )


@dataclass
class Desk:
    """A fleet as its operator has it: a folder with a plan and a state folder, an environment, a command line.

    Attributes:
        folder: of the plan.
        url: of the cloud that the plan names.
        targets: of the plan.
        cloud: behind the address, where it is a simulated one of this process.
    """

    folder: Path
    url: str = NOBODY
    targets: Sequence[SimulatedTarget] = ()
    token: str = TOKEN
    name: str = "prod"
    cloud: SimulatedCloud | None = None
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def plan(self) -> Path:
        return self.folder / f"{self.name}.yaml"

    @cached_property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def named(self) -> str:
        """The plan as commands that the program advises name it."""
        return f"{self.plan} --state {self.state}"

    @property
    def fleet(self) -> Path:
        return self.state / self.name

    @property
    def run_folder(self) -> Path:
        return (self.fleet / "latest").resolve()

    # --- plans -------------------------------------------------------------------------------------------------------

    def write(self, **changes: Any) -> Path:
        """Write the plan; a change replaces a key, None removes it, and a mapping is merged with what is there."""
        content = self.content()
        for key, value in changes.items():
            known = content.get(key)
            content[key] = {**known, **value} if isinstance(known, dict) and isinstance(value, dict) else value
        kept = {key: value for key, value in content.items() if value is not None}
        self.plan.write_text(json.dumps(kept, indent=1), encoding="utf-8")  # JSON is YAML
        return self.plan

    def content(self) -> dict[str, Any]:
        return {
            "version": 1,
            "region": "cn-north-4",
            "project_id": PROJECT,
            "endpoint": self.url,
            "iam_endpoint": self.url,
            "target_version": NEW,
            **PACE,
            "proxies": [{"instance_id": each.instance_id, "proxy_id": each.proxy_id} for each in self.targets],
        }

    # --- processes ---------------------------------------------------------------------------------------------------

    def start(
        self,
        *arguments: str | Path,
        environ: Mapping[str, str] | None = None,
        wrapper: Sequence[str] = (),
        **options: Any,
    ) -> Running:
        """Start a command line, in which the word `PLAN` stands for the path of the plan.

        Args:
            environ: what is added to the environment.
            wrapper: the command that runs the command line.
            options: of `Popen`.
        """
        words = [str(self.plan) if word == "PLAN" else str(word) for word in arguments]
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        environ = {**self.base_environ(), **self.environ, **(environ or {})}
        return start(["orchestrator", *words], environ=environ, folder=self.folder, wrapper=wrapper, **options)

    def base_environ(self) -> dict[str, str]:
        keep = {key: os.environ[key] for key in ("PATH", "LANG", "TMPDIR") if key in os.environ}
        home = {"HOME": str(self.folder), "USER": "tester", "LOGNAME": "tester", "HW_AUTH_TOKEN": self.token}
        return {**keep, **home, "ORCHESTRATOR_STATE": str(self.state), "PYTHONPATH": str(_ROOT)}

    def cli(self, *arguments: str | Path, environ: Mapping[str, str] | None = None, **options: Any) -> Ended:
        """Run a command line to its end. Whatever it was, it ends without a traceback or a Python warning."""
        ended = self.start(*arguments, environ=environ, **options).end()
        assert "Traceback" not in ended.stderr, ended.stderr
        assert "Warning:" not in ended.stderr, ended.stderr
        assert "never retrieved" not in ended.stderr, ended.stderr
        return ended

    def run(self, *arguments: str | Path, **options: Any) -> Ended:
        """`run PLAN …`."""
        return self.cli("run", "PLAN", *arguments, **options)

    def end_jobs(self) -> None:
        """Let the held jobs of the cloud end; see `fakes.held_jobs`."""
        assert self.cloud is not None
        end_jobs(self.cloud)

    # --- what came of it ---------------------------------------------------------------------------------------------

    @property
    def report(self) -> dict[str, Any]:
        """The report of the latest run, as it lies in its folder."""
        found: dict[str, Any] = json.loads((self.run_folder / "report.json").read_text(encoding="utf-8"))
        return found

    def outcomes(self) -> dict[str, str]:
        return {target["proxy_id"]: target["outcome"] for target in self.report["targets"]}

    def records(self) -> list[dict[str, Any]]:
        """The journal of the latest run; a torn last line is left out."""
        lines = (self.run_folder / "journal.ndjson").read_bytes().split(b"\n")[:-1]
        return [json.loads(line) for line in lines]

    def books(self) -> dict[str, Any]:
        """What really happened in the cloud."""
        with urllib.request.urlopen(f"{self.url}/_simulated/books", timeout=PATIENCE_S) as response:  # loopback
            found: dict[str, Any] = json.loads(response.read())
        return found

    def effective_starts(self) -> Counter[str]:
        """How many upgrades of each proxy really began."""
        books = self.books()
        return Counter({each["proxy_id"]: each["effective_starts"] for each in books["proxies"]})

    def until(self, happened: Callable[[], bool], timeout_s: float = PATIENCE_S) -> None:
        """Wait until something has happened."""
        deadline = time.monotonic() + timeout_s
        while not happened():
            assert time.monotonic() < deadline, "it did not happen"
            time.sleep(0.05)

    def until_recorded(self, *names: str, count: int = 1, timeout_s: float = PATIENCE_S) -> None:
        """Wait until the journal has so many records of one of these names."""

        def there() -> bool:
            journal = self.run_folder / "journal.ndjson"
            return journal.exists() and sum(record["record"] in names for record in self.records()) >= count

        self.until(there, timeout_s)


_ROOT = Path(__file__).parent.parent.parent


@contextmanager
def cloud_desk(
    folder: Path,
    count: int = 3,
    *,
    kind: type[Desk] = Desk,
    per_instance: int = 1,
    already: int = 0,
    seed: int = 1,
    **profile: Any,
) -> Iterator[Desk]:
    """A simulated cloud of so many proxies, with the keys of a fault profile, and a desk with a plan for it."""
    targets = sim_targets(count, per_instance=per_instance, already=already)
    faults = Profile(**{"timing": TIMING, **profile})
    config = SimulatorConfig(seed=seed, speed=SPEED, targets=targets, token=TOKEN, faults=faults)
    with embedded_cloud(config) as address:
        desk = kind(folder, url=address.url, targets=targets, cloud=address.cloud)
        desk.write()
        yield desk


#: Makes what `cloud_desk` describes.
NewCloud = Callable[..., Desk]


def expect_truth(desk: Desk) -> dict[str, Any]:
    """Hold the latest report against the journal, and against the cloud's books: nothing twice, lost, or made up.

    Upgrades that earlier runs of the fleet tell of are theirs. Returns the report.
    """
    assert audit(desk.run_folder) == []
    report, books = desk.report, desk.books()
    told_before = _workflows_of_earlier_runs(desk)
    began: dict[str, set[str]] = {}
    for call in books["upgrade_calls"]:
        if call["started"] and call["workflow_id"] not in told_before:
            began.setdefault(call["proxy_id"], set()).add(call["workflow_id"])
    versions = {proxy["proxy_id"]: proxy["version"] for proxy in books["proxies"]}
    for target in report["targets"]:
        _expect_true(target, began.pop(target["proxy_id"], set()), versions)
    assert not began, "an upgrade of a proxy that is not in the report"
    return report


def _workflows_of_earlier_runs(desk: Desk) -> set[str]:
    earlier = [path for path in (desk.fleet / "runs").glob("*/report.json") if path.parent != desk.run_folder]
    reports = [json.loads(path.read_text(encoding="utf-8")) for path in earlier]
    return {told for report in reports for target in report["targets"] for told in target["workflow_ids"]}


def _expect_true(target: dict[str, Any], began: set[str], versions: dict[str, str]) -> None:
    proxy_id, told = target["proxy_id"], set(target["workflow_ids"])
    assert len(began) <= 1, f"{proxy_id} was upgraded twice: {began}"
    stated = NOT_RECOVERED in json.dumps([target["evidence"], target["reason"]]) or target["settled_by"]
    assert began <= told or stated or target["outcome"] in ("in_doubt", "in_flight"), f"{proxy_id}: {began} is lost"
    assert told <= began, f"{proxy_id}: {told - began} is claimed, and never began"
    if target["outcome"] == "succeeded" and not target["settled_by"]:
        assert versions[proxy_id] == NEW, f"{proxy_id} did not succeed"
    if target["outcome"] in ("rejected", "skipped", "deferred", "already", "not_started"):
        assert not began, f"{proxy_id} is {target['outcome']}, but {began} began"
