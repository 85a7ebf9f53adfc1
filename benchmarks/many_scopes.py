"""A fleet of 5,000 instances over 6 scopes: discovered, previewed, upgraded and audited, with the calls that it took.

Usage: many_scopes.py [INSTANCES [RATE]]: of all scopes together, and calls per second of each scope. The cloud is the
simulated one, in a process of its own, so both share the machine: the figures are those of the pair.

The cloud's books are held against the sums of docs/discovery.md: exit code 1 when a verb made one call more or less.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import ceil
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from pathlib import Path

from orchestrator.simulator.config import SimulatorConfig
from orchestrator.simulator.embedded import embedded_cloud
from orchestrator.simulator.profile import Lists, Profile

TOOL = [sys.executable, "-m", "orchestrator"]
REGIONS = ("cn-north-4", "cn-east-3", "cn-south-1", "cn-southwest-2", "ap-southeast-3", "tr-west-1")
#: What the cloud does to instances by itself: both are read where something is to be upgraded.
EVENT_LISTS = ("scheduled_jobs", "schedule_events")
#: Divides the upgrade's duration: 3 minutes and more take a third of a second and more.
SPEED = 600.0
WITHOUT_PROXY = 0.2
#: Looks at what goes on meanwhile: how many there are depends on how long the upgrades take.
LOOKS = ("job", "immediate_jobs", *EVENT_LISTS)
#: First looks and gaps suit upgrades of some 0.4 s.
PACE = {
    "follow": {"poll": "200ms", "expected": "500ms", "timeout": "60s", "verify_for": "5s"},
    "failures": {"max": "100%", "mode": "soft"},
}


def serve(config: SimulatorConfig, told: Connection) -> None:
    """The cloud, until its process is ended."""
    with embedded_cloud(config) as address:
        projects = address.cloud.world.projects.values()
        told.send((address.url, address.token, config.project_ids(), [len(project.proxies) for project in projects]))
        told.recv()


@contextmanager
def cloud(instances: int) -> Iterator[tuple[str, str, dict[str, str], list[int]]]:
    """A simulated cloud: its address, its token, the project of each region, and how many proxies each project has."""
    faults = Profile(lists=Lists(without_proxy=WITHOUT_PROXY))
    config = SimulatorConfig(speed=SPEED, regions=REGIONS, instances=instances, proxies=1, faults=faults)
    here, there = Pipe()
    process = Process(target=serve, args=(config, there), daemon=True)
    process.start()
    yield here.recv()
    here.send("stop")
    process.join()


def plan_of(folder: Path, url: str, projects: dict[str, str], rate: float) -> Path:
    """A plan that discovers everything. Each scope has credentials of its own, and so a rate of its own."""
    scopes = {
        region: {
            "region": region,
            "project_id": project_id,
            "endpoint": url,
            "iam_endpoint": url,
            "auth": {"token_env": f"TOKEN_{number}"},
        }
        for number, (region, project_id) in enumerate(projects.items())
    }
    plan = {
        "version": 1,
        "target_version": "2.24.03.000",
        "scopes": scopes,
        "discover": [{"scope": region} for region in projects],
        "waves": [{"name": "canary", "size": 6, "max_failures": 0}, {"name": "rest"}],
        "limits": {"rate": f"{rate:g}/s", "in_flight": "10%", "concurrency": 60},
        **PACE,
    }
    path = folder / "fleet.yaml"
    path.write_text(json.dumps(plan))  # JSON is YAML
    return path


def books(url: str) -> Counter[str]:
    """How often each call was made."""
    with urllib.request.urlopen(f"{url}/_simulated/books") as answer:
        return Counter(json.loads(answer.read())["calls"])


def expected(verb: str, instances: int, proxies: list[int]) -> Counter[str]:
    """The calls of a verb, by kind, without looks at upgrades under way: their number depends on how long these take.

    Args:
        verb: `plan` before the run, `run`, or `audit`, the plan after it.
        instances: in each scope.
        proxies: in each scope; one on each instance that has any.
    """
    found = Counter(
        immediate_jobs=len(proxies),  # the one call that a scope is tried with
        instances=len(proxies) * ceil(instances / 100),
        details=sum(ceil(count / 20) for count in proxies),
    )
    if verb != "audit":
        found += Counter(dict.fromkeys(EVENT_LISTS, len(proxies)))
    if verb != "run":
        return found + Counter(immediate_jobs=len(proxies), proxy_version=sum(proxies))
    return found + Counter(upgrade=sum(proxies), proxy_version=2 * sum(proxies), proxies=sum(proxies))


def step(name: str, url: str, environ: dict[str, str], command: Sequence[str], sums: Counter[str]) -> bool:
    """Run a command line, tell how long it took and what it asked for; whether it asked for what the sums say."""
    before, began = books(url), time.monotonic()
    ended = subprocess.run(
        [*TOOL, *command], env={**os.environ, **environ}, capture_output=True, text=True, check=False
    )
    seconds, calls = time.monotonic() - began, books(url) - before
    told = ", ".join(f"{count:,} {kind}" for kind, count in calls.most_common())
    print(
        f"{name}: exit {ended.returncode}, {seconds:.1f} s, {calls.total():,} calls ({calls.total() / seconds:,.0f}/s)"
    )
    print(f"    {told}")
    if ended.returncode:
        print(ended.stdout[-2000:], ended.stderr[-2000:])
    looks = () if command[0] == "plan" else LOOKS
    wrong = {
        kind: (calls[kind], sums[kind]) for kind in calls | sums if calls[kind] != sums[kind] and kind not in looks
    }
    for kind, (made, meant) in wrong.items():
        print(f"    {made:,} calls of {kind}, and the sum says {meant:,}")
    return not wrong and not ended.returncode


def main() -> int:
    instances = ceil((int(sys.argv[1]) if len(sys.argv) > 1 else 5000) / len(REGIONS))
    rate = float(sys.argv[2]) if len(sys.argv) > 2 else 200.0
    with cloud(instances) as (url, token, projects, proxies), tempfile.TemporaryDirectory() as name:
        environ = {f"TOKEN_{number}": token for number in range(len(projects))}
        environ["ORCHESTRATOR_STATE"] = f"{name}/state"
        plan = str(plan_of(Path(name), url, projects, rate))
        sums = {verb: expected(verb, instances, proxies) for verb in ("plan", "run", "audit")}
        good = [
            step("plan", url, environ, ("plan", plan, "--quiet"), sums["plan"]),
            step("run", url, environ, ("run", plan, "--quiet", "--no-progress"), sums["run"]),
            step("audit", url, environ, ("plan", plan, "--quiet"), sums["audit"]),
        ]
        print(
            f"({len(REGIONS)} scopes, {instances * len(REGIONS):,} instances, each scope at {rate:g} calls/s at most)"
        )
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
