"""`orchestrator simulate`: the simulated cloud in the foreground."""

import sys

from orchestrator.cli.options import Options
from orchestrator.cli.terminal import tell, write
from orchestrator.errors import ExitCode, UsageError
from orchestrator.simulator.profiles import SettingError
from orchestrator.simulator.serve import config_from_options, serve


def run(options: Options) -> ExitCode:
    """Serve until stopped."""
    try:
        config = config_from_options(
            port=options.port,
            seed=options.seed,
            speed=options.speed,
            instances=options.instances,
            proxies=options.proxies,
            project_id=options.project_id,
            token=options.token,
            user=options.user,
            password=options.password,
            access_key=options.access_key,
            secret_key=options.secret_key,
            faults=options.faults,
            regressions=options.regression,
        )
        serve(config, write_plan=options.write_plan, on_ready=_ready, on_note=_note)
    except SettingError as error:
        raise UsageError(str(error)) from error
    return ExitCode.DONE


def _ready(url: str) -> None:
    write([url])
    sys.stdout.flush()


def _note(text: str) -> None:
    tell(text)
