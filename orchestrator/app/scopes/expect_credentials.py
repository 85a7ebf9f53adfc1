"""See before a session begins that this host can do something: it may serve a scope, and has credentials for it."""

from collections.abc import Mapping, Sequence

import anyio

from orchestrator.cloud.credentials import lacking
from orchestrator.errors import ScopeUnusable
from orchestrator.model.plan.plan import Plan, Scope


def expect_credentials(plan: Plan, environ: Mapping[str, str], host: str | None = None) -> None:
    """See that some scope that this host may serve has what its `auth` names, as far as this host can tell.

    Where only one of several lacks it, the session begins and gives that one up.

    Args:
        plan: whose scopes are looked at.
        environ: where credentials may be.
        host: the name of this one; None when it shares its state with no other.

    Raises:
        ScopeUnusable: none has; the message says of each scope what is missing.
    """
    served = [scope for scope in plan.scopes if scope.served_by(host)]
    if not served:
        raise ScopeUnusable(f"nothing has begun: no scope may be served by host {host}; {_who_may(plan)}")
    missing = anyio.run(_missing, served, environ)
    if len(missing) == len(served):
        lines = (f"scope {name} cannot be used: {why}" for name, why in missing.items())
        raise ScopeUnusable("\n".join(["nothing has begun", *lines]) if len(missing) > 1 else next(lines))


def _who_may(plan: Plan) -> str:
    return "; ".join(f"scope {scope.name}: only {', '.join(scope.hosts)}" for scope in plan.scopes)


async def _missing(scopes: Sequence[Scope], environ: Mapping[str, str]) -> dict[str, str]:
    found = {scope.name: await lacking(scope.auth, environ) for scope in scopes}
    return {name: why for name, why in found.items() if why is not None}
