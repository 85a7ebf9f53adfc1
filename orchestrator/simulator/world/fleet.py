"""The fleet: made from the seed, or from the targets that were given; and which proxy plays which role in it."""

from collections import Counter

from orchestrator.simulator.chance import below, hexadecimal, pick, unit
from orchestrator.simulator.config import SimulatedTarget, SimulatorConfig, made_project_id
from orchestrator.simulator.profile import Profile, Role
from orchestrator.simulator.world.versions import older_than, running_before
from orchestrator.simulator.world.world import FOREVER, Instance, Project, Proxy, World

#: From this size on, exact roles are each played at least once.
FULL_CAST = 20
#: How many proxies have how many nodes: shares of 2, 3 and 4 nodes.
_NODES = {"2": 0.6, "3": 0.3}


def build(config: SimulatorConfig, profile: Profile) -> World:
    """The world at its beginning."""
    world = World()
    if config.targets is None:
        _generate(world, config, profile)
    else:
        _take(world, config)
    _cast(list(world.proxies()), config, profile)
    return world


def _generate(world: World, config: SimulatorConfig, profile: Profile) -> None:
    for region, project_id in config.project_ids().items():
        project = world.project(project_id, region)
        for ordinal in range(config.instances):
            instance_id = hexadecimal(32, config.seed, "instance", project_id, ordinal) + "in07"
            instance = _instance(project, instance_id)
            bare = unit(config.seed, "without_proxy", instance_id) < profile.lists.without_proxy
            for number in range(0 if bare else config.proxies):
                proxy_id = hexadecimal(32, config.seed, "proxy", instance_id, number) + "po01"
                _add(instance, proxy_id, None, config)


def _take(world: World, config: SimulatorConfig) -> None:
    for target in config.targets or ():
        project_id = target.project_id or made_project_id(config.seed, target.region)
        project = world.project(project_id, target.region)
        instance = project.instances.get(target.instance_id) or _instance(project, target.instance_id, target)
        _add(instance, target.proxy_id, target.source_version, config)


def _instance(project: Project, instance_id: str, given: SimulatedTarget | None = None) -> Instance:
    instance = Instance(instance_id=instance_id, project=project, ordinal=len(project.instances))
    if given is not None:
        instance.name, instance.tags = given.name, given.tags
        instance.vpc_id, instance.enterprise_project_id = given.vpc_id, given.enterprise_project_id
    project.instances[instance_id] = instance
    return instance


def _add(instance: Instance, proxy_id: str, version: str | None, config: SimulatorConfig) -> None:
    proxy = Proxy(
        proxy_id=proxy_id,
        instance=instance,
        ordinal=len(instance.proxies),
        node_num=int(pick(_NODES, unit(config.seed, "nodes", proxy_id)) or 4),
        version=version or running_before(config.target_version, config.seed, proxy_id),
        latest_version=config.target_version,
    )
    instance.proxies.append(proxy)
    instance.project.proxies[proxy_id] = proxy


def _cast(proxies: list[Proxy], config: SimulatorConfig, profile: Profile) -> None:
    if not profile.roles:
        return
    if profile.roles_exact:
        roles = _exact_roles(proxies, config.seed, profile.roles)
    else:
        drawn = ((proxy, pick(profile.roles, unit(config.seed, "role", proxy.proxy_id))) for proxy in proxies)
        roles = {proxy.proxy_id: role for proxy, role in drawn if role is not None}
    variants: Counter[Role] = Counter()
    for proxy in proxies:
        role = roles.get(proxy.proxy_id)
        if role is not None:
            number = variants[role] if profile.roles_exact else below(1_000, config.seed, "variant", proxy.proxy_id)
            _play(proxy, role, number)
            variants[role] += 1


def _exact_roles(proxies: list[Proxy], seed: int, shares: dict[Role, float]) -> dict[str, Role]:
    """Each role for its share of the proxies, rounded down but at least one in a full cast; chosen by the seed."""
    order = sorted(proxies, key=lambda proxy: unit(seed, "cast", proxy.proxy_id))
    least = 1 if len(order) >= FULL_CAST else 0
    parts: list[Role] = [role for role, share in shares.items() for _ in range(max(least, int(len(order) * share)))]
    return {proxy.proxy_id: role for proxy, role in zip(order, parts, strict=False)}


def _play(proxy: Proxy, role: Role, variant: int) -> None:
    proxy.role = role
    proxy.variant = variant
    match role:
        case "already":
            proxy.version = proxy.latest_version
        case "drifted":
            proxy.version = older_than(proxy.version)[0]
        case "not_offered":
            proxy.latest_version = proxy.version
        case "unwell":
            proxy.unwell.append((0.0, FOREVER))
        case "gone":
            del proxy.instance.project.proxies[proxy.proxy_id]
            proxy.instance.proxies.remove(proxy)
        case "not_upgradable" | "rejected" | "refused" | "accept_and_reject" | "job_fails":
            pass  # these show when the proxy is asked about, or told to upgrade
