"""What others do to the fleet meanwhile: jobs on instances, upgrades of proxies, scheduled upgrades."""

from collections.abc import Callable, Iterator

from orchestrator.simulator.chance import between, dashed, unit
from orchestrator.simulator.config import SimulatorConfig
from orchestrator.simulator.profile import Profile, ScriptedForeign
from orchestrator.simulator.routes import Call
from orchestrator.simulator.world.jobs import JobPlanner
from orchestrator.simulator.world.own_events import OwnEvent, own_events
from orchestrator.simulator.world.versions import key
from orchestrator.simulator.world.world import Instance, Job, Proxy, World

_JOB = "ResizeGaussDBforMySQLFlavor"
#: The jobs that events of the cloud's own are; a high load is none.
_OWN_JOBS = {"db_upgrade": "UpgradeGaussMySqlInstance", "rebuild_node": "RebuildGaussMySqlNode"}
Act = Callable[[float], object]


class ForeignWork:
    """Plans and starts the work of others. It never starts where a job is running, as the cloud would not let it."""

    def __init__(self, world: World, planner: JobPlanner, profile: Profile, config: SimulatorConfig) -> None:
        self._world = world
        self._planner = planner
        self._profile = profile
        self._seed = config.seed
        self._speed = config.speed

    def planned(self, began: float) -> Iterator[tuple[float, Act]]:
        """Everything that is planned from the beginning: when, and what to do then."""
        for entry in self._profile.foreign_work:
            yield began + entry.at_s / self._speed, self._scripted(entry)
        for event in own_events(self._world, self._profile.events, seed=self._seed, speed=self._speed, began=began):
            if event.type in _OWN_JOBS:
                yield event.starts, self._own(event)
        shares = self._profile.foreign
        if not (shares.jobs or shares.upgrades or shares.scheduled):
            return
        for proxy in self._world.proxies():
            proxy.scheduled = unit(self._seed, "scheduled", proxy.proxy_id) < shares.scheduled
            if unit(self._seed, "foreign_upgrade", proxy.proxy_id) < shares.upgrades:
                yield self._from(began, proxy.proxy_id), self._upgrading(proxy)
        for project in self._world.projects.values():
            for instance in project.instances.values():
                if unit(self._seed, "foreign_job", instance.instance_id) < shares.jobs:
                    yield self._from(began, instance.instance_id), self._working(instance)

    def instead_of(self, call: Call, t: float) -> Job | None:
        """Another user's upgrade begins on another proxy of the instance (on this one, when it is alone)."""
        project = self._world.projects.get(call.project_id)
        instance = None if project is None else project.instances.get(call.instance_id)
        if instance is None:
            return None
        candidates = [proxy for proxy in instance.proxies if proxy.proxy_id != call.proxy_id] or instance.proxies
        return next((job for proxy in candidates if (job := self._upgrade(proxy, t)) is not None), None)

    def _from(self, began: float, subject: str) -> float:
        return began + self._planner.span_s(self._profile.timing.foreign_from_s, "foreign_from", subject)

    def _scripted(self, entry: ScriptedForeign) -> Act:
        proxy = self._world.proxy(entry.proxy_id) if entry.proxy_id is not None else None
        if proxy is not None:
            return self._upgrading(proxy)
        projects = self._world.projects.values()
        found = (project.instances.get(entry.instance_id) for project in projects)
        instance = next((each for each in found if each is not None), None)

        def act(t: float) -> None:
            if instance is not None and instance.running_job(t) is None:
                self._planner.start_foreign(instance, entry.job_name, t, entry.duration_s / self._speed)

        return act

    def _own(self, event: OwnEvent) -> Act:
        def act(t: float) -> None:
            if event.instance.running_job(t) is None:
                self._planner.start_foreign(event.instance, _OWN_JOBS[event.type], t, event.ends - t)

        return act

    def _working(self, instance: Instance) -> Act:
        duration_s = between(self._profile.timing.foreign_for_s, self._seed, "foreign_for", instance.instance_id)

        def act(t: float) -> None:
            if instance.running_job(t) is None:
                self._planner.start_foreign(instance, _JOB, t, duration_s / self._speed)

        return act

    def _upgrading(self, proxy: Proxy) -> Act:
        return lambda t: self._upgrade(proxy, t)

    def _upgrade(self, proxy: Proxy, t: float) -> Job | None:
        behind = (key(proxy.version_at(t)) or ()) < (key(proxy.latest_version) or ())
        if not behind or proxy.instance.running_job(t) is not None:
            return None
        job_id = dashed(self._seed, "foreign_upgrade", proxy.proxy_id, len(proxy.instance.jobs))
        return self._planner.start_upgrade(proxy, proxy.latest_version, job_id, t, foreign=True)
