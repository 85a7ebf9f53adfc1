"""Which scopes share a rate. Never a request."""

from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple

import msgspec

from orchestrator.cloud.wire.endpoints import endpoints_of
from orchestrator.model.plan.auth import Auth
from orchestrator.model.plan.plan import Scope


class RateKey(NamedTuple):
    """What scopes have in common that share one rate: endpoint, and where credentials are found."""

    endpoint: str
    auth: Auth | None

    @property
    def digest(self) -> str:
        """The same in every process, and nothing that a person would not want to be read."""
        return sha256(msgspec.json.encode(tuple(self))).hexdigest()[:32]


def rate_key(scope: Scope, environ: Mapping[str, str]) -> RateKey:
    """Equal for scopes that share one rate: those with the same endpoint and the same credentials.

    Raises:
        PlanError: as `endpoints_of`.
    """
    return RateKey(endpoints_of(scope, environ, allow_http=True).service, scope.auth)
