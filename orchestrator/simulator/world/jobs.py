"""The life of jobs: an upgrade's whole course is planned when it starts, from its fate and the seed.

Facts kept: the duration grows with the number of proxy nodes (user guide taurusdb_11_0044); a new job cannot be found
for several seconds (ShowGaussMySqlJobInfo). Assumed: the version flips shortly before the job ends.
"""

import msgspec

from orchestrator.simulator.chance import below, between, dashed, pick, unit
from orchestrator.simulator.profile import JobFate, Profile, ScriptedFate
from orchestrator.simulator.profile_events import Span
from orchestrator.simulator.world.world import FOREVER, Instance, Job, Proxy, World

#: Not documented for proxies; in the manner of the documented names.
UPGRADE_JOB = "UpgradeGaussDBforMySQLProxyVersion"
FAIL_REASONS = (
    "Failed to create the proxy node: the instance group has no free capacity.",
    "The new proxy node did not become active in time.",
    "Failed to switch traffic to the new proxy node.",
)
_COMPLETES = frozenset({"completed", "unauthorized_then_runs"})


class JobPlanner:
    """Starts jobs in a world and plans their course."""

    def __init__(self, world: World, profile: Profile, seed: int, speed: float) -> None:
        self._world = world
        self._profile = profile
        self._timing = profile.timing
        self._seed = seed
        self._speed = speed

    def longest_upgrade_s(self) -> float:
        """How long the slowest upgrade may be at work, in seconds at this speed, unless its job hangs."""
        nodes = max((proxy.node_num for proxy in self._world.proxies()), default=0)
        return self._timing.node_s * nodes * self._timing.node_spread[1] / self._speed

    def start_upgrade(self, proxy: Proxy, version: str, job_id: str, t: float, *, foreign: bool = False) -> Job:
        """An upgrade begins now; job, version and health of the proxy follow their planned course from here on."""
        if not foreign:
            proxy.starts += 1
        fate = JobFate() if foreign else self._fate(proxy)
        begins, ends = self._course(proxy, fate, job_id, t)
        job = Job(
            job_id=job_id,
            project=proxy.instance.project,
            instance=proxy.instance,
            proxy=proxy,
            name=UPGRADE_JOB,
            foreign=foreign,
            fate=fate,
            created=t,
            authorised_at=begins,
            ends_at=ends,
            shown_from=self._shown_from(fate, proxy, job_id, t),
        )
        self._world.add_job(job)
        self._plan_flip(job, version)
        self._plan_health(job)
        return job

    def start_foreign(self, instance: Instance, name: str, t: float, duration_s: float) -> Job:
        """A job of another user occupies the instance for this time (already divided by the speed)."""
        job = Job(
            job_id=dashed(self._seed, "foreign", instance.instance_id, len(instance.jobs)),
            project=instance.project,
            instance=instance,
            proxy=None,
            name=name,
            foreign=True,
            fate=JobFate(),
            created=t,
            authorised_at=t,
            ends_at=t + duration_s,
            shown_from=t + self.span_s(self._timing.visible_s, "foreign_shown", instance.instance_id, t),
        )
        self._world.add_job(job)
        return job

    def twin(self, job: Job, job_id: str) -> Job:
        """A second job with the same course, for an answer with two accepted workflows."""
        twin = msgspec.structs.replace(job, job_id=job_id)
        self._world.add_job(twin)
        return twin

    def span_s(self, bounds: Span, *purpose: object) -> float:
        """A duration between the bounds, divided by the speed."""
        return between(bounds, self._seed, *purpose) / self._speed

    def _fate(self, proxy: Proxy) -> JobFate:
        scripted = next((entry for entry in self._profile.fates if _meant(entry, proxy)), None)
        if scripted is not None:
            return scripted.fate
        if proxy.role == "job_fails":
            return JobFate(end="failed")
        shares, subject = self._profile.jobs, (proxy.proxy_id, proxy.starts)
        return JobFate(
            end=pick(shares.end, unit(self._seed, "end", *subject)) or "completed",
            flip=pick(shares.flip, unit(self._seed, "flip", *subject)) or "normal",
            seen=pick(shares.seen, unit(self._seed, "seen", *subject)) or "normal",
            health=pick(shares.health, unit(self._seed, "health", *subject)) or "active",
        )

    def _course(self, proxy: Proxy, fate: JobFate, job_id: str, t: float) -> tuple[float, float]:
        """When the work begins, and when it ends."""
        spread = between(self._timing.node_spread, self._seed, "duration", job_id)
        duration_s = self._timing.node_s * proxy.node_num * spread / self._speed
        match fate.end:
            case "completed":
                return t, t + duration_s
            case "failed" | "canceled":
                return t, t + duration_s * between((0.3, 0.9), self._seed, "broken_off", job_id)
            case "hangs":
                return t, FOREVER
            case "unauthorized":
                return FOREVER, FOREVER
            case "unauthorized_then_runs":
                begins = t + self.span_s(self._timing.authorised_after_s, "authorised", job_id)
                return begins, begins + duration_s

    def _shown_from(self, fate: JobFate, proxy: Proxy, job_id: str, t: float) -> float:
        hidden = unit(self._seed, "jobs_hidden", proxy.instance.project.project_id) < self._profile.lists.jobs_hidden
        if hidden or fate.seen == "never":
            return FOREVER
        bounds = self._timing.visible_late_s if fate.seen == "late" else self._timing.visible_s
        return t + self.span_s(bounds, "shown", job_id)

    def _plan_flip(self, job: Job, version: str) -> None:
        at = self._flip_at(job)
        if job.proxy is not None and at < FOREVER:
            job.proxy.flips.append((at, version))

    def _flip_at(self, job: Job) -> float:
        completes = job.fate.end in _COMPLETES
        match job.fate.flip:
            case "never":
                return FOREVER
            case "early":
                return self._early(job)
            case "late":
                late = self.span_s(self._timing.flip_late_s, "flip_late", job.job_id)
                return job.ends_at + late if completes else FOREVER
            case "normal":
                share = between((0.85, 0.98), self._seed, "flip_at", job.job_id)
                return job.authorised_at + (job.ends_at - job.authorised_at) * share if completes else FOREVER

    def _early(self, job: Job) -> float:
        """Well before the end, also of a job that will fail, or that never ends."""
        if job.authorised_at == FOREVER:
            return FOREVER
        if job.ends_at == FOREVER:
            return job.authorised_at + self._timing.node_s / self._speed
        return job.authorised_at + (job.ends_at - job.authorised_at) / 2

    def _plan_health(self, job: Job) -> None:
        if job.proxy is None or job.ends_at == FOREVER or job.fate.health == "active":
            return
        lasting = job.fate.health == "abnormal"
        until = FOREVER if lasting else job.ends_at + self.span_s(self._timing.unwell_s, "unwell", job.job_id)
        job.proxy.unwell.append((job.ends_at, until))

    def fail_reason(self, job: Job, t: float) -> str | None:
        """Why the job failed, once it has."""
        if job.status(t) != "Failed":
            return None
        return job.fate.fail_reason or FAIL_REASONS[below(len(FAIL_REASONS), self._seed, "fail_reason", job.job_id)]


def _meant(entry: ScriptedFate, proxy: Proxy) -> bool:
    return entry.nth == proxy.starts and entry.proxy_id in {None, proxy.proxy_id}


def progress(job: Job, t: float) -> str:
    """`60%` while it runs, else empty."""
    if not (job.running(t) and t >= job.authorised_at):
        return ""
    if job.ends_at == FOREVER:
        return "95%"
    return f"{int(100 * (t - job.authorised_at) / (job.ends_at - job.authorised_at))}%"
