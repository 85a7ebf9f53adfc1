"""Plans and targets of any size, against the reference server."""

from pathlib import Path

PLAN = """\
version: 1
name: bench
region: cn-north-4
project_id: {project}
endpoint: http://127.0.0.1:{port}
auth: {{token_env: BENCH_TOKEN}}
target_version: 2.24.03.000
waves: [{{name: all}}]
limits: {{rate: {rate:.0f}/s, concurrency: {concurrency}}}
failures: {{max: 50%, max_rejected: 100%}}
follow: {{to: accepted}}
"""


def write_plan(folder: Path, port: int, targets: int, *, rate: float = 1_000_000, concurrency: int = 50) -> Path:
    """A plan whose targets stand in an NDJSON file, each on an instance of its own."""
    with (folder / "targets.ndjson").open("w") as file:
        for number in range(targets):
            file.write(f'{{"instance_id":"{number:032x}in07","proxy_id":"{number:032x}po01"}}\n')
    path = folder / "bench.yaml"
    path.write_text(_head(port, rate, concurrency) + "inventory: [targets.ndjson]\n")
    return path


def write_yaml_plan(folder: Path, targets: int) -> Path:
    """A plan whose targets stand in the plan itself."""
    path = folder / "long.yaml"
    with path.open("w") as file:
        file.write(_head(1, 20, 50) + "proxies:\n")
        for number in range(targets):
            file.write(f"  - instance_id: {number:032x}in07\n    proxy_id: {number:032x}po01\n")
    return path


def _head(port: int, rate: float, concurrency: int) -> str:
    return PLAN.format(project="a" * 32, port=port, rate=rate, concurrency=concurrency)
