"""From method and path to the call that is meant. The table is the API."""

import msgspec

from orchestrator.simulator.profile import Group, Kind

_PROXY = "/v3/{project_id}/instances/{instance_id}/proxy/{proxy_id}"

ROUTES: dict[tuple[str, str], Kind] = {
    ("POST", f"{_PROXY}/upgrade-version"): "upgrade",
    ("GET", f"{_PROXY}/{{engine}}/proxy-version"): "proxy_version",
    ("GET", "/v3/{project_id}/instances/{instance_id}/proxies"): "proxies",
    ("GET", "/v3/{project_id}/jobs"): "job",
    ("GET", "/v3/{project_id}/immediate-jobs"): "immediate_jobs",
    ("GET", "/v3/{project_id}/scheduled-jobs"): "scheduled_jobs",
    ("GET", "/v3/{project_id}/schedule-events"): "schedule_events",
    ("POST", "/v3/{project_id}/instances/{instance_id}/schedule-tasks/exist"): "schedule_exist",
    ("GET", "/v1/{project_id}/subnets/{subnet_id}"): "subnet",
    ("GET", "/v3/{project_id}/instances"): "instances",
    ("GET", "/v3.1/{project_id}/instances"): "instances",
    ("GET", "/v3/{project_id}/instances/{instance_id}"): "instance",
    ("GET", "/v3.1/{project_id}/instances/{instance_id}"): "instance",
    ("GET", "/v3.1/{project_id}/instances/details"): "details",
    ("POST", "/V1.0/{project_id}/batch-query-metric-data"): "metrics",
    ("POST", "/v3/auth/tokens"): "tokens",
    ("GET", "/v3/projects"): "projects",
    ("PUT", "/meta-data/latest/api/token"): "metadata_token",
    ("GET", "/openstack/latest/securitykey"): "security_key",
}
_IAM = frozenset({"tokens", "projects", "metadata_token", "security_key"})
#: Calls that are made to get credentials, and so need none.
WITHOUT_CREDENTIALS = frozenset({"tokens", "metadata_token", "security_key"})


class Call(msgspec.Struct, frozen=True):
    """What is asked of what. Fields that the path does not have are empty."""

    kind: Kind
    version: str = "v3"
    project_id: str = ""
    instance_id: str = ""
    proxy_id: str = ""
    engine: str = ""
    subnet_id: str = ""

    @property
    def group(self) -> Group:
        """Which fault rates apply."""
        if self.kind == "upgrade":
            return "upgrade"
        return "iam" if self.kind in _IAM else "read"

    @property
    def scope(self) -> str:
        """What the call is counted under: its project, or `iam`."""
        return self.project_id or "iam"


def route(method: str, path: str) -> Call | None:
    """The call that is meant; None when there is no such API."""
    fixed = ROUTES.get((method, path))
    if fixed is not None:
        return Call(kind=fixed)
    parts = path.split("/")
    shape = parts.copy()
    for place, name in _variables(parts):
        shape[place] = name
    kind = ROUTES.get((method, "/".join(shape)))
    if kind is None:
        return None
    named = {name[1:-1]: parts[place] for place, name in _variables(parts)}
    return Call(kind=kind, version=parts[1], **named)


def _variables(parts: list[str]) -> list[tuple[int, str]]:
    """Where a path of this form has a variable: /v3/{project_id}/instances/{instance_id}/proxy/{proxy_id}/{engine}."""
    found: list[tuple[int, str]] = []
    length = len(parts)
    if length > 3:  # noqa: PLR2004 - places in the path
        found.append((2, "{project_id}"))
    if length > 4 and parts[3] == "instances" and parts[4] != "details":  # noqa: PLR2004
        found.append((4, "{instance_id}"))
    if length == 5 and parts[3] == "subnets":  # noqa: PLR2004
        found.append((4, "{subnet_id}"))
    if length > 7 and parts[5] == "proxy":  # noqa: PLR2004
        found.append((6, "{proxy_id}"))
    if length == 9:  # noqa: PLR2004
        found.append((7, "{engine}"))
    return found
