"""What must hold between the keys of a plan. Each rule records what is wrong at the key that a person would change."""

from orchestrator.model.plan.auth import Auth
from orchestrator.model.plan.plan import Wave
from orchestrator.model.plan.region import service_host
from orchestrator.model.reply.version import at_least, same_version
from orchestrator.planner.plan_file.names import NAME, is_plain_http, known_names
from orchestrator.planner.plan_file.schemas.schema_scope import WHERE, check_where
from orchestrator.planner.plan_file.schemas.schema_targets import DEFAULT_SCOPE
from orchestrator.planner.reading.mapping import Found
from orchestrator.planner.reading.nodes import Mapping, Node, Scalar, Sequence, find
from orchestrator.planner.reading.problems import At


def check_plan(found: Found) -> None:
    """Every rule over several keys, save those about the proxies, which are checked as they are read."""
    _check_where(found)
    _check_sources(found)
    _check_scopes_exist(found)
    _check_hosts(found)
    _check_versions(found)
    _check_waves(found)
    _check_gates(found)
    _check_measured(found)
    _check_accepted_only(found)
    _check_encryption(found)


def scope_name(text: str) -> None:
    """Refuse what cannot be the name of a scope."""
    try:
        NAME.parse(text)
    except ValueError:
        raise ValueError(f"expected {NAME.expected}") from None


def scope_names(found: Found) -> frozenset[str] | None:
    """The scopes of the plan; None when they could not be read."""
    if "scopes" not in found.places:
        return frozenset({DEFAULT_SCOPE})
    node = find(found.node, "scopes")
    return frozenset(key.text for key, _ in node.entries) if isinstance(node, Mapping) else None


def scope_problem(name: str | None, names: frozenset[str], *, several: bool) -> str | None:
    """What is wrong with the scope of a target, if anything; `name` None when it names none."""
    if name is None:
        return f"is required, for the plan has scopes: {known_names(names)}" if several else None
    if name in names:
        return None
    if several:
        return f"no scope is called {name}; there are {known_names(names)}"
    return f"no scope is called {name}; the plan has no scopes, so leave the key out"


def _check_where(found: Found) -> None:
    if "scopes" not in found.places:
        check_where(found)
        return
    for entry in WHERE:
        if entry.key in found.places:
            found.add(entry.key, "stands beside scopes; write it into each scope")


def _check_sources(found: Found) -> None:
    if not {"proxies", "inventory", "discover"} & found.places.keys():
        found.problems.add(found.node, None, "the plan names no targets; write proxies, inventory or discover")


def _check_scopes_exist(found: Found) -> None:
    names = scope_names(found)
    if names is None:
        return
    several = "scopes" in found.places
    for key, always in (("discover", True), ("exclude", False)):
        for node, at in _items(found, key):
            _check_scope_of(found, node, at, names, required=several and always)
    for node, at in (*_items(found, "waves"), *_items(found, "gates")):
        select = find(node, "select")
        if isinstance(select, Mapping):
            _check_scope_of(found, select, (at, "select"), names, required=False)


def _check_scope_of(found: Found, node: Mapping, at: At, names: frozenset[str], *, required: bool) -> None:
    scope = find(node, "scope")
    if scope is None:
        wrong = scope_problem(None, names, several=True) if required else None
    elif isinstance(scope, Scalar):
        wrong = scope_problem(scope.text, names, several="scopes" in found.places)
    else:
        wrong = None
    if wrong:
        found.problems.add(scope or node, (at, "scope"), wrong)


def _check_hosts(found: Found) -> None:
    """Scopes that share a rate are served by one host at a time, which has to be one that may serve all of them."""
    node, scopes = find(found.node, "scopes"), found.values.get("scopes", {})
    first: dict[tuple[str | None, Auth], str] = {}
    for name, scope in scopes.items():
        region = scope.get("region")
        service = scope.get("endpoint") or f"https://{service_host(region, {}) or region}"
        other = first.setdefault((service, scope.get("auth", Auth())), name)
        if set(scope.get("hosts", ())) != set(scopes[other].get("hosts", ())):
            at: At = ((None, "scopes"), name)
            written = _deep(node, name, "hosts") or _deep(node, name) or found.node
            shared = f"scope {other} has the same endpoint and credentials, so they share a rate"
            why = f"{shared}; let both name the same hosts"
            found.problems.add(written, (at, "hosts"), why)


def _check_versions(found: Found) -> None:
    target = found.values.get("target_version")
    if target is None:
        return
    for version in found.values.get("source_versions", ()):
        if newer_than_target(version, target):
            found.add("source_version", f"{version} is newer than target_version {target}")


def newer_than_target(version: str, target_version: str) -> bool:
    """Whether an upgrade from `version` would be a downgrade, which the cloud does not offer."""
    return at_least(version, target_version) and not same_version(version, target_version)


def _check_waves(found: Found) -> None:
    waves: tuple[Wave, ...] = found.values.get("waves", ())
    seen: set[str] = set()
    for index, (wave, (node, at)) in enumerate(zip(waves, _items(found, "waves"), strict=False)):
        if wave.name in seen:
            found.problems.add(find(node, "name") or node, (at, "name"), f"another wave is called {wave.name} too")
        seen.add(wave.name)
        if wave.size is None and wave.select is None and index < len(waves) - 1:
            found.problems.add(node, at, "has neither size nor select, so nothing is left for the waves after it")


def _check_gates(found: Found) -> None:
    seen: set[str] = set()
    for gate, (node, at) in zip(found.values.get("gates", ()), _items(found, "gates"), strict=False):
        if gate.name in seen:
            found.problems.add(find(node, "name") or node, (at, "name"), f"another gate is called {gate.name} too")
        seen.add(gate.name)


def _check_measured(found: Found) -> None:
    """Metrics are read by the host that decides, and any host may be that which may serve some scope."""
    hosts = {name: frozenset(scope.get("hosts", ())) for name, scope in found.values.get("scopes", {}).items()}
    if len(set(hosts.values())) <= 1:  # the host that decides reaches them all
        return
    for gate, (node, at) in zip(found.values.get("gates", ()), _items(found, "gates"), strict=False):
        only = None if gate.select is None else gate.select.scope
        unseen = next((name for name, named in hosts.items() if named and only in (None, name)), None)
        if gate.cloud_eye is not None and unseen is not None:
            why = f"has no metrics of scope {unseen} where the host that decides is none of its hosts"
            ask = "ask with http, command or promql, or select a scope that every host may serve"
            found.problems.add(find(node, "cloud_eye") or node, (at, "cloud_eye"), f"{why}; {ask}")


def _check_accepted_only(found: Found) -> None:
    follow = found.values.get("follow")
    if follow is None or follow.to != "accepted":
        return
    unseen = "has no meaning with follow.to: accepted, for nothing is seen after the answer"
    for parent, key in (("limits", "in_flight"), ("limits", "per_label")):
        if node := _deep(found.node, parent, key):
            found.problems.add(node, ((None, parent), key), unseen)
    for wave, at in _items(found, "waves"):
        if node := find(wave, "soak"):
            found.problems.add(node, (at, "soak"), unseen)
    mode = _deep(found.node, "failures", "mode")
    if isinstance(mode, Scalar) and mode.text == "strict":
        found.problems.add(mode, ((None, "failures"), "mode"), f"strict {unseen}; it is soft then")


def _check_encryption(found: Found) -> None:
    allowed = _deep(found.node, "http", "allow_http")
    if isinstance(allowed, Scalar) and allowed.text.lower() in ("true", "yes", "on"):
        return
    scopes: list[tuple[Node, At]] = [(found.node, None)]
    named = find(found.node, "scopes")
    if isinstance(named, Mapping):
        scopes += [(scope, ((None, "scopes"), key.text)) for key, scope in named.entries]
    for scope, at in scopes:
        for key in ("endpoint", "iam_endpoint", "vpc_endpoint"):
            node = _deep(scope, key)
            if isinstance(node, Scalar) and is_plain_http(node.text.rstrip("/")):
                hint = "write https, or set http.allow_http: true"
                found.problems.add(node, (at, key), f"plain http would send credentials unencrypted; {hint}")


def _items(found: Found, key: str) -> list[tuple[Mapping, At]]:
    node = find(found.node, key)
    items = node.items if isinstance(node, Sequence) else []
    return [(item, ((None, key), index)) for index, item in enumerate(items) if isinstance(item, Mapping)]


def _deep(node: Node | None, *keys: str) -> Node | None:
    for key in keys:
        node = find(node, key) if isinstance(node, Mapping) else None
    return node
