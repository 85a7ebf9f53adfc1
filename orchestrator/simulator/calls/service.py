"""The TaurusDB service behind the gateway: finds what a call is about, checks the ids, and has it answered."""

import re

from orchestrator.simulator.calls.event_list import EventList
from orchestrator.simulator.calls.inventory import Inventory
from orchestrator.simulator.calls.job_lists import JobLists
from orchestrator.simulator.calls.metrics import CloudEyeService
from orchestrator.simulator.calls.risk import Foretold
from orchestrator.simulator.calls.schedules import Schedules
from orchestrator.simulator.calls.upgrade import Upgrades
from orchestrator.simulator.config import SimulatorConfig
from orchestrator.simulator.profile import Fault, Profile
from orchestrator.simulator.routes import Call
from orchestrator.simulator.wire import Refusal, Reply, Request
from orchestrator.simulator.world.books import UpgradeCall
from orchestrator.simulator.world.jobs import JobPlanner
from orchestrator.simulator.world.own_events import own_events
from orchestrator.simulator.world.subnets import Subnets
from orchestrator.simulator.world.views import Views
from orchestrator.simulator.world.world import Instance, Project, Proxy, World

_INSTANCE_ID = re.compile(r"[0-9A-Za-z]{32}in07")
_PROXY_ID = re.compile(r"[0-9A-Za-z]{32}po01")
#: The only documented engine (ShowProxyVersion).
ENGINE = "taurusproxy"


class Service:
    """All calls that concern a project."""

    def __init__(
        self,
        world: World,
        planner: JobPlanner,
        upgrades: Upgrades,
        profile: Profile,
        config: SimulatorConfig,
        began: float = 0.0,
    ) -> None:
        views = Views(
            config.seed,
            odd_types=profile.lists.odd_types,
            status_while_upgrading=profile.status_while_upgrading,
        )
        seed, skew_s = config.seed, profile.clock_skew_s
        self._world = world
        self.upgrades = upgrades
        foretold = Foretold(profile.risk, profile.timing, seed, config.speed)
        self._inventory = Inventory(views, profile.lists, foretold, seed)
        self._jobs = JobLists(world, planner, views, profile.lists, seed=seed, skew_s=skew_s)
        self._metrics = CloudEyeService(views, profile, config, began)
        self._subnets = upgrades.subnets = Subnets(profile.subnets, views, seed)
        self._schedules = Schedules(views, seed=seed, skew_s=skew_s)
        events = list(own_events(world, profile.events, seed=seed, speed=config.speed, began=began))
        self._events = EventList(profile.events, events, views, seed=seed, skew_s=skew_s)

    def answer(
        self, call: Call, request: Request, upgrade: UpgradeCall | None, t: float, fault: Fault | None = None
    ) -> Reply:
        """The service's answer at an instant. `upgrade` is the entry in the books of an upgrade call.

        Raises:
            Refusal: an error answer.
        """
        project = self._project(call.project_id)
        if call.instance_id:
            return self._of_instance(call, request, upgrade, t, fault)
        if call.subnet_id:
            return self._subnets.show(project, call.subnet_id, t)
        return self._of_project(project, call, request, t)

    def _of_project(self, project: Project, call: Call, request: Request, t: float) -> Reply:
        query = dict(request.pairs())
        match call.kind:
            case "job":
                return self._jobs.job(project, query, t)
            case "immediate_jobs":
                return self._jobs.immediate(project, query, t)
            case "scheduled_jobs" | "schedule_events":
                listed = self._events.show if call.kind == "schedule_events" else self._schedules.scheduled
                return listed(project, query, t)
            case "metrics":
                return self._metrics.batch(project, request.body, t)
            case "details":
                return self._inventory.details(project, query, call.version)
            case _:
                return self._inventory.instances(project, query, call.version)

    def _of_instance(
        self, call: Call, request: Request, upgrade: UpgradeCall | None, t: float, fault: Fault | None
    ) -> Reply:
        instance = self._instance(self._project(call.project_id), call.instance_id)
        if call.proxy_id:
            proxy = self._proxy(instance, call.proxy_id)
            if upgrade is not None:
                return self.upgrades.perform(proxy, request.body, upgrade, t, fault)
            if call.engine != ENGINE:
                raise Refusal(400, "DBS.280001", "Parameter error: engine_name.")
            return self._inventory.version(proxy, t)
        match call.kind:
            case "proxies":
                return self._inventory.proxies(instance, dict(request.pairs()), t)
            case "schedule_exist":
                return self._schedules.exists(instance.proxies, request.body, t)
            case _:
                return self._inventory.instance(instance, call.version)

    def _project(self, project_id: str) -> Project:
        project = self._world.projects.get(project_id)
        if project is None:
            raise Refusal(403, "DBS.200010", "The project does not exist or you have no permission for it.")
        return project

    def _instance(self, project: Project, instance_id: str) -> Instance:
        if not _INSTANCE_ID.fullmatch(instance_id):
            raise Refusal(400, "DBS.280404", "The format of the instance ID is invalid.")
        instance = project.instances.get(instance_id)
        if instance is None:
            raise Refusal(404, "DBS.200408", "The DB instance does not exist.")
        return instance

    def _proxy(self, instance: Instance, proxy_id: str) -> Proxy:
        if not _PROXY_ID.fullmatch(proxy_id):
            raise Refusal(400, "DBS.280001", "Parameter error: proxy_id.")
        proxy = instance.project.proxies.get(proxy_id)
        if proxy is None:
            raise Refusal(400, "DBS.270024", "The proxy instance does not exist.")
        if proxy.instance is not instance:
            raise Refusal(400, "DBS.05000022", "The DB instance and the proxy do not belong together.")
        return proxy
