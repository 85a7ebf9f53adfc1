"""Leave alone in a session what this host may not serve: among hosts that share a state, a scope may name its own."""

from collections.abc import Mapping, Sequence

from orchestrator.executor.scope.probe import give_up
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.model.plan.plan import Scope


def leave_to_others(scopes: Sequence[Scope], calls: Mapping[str, ScopeCalls], host: str | None) -> None:
    """Give up each scope that a host may not serve. No request is made for it.

    Args:
        scopes: of the plan.
        calls: of each scope, by its name.
        host: the name of this one; None when it shares its state with no other.
    """
    for scope in scopes:
        if not scope.served_by(host):
            why = f"no host may serve it but {', '.join(scope.hosts)}"
            give_up(calls[scope.name], why, hosts=scope.hosts)
