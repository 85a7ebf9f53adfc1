"""A simulated cloud on virtual time, with the calls that the tests make."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator.simulator.cloud import SimulatedCloud
from orchestrator.simulator.config import SimulatorConfig
from orchestrator.simulator.profile import Profile
from orchestrator.simulator.wire import Reply, Request
from orchestrator.simulator.world.world import Proxy

BEGAN = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
TARGET = "2.24.03.000"


class VirtualCloud:
    """Time moves only with `wait`."""

    def __init__(self, faults: Profile | str = "none", **settings: Any) -> None:
        self.config = SimulatorConfig(faults=faults, **settings)
        self.cloud = SimulatedCloud(self.config, BEGAN)
        self.now = BEGAN
        self.headers = {"x-auth-token": self.config.accepted_token()}

    @property
    def proxies(self) -> list[Proxy]:
        return list(self.cloud.world.proxies())

    @property
    def project_id(self) -> str:
        return next(iter(self.cloud.world.projects))

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def call(self, method: str, path: str, query: str = "", body: object = None, **headers: str) -> Reply:
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.cloud.handle(Request(method, path, query, sent, content), self.now)

    def get(self, path: str, query: str = "") -> Reply:
        return self.call("GET", f"/v3/{self.project_id}/{path}", query)

    def upgrade(self, proxy: Proxy, source: str | None = None, target: str = TARGET) -> Reply:
        source = source or proxy.version_at(self.now.timestamp())
        body = {"source_version": source, "target_version": target}
        return self.call("POST", f"{base(proxy)}/upgrade-version", body=body)

    def version(self, proxy: Proxy) -> Reply:
        return self.call("GET", f"{base(proxy)}/taurusproxy/proxy-version")

    def current(self, proxy: Proxy) -> str:
        return str(self.version(proxy).json()["current_version"])

    def job(self, job_id: str) -> Reply:
        return self.get("jobs", f"id={job_id}")

    def jobs(self, query: str = "limit=50") -> Any:
        return self.get("immediate-jobs", query).json()

    def started(self, proxy: Proxy) -> int:
        self.cloud.advance(self.now)
        return len(self.cloud.books.starts_of(proxy.proxy_id))


def base(proxy: Proxy) -> str:
    instance = proxy.instance
    return f"/v3/{instance.project.project_id}/instances/{instance.instance_id}/proxy/{proxy.proxy_id}"
