"""Groups of scopes that the same hosts may serve: each is served by one host at a time. Its key is their names.

Scopes that share a rate name the same hosts, in whatever order, so a group holds all scopes of each of its rates.
"""

from fnmatch import fnmatchcase

from orchestrator.model.plan.plan import Scope


def group_of(scope: Scope) -> str:
    """The key of a scope's group, as "bj-*,sh-1"; empty when every host may serve it."""
    return ",".join(sorted(scope.hosts))


def may_serve(host: str, group: str) -> bool:
    """Whether a host may serve a group, by the key of that and its own name."""
    return any(fnmatchcase(host, name) for name in group.split(","))
