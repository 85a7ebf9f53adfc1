"""What runs have found of rates, for a verb that only reads it."""

from collections.abc import Mapping

from orchestrator.app.scopes.rate_memory import RateMemory, RatesPlace
from orchestrator.cli.options import Options
from orchestrator.cli.place import state_of
from orchestrator.cli.terminal import tell


def known_rates(environ: Mapping[str, str], options: Options) -> RateMemory:
    """What is kept in the state; nothing of a simulated cloud, which is a new one each time."""
    if options.simulate:
        return RateMemory(environ=environ)
    return RateMemory(
        environ=environ, at=RatesPlace(state=state_of(options), writes=False, warn=_warn, warn_unshared=_warn)
    )


def _warn(warning: str) -> None:
    tell(f"orchestrator: {warning}")
