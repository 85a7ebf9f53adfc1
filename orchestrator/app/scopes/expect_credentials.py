"""See before a session begins that this host has credentials for at least one scope: without any, it can do nothing."""

from collections.abc import Mapping, Sequence

import anyio

from orchestrator.cloud.credentials import lacking
from orchestrator.errors import ScopeUnusable
from orchestrator.model.plan.plan import Plan, Scope


def expect_credentials(plan: Plan, environ: Mapping[str, str]) -> None:
    """See that some scope has what its `auth` names, as far as this host can tell.

    Where only one of several lacks it, the session begins and gives that one up.

    Raises:
        ScopeUnusable: none has; the message says of each scope what is missing.
    """
    missing = anyio.run(_missing, plan.scopes, environ)
    if len(missing) == len(plan.scopes):
        lines = (f"scope {name} cannot be used: {why}" for name, why in missing.items())
        raise ScopeUnusable("\n".join(["nothing has begun", *lines]) if len(missing) > 1 else next(lines))


async def _missing(scopes: Sequence[Scope], environ: Mapping[str, str]) -> dict[str, str]:
    found = {scope.name: await lacking(scope.auth, environ) for scope in scopes}
    return {name: why for name, why in found.items() if why is not None}
