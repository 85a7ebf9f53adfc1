"""The environment of the programs that a plan runs beside the upgrades: gates, and receivers of notifications."""

from collections.abc import Iterator, Mapping

from msgspec.structs import asdict

from orchestrator.cloud.credentials.chain import KEYS, TOKEN
from orchestrator.model.plan.plan import Plan


def without_secrets(plan: Plan, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what the plan reads secrets from: credentials, tokens of gates, addresses of receivers.

    A `token_command` is no such program: it makes credentials, and may need others for that.
    """
    hidden = {TOKEN, *(name for names in KEYS for name in names), *_named(plan)}
    return {name: value for name, value in environ.items() if name not in hidden}


def _named(plan: Plan) -> Iterator[str]:
    """The variables that the plan names."""
    asked = (each for gate in plan.gates for each in (gate.http, gate.promql) if each is not None)
    for part in (*(scope.auth for scope in plan.scopes), *asked, *plan.notify):
        yield from (value for key, value in asdict(part).items() if key.endswith("_env") and value)
