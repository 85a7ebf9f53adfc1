"""What there is: projects, instances, proxies, and the jobs on them. State without behaviour of its own in time.

Instants are seconds since the epoch by the true clock; the cloud's own, possibly wrong, clock is applied only where
instants are shown. Nothing ticks: every question is asked for an instant.
"""

from collections.abc import Iterator
from math import inf

import msgspec

from orchestrator.simulator.profile import JobFate, Role


class Job(msgspec.Struct, kw_only=True, eq=False):
    """One job and its whole course, fixed when it starts. `ends_at` is infinite when it never ends."""

    job_id: str
    project: "Project"
    instance: "Instance"
    proxy: "Proxy | None"
    name: str
    foreign: bool
    fate: JobFate
    created: float
    ends_at: float
    #: Until when it waits for the user's authorisation; `created` when it never does.
    authorised_at: float
    shown_from: float

    def status(self, t: float) -> str:
        """The status at an instant, in the words of ShowGaussMySqlJobInfo."""
        if t >= self.ends_at:
            return {"failed": "Failed", "canceled": "Canceled"}.get(self.fate.end, "Completed")
        return "Unauthorized" if t < self.authorised_at else "Running"

    def running(self, t: float) -> bool:
        """Whether it occupies its instance."""
        return self.created <= t < self.ends_at


class Proxy(msgspec.Struct, kw_only=True, eq=False):
    """One Database Proxy."""

    proxy_id: str
    instance: "Instance"
    ordinal: int
    node_num: int
    version: str
    latest_version: str
    role: Role | None = None
    #: Which of the refusals this proxy meets, when its role is to be refused.
    variant: int = 0
    #: Changes of version, as they were planned: instant and the version from then on.
    flips: list[tuple[float, str]] = []
    #: When a node is ABNORMAL: from, until.
    unwell: list[tuple[float, float]] = []
    calls: int = 0
    starts: int = 0
    scheduled: bool = False

    def version_at(self, t: float) -> str:
        """The running kernel."""
        return max(((at, version) for at, version in self.flips if at <= t), default=(0.0, self.version))[1]

    def healthy(self, t: float) -> bool:
        """Whether the proxy and all its nodes are ACTIVE."""
        return not any(start <= t < end for start, end in self.unwell)


class Instance(msgspec.Struct, kw_only=True, eq=False):
    """One DB instance."""

    instance_id: str
    project: "Project"
    ordinal: int
    #: What was given; the rest is made from the seed where it is shown.
    name: str | None = None
    tags: dict[str, str] | None = None
    vpc_id: str | None = None
    enterprise_project_id: str | None = None
    proxies: list[Proxy] = []
    jobs: list[Job] = []

    def running_job(self, t: float) -> Job | None:
        """The job that occupies the instance, if any."""
        return next((job for job in reversed(self.jobs) if job.running(t)), None)


class Project(msgspec.Struct, kw_only=True, eq=False):
    """One project of one region, with its instances in order and its jobs, the oldest first."""

    project_id: str
    region: str
    instances: dict[str, Instance] = {}
    proxies: dict[str, Proxy] = {}
    jobs: list[Job] = []
    unended: list[Job] = []

    def unended_jobs(self, t: float) -> list[Job]:
        """Jobs that have not ended, the oldest first; so few that lists of them stay cheap. `t` never goes back."""
        self.unended = [job for job in self.unended if job.ends_at > t]
        return self.unended


class World:
    """All projects, and every job by its id."""

    def __init__(self) -> None:
        self.projects: dict[str, Project] = {}
        self.jobs: dict[str, Job] = {}

    def project(self, project_id: str, region: str) -> Project:
        """The project, made when it is new."""
        return self.projects.setdefault(project_id, Project(project_id=project_id, region=region))

    def proxies(self) -> Iterator[Proxy]:
        """Every proxy, project by project."""
        for project in self.projects.values():
            yield from project.proxies.values()

    def proxy(self, proxy_id: str) -> Proxy | None:
        """The proxy with this id, wherever it is."""
        found = (project.proxies.get(proxy_id) for project in self.projects.values())
        return next((proxy for proxy in found if proxy is not None), None)

    def add_job(self, job: Job) -> None:
        """Take up a job; its course begins at `created`, which is never before that of the jobs already there."""
        self.jobs[job.job_id] = job
        job.project.jobs.append(job)
        job.project.unended.append(job)
        job.instance.jobs.append(job)


FOREVER = inf
