"""The environment of the programs that a plan runs beside the upgrades: gates, and receivers of notifications."""

from collections.abc import Mapping

from orchestrator.cloud.credentials.on_this_host import secret_variables
from orchestrator.model.plan.plan import Plan


def without_secrets(plan: Plan, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what the plan reads secrets from: credentials, tokens of gates, addresses of receivers.

    A `token_command` is no such program: it makes credentials, and may need others for that.
    """
    hidden = secret_variables(plan)
    return {name: value for name, value in environ.items() if name not in hidden}
