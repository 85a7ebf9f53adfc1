"""Whose credentials a scope uses. Never a request."""

from collections.abc import Hashable, Mapping
from urllib.parse import urlsplit

from orchestrator.cloud.credentials import is_token
from orchestrator.cloud.wire.endpoints import endpoints_of
from orchestrator.model.plan.plan import Scope


def account_key(scope: Scope, environ: Mapping[str, str]) -> Hashable:
    """Equal for scopes whose credentials are the same account's and good, or refused, in each of them alike.

    Tokens are for one project, so that one scope's says nothing of another's. Sites with domains of their own, such as
    the European one, have accounts of their own.

    Raises:
        PlanError: as `endpoints_of`.
    """
    if is_token(scope.auth, environ):
        return scope.name
    iam = urlsplit(endpoints_of(scope, environ, allow_http=True).iam).hostname or ""
    return ".".join(iam.split(".")[-2:]), scope.auth
