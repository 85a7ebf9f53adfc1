"""The calls that say what there is: instances, their details, their proxies, and the versions of proxies.

Sources: help pages and SDK requests of ListGaussMySqlInstances(UnifyStatus), ShowGaussMySqlInstanceInfo, the batch of
details, ShowGaussMySqlProxyList, ShowProxyVersion. 400 DBS.201028 and 409 DBS.200932 for an instance without a proxy
are what the Terraform provider converts into an empty list.
"""

from collections import Counter
from collections.abc import Callable

from orchestrator.simulator.calls.paging import instance_page, whole_number
from orchestrator.simulator.calls.risk import Foretold
from orchestrator.simulator.chance import below, pick, unit
from orchestrator.simulator.profile import Listing, Lists
from orchestrator.simulator.wire import Refusal, Reply, answer
from orchestrator.simulator.world.versions import key
from orchestrator.simulator.world.views import Views
from orchestrator.simulator.world.world import Instance, Project, Proxy

_MAX_OFFSET = 10**9
_MAX_LIMIT = 100
MAX_BATCH = 20
_NO_PROXY = ((400, "DBS.201028", "The DB instance does not exist."), (409, "DBS.200932", "No proxy is enabled."))


class Inventory:
    """Answers about instances and proxies."""

    def __init__(self, views: Views, lists: Lists, foretold: Foretold, seed: int) -> None:
        self._views = views
        self._foretold = foretold
        self._lists = lists
        self._seed = seed
        self._listings: Counter[str] = Counter()

    def instances(self, project: Project, query: dict[str, str], version: str) -> Reply:
        """One page of the instances that the query asks for."""
        offset = whole_number(query, "offset", 0, (0, _MAX_OFFSET))
        limit = whole_number(query, "limit", _MAX_LIMIT, (1, _MAX_LIMIT))
        tests = self._filters(query)
        found = [item for item in project.instances.values() if all(test(item) for test in tests)]
        paging: Listing = pick(self._lists.instance_paging, self._draw("instance_paging", project)) or "exact"
        self._listings[project.project_id] += 1
        shown, total = instance_page(found, offset, limit, paging, self._listings[project.project_id])
        return answer({"instances": [self._views.listed(item, version) for item in shown], "total_count": total})

    def instance(self, instance: Instance, version: str) -> Reply:
        """One instance in full."""
        return answer({"instance": self._detailed(instance, version)})

    def details(self, project: Project, query: dict[str, str], version: str) -> Reply:
        """Up to 20 instances in full; ids that do not exist are left out."""
        wanted = [text for text in query.get("instance_ids", "").split(",") if text]
        if not 1 <= len(wanted) <= MAX_BATCH:
            raise Refusal(400, "DBS.280001", "Parameter error: instance_ids.")
        found = [project.instances[text] for text in wanted if text in project.instances]
        return answer({"instances": [self._detailed(instance, version) for instance in found]})

    def proxies(self, instance: Instance, query: dict[str, str], t: float) -> Reply:
        """One page of an instance's proxies; there is no total count."""
        offset = whole_number(query, "offset", 0, (0, _MAX_OFFSET))
        limit = whole_number(query, "limit", 10, (1, _MAX_LIMIT))
        if not instance.proxies:
            way = below(3, self._seed, "no_proxy", instance.instance_id)
            if way < len(_NO_PROXY) and self._lists.without_proxy > 0:
                raise Refusal(*_NO_PROXY[way])
        entries = [self._views.proxy_entry(proxy, t) for proxy in instance.proxies]
        if self._twice(instance):
            entries += entries[:1]
        return answer({"proxy_list": entries[offset : offset + limit]})

    def version(self, proxy: Proxy, t: float) -> Reply:
        """ShowProxyVersion."""
        current = proxy.version_at(t)
        behind = (key(current) or ()) < (key(proxy.latest_version) or ())
        body = {
            "current_version": current,
            "latest_version": proxy.latest_version,
            "can_upgrade": behind and proxy.role != "not_upgradable",
        }
        risk = self._foretold.risk(proxy) if behind else None
        return answer(body if risk is None else {**body, "risk": risk})

    def _detailed(self, instance: Instance, version: str) -> dict[str, object]:
        return self._views.detailed(instance, version, twice=self._twice(instance))

    def _twice(self, instance: Instance) -> bool:
        return unit(self._seed, "proxy_twice", instance.instance_id) < self._lists.proxy_twice

    def _draw(self, purpose: str, project: Project) -> float:
        return unit(self._seed, purpose, project.project_id)

    def _filters(self, query: dict[str, str]) -> list[Callable[[Instance], bool]]:
        for name, only in (("type", "Cluster"), ("datastore_type", "gaussdb-mysql")):
            if query.get(name, only) != only:
                raise Refusal(400, "DBS.280001", f"Parameter error: {name}.")
        views = self._views
        facts: dict[str, Callable[[Instance], tuple[str, ...]]] = {
            "vpc_id": lambda item: (views.vpc_id(item),),
            "subnet_id": lambda item: (views.subnet_id(item),),
            "private_ip": lambda item: (views.private_ip(item),),
            "readonly_private_ip": lambda _: (),
            "proxy_ip": lambda item: tuple(map(views.proxy_address, item.proxies)),
        }
        tests = [_has(facts[name], query[name]) for name in facts if query.get(name)]
        if query.get("id"):
            tests.append(_like(lambda item: item.instance_id, query["id"]))
        if query.get("name"):
            tests.append(_like(views.name, query["name"]))
        if query.get("tags"):
            tests.append(_tagged(views, query["tags"]))
        return tests


def _has(fact: Callable[[Instance], tuple[str, ...]], wanted: str) -> Callable[[Instance], bool]:
    return lambda item: wanted in fact(item)


def _like(text: Callable[[Instance], str], pattern: str) -> Callable[[Instance], bool]:
    """Exact, or with a leading `*` a part of the text; a bare `*` is refused."""
    if pattern == "*":
        raise Refusal(400, "DBS.280001", "Parameter error: * alone is not allowed.")
    if pattern.startswith("*"):
        return lambda item: pattern[1:] in text(item)
    return lambda item: text(item) == pattern


def _tagged(views: Views, wanted: str) -> Callable[[Instance], bool]:
    pairs = [tuple(part.partition("=")[::2]) for part in wanted.split(",")]
    if len({name for name, _ in pairs}) != len(pairs):
        raise Refusal(400, "DBS.280001", "Parameter error: tags.")
    return lambda item: all(views.tags(item).get(name) == value for name, value in pairs)
