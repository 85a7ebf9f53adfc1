"""A plan file for exactly the fleet of a simulated cloud, as `--write-plan` writes it.

Only the form of the plan is known here; the keys are those of the plan's documentation.
"""

from collections.abc import Iterator

from orchestrator.simulator.cloud import SimulatedCloud
from orchestrator.simulator.world.world import Project

TOKEN_VARIABLE = "HW_AUTH_TOKEN"  # noqa: S105 - the name of a variable, not a token
#: The defaults of the plan's durations that belong to the cloud's pace, in seconds.
_FOLLOW = {"poll": 15.0, "timeout": 3600.0, "expected": 600.0, "verify_for": 300.0}
_RETRY = {"backoff": 1.0, "max_backoff": 60.0, "busy": 60.0, "busy_for": 7200.0, "resend_after": 900.0}


def plan_text(cloud: SimulatedCloud, url: str) -> str:
    """The plan: every endpoint, credentials, target version, and every proxy written out."""
    return (
        "\n".join(
            [*_head(cloud, url), *_scopes(cloud, url), *_metrics(url), *_pace(cloud.config.speed), *_proxies(cloud)]
        )
        + "\n"
    )


def _head(cloud: SimulatedCloud, url: str) -> Iterator[str]:
    config = cloud.config
    count = sum(1 for _ in cloud.world.proxies())
    proxies = "1 proxy" if count == 1 else f"{count} proxies"
    yield f"# The fleet of the simulated cloud at {url}: {proxies}, seed {config.seed},"
    yield f"# speed {config.speed:g}, faults {cloud.profile.name}. It takes the token in {TOKEN_VARIABLE}:"
    yield f"#   export {TOKEN_VARIABLE}={config.accepted_token() if config.token is None else '...'}"
    yield "version: 1"
    yield f"target_version: {config.target_version}"
    yield ""


def _scopes(cloud: SimulatedCloud, url: str) -> Iterator[str]:
    projects = list(cloud.world.projects.values())
    if len(projects) == 1:
        yield from (f"{name}: {value}" for name, value in _scope(projects[0], url).items())
    else:
        yield "scopes:"
        for project in projects:
            inner = ", ".join(f"{name}: {_flow(value)}" for name, value in _scope(project, url).items())
            yield f"  {_scope_name(project, projects)}: {{{inner}}}"
    yield ""


def _scope(project: Project, url: str) -> dict[str, str]:
    return {
        "region": project.region,
        "project_id": project.project_id,
        "endpoint": url,
        "iam_endpoint": url,
        "vpc_endpoint": url,
        "auth": f"{{token_env: {TOKEN_VARIABLE}}}",
    }


def _metrics(url: str) -> Iterator[str]:
    yield "# Read only with `impact: cloud_eye`, or by a gate with `cloud_eye`."
    yield f'cloud_eye: {{endpoint: "{url}"}}'
    yield ""


def _flow(value: str) -> str:
    return f'"{value}"' if "://" in value else value


def _scope_name(project: Project, projects: list[Project]) -> str:
    alone = sum(1 for other in projects if other.region == project.region) == 1
    return project.region if alone else f"{project.region}-{project.project_id[:8]}"


def _pace(speed: float) -> Iterator[str]:
    if speed == 1:
        return
    yield f"# The cloud runs at speed {speed:g}: the durations that follow its pace are divided by it."
    yield f"follow: {_durations(_FOLLOW, speed)}"
    yield f"retry: {_durations(_RETRY, speed)}"
    yield ""


def _durations(values: dict[str, float], speed: float) -> str:
    return "{" + ", ".join(f"{name}: {max(1, round(1000 * s / speed))}ms" for name, s in values.items()) + "}"


def _proxies(cloud: SimulatedCloud) -> Iterator[str]:
    projects = list(cloud.world.projects.values())
    if not any(project.proxies for project in projects):
        yield "proxies: []  # the fleet is empty"
        return
    yield "proxies:"
    for project in projects:
        scope = f"scope: {_scope_name(project, projects)}, " if len(projects) > 1 else ""
        for proxy in project.proxies.values():
            yield f"  - {{{scope}instance_id: {proxy.instance.instance_id}, proxy_id: {proxy.proxy_id}}}"
