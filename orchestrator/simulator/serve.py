"""The verb `simulate`: the cloud in the foreground until it is stopped."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

from orchestrator.simulator.cloud import SimulatedCloud
from orchestrator.simulator.config import SimulatorConfig
from orchestrator.simulator.embedded import new_loop
from orchestrator.simulator.plan_text import TOKEN_VARIABLE, plan_text
from orchestrator.simulator.profiles import SettingError, profile_of, with_regressions
from orchestrator.simulator.server import Server, utc_now

_DEFAULTS = SimulatorConfig()


def config_from_options(
    *,
    port: int = 0,
    seed: int = _DEFAULTS.seed,
    speed: float = _DEFAULTS.speed,
    instances: int = _DEFAULTS.instances,
    proxies: int = _DEFAULTS.proxies,
    project_id: str | None = None,
    token: str | None = None,
    user: str | None = None,
    password: str | None = None,
    access_key: str | None = None,
    secret_key: str | None = None,
    faults: str = "none",
    regressions: Sequence[str] = (),
) -> SimulatorConfig:
    """The settings that the options of the verb ask for; an option that was not given has its default.

    Raises:
        SettingError: an option's value cannot be used; the text names it.
    """
    return SimulatorConfig(
        port=port,
        seed=seed,
        speed=speed,
        instances=instances,
        proxies=proxies,
        project_id=project_id,
        token=token,
        user=user,
        password=password,
        access_key=access_key,
        secret_key=secret_key,
        faults=with_regressions(profile_of(faults), regressions) if regressions else faults,
    )


def serve(
    config: SimulatorConfig,
    *,
    write_plan: Path | None,
    on_ready: Callable[[str], None],
    on_note: Callable[[str], None] | None = None,
) -> None:
    """Serve the cloud until SIGINT or SIGTERM.

    Args:
        config: What to simulate.
        write_plan: Where to write a plan for exactly this fleet, if anywhere.
        on_ready: Called once with the address, when the port is open and the plan written.
        on_note: Called with what the user should know besides, such as how to export a token that was made.

    Raises:
        SettingError: the settings cannot be used, or the plan cannot be written.
    """
    cloud = SimulatedCloud(config, utc_now())
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(_serve(cloud, write_plan, on_ready, on_note or (lambda _: None)))


async def _serve(
    cloud: SimulatedCloud,
    write_plan: Path | None,
    on_ready: Callable[[str], None],
    on_note: Callable[[str], None],
) -> None:
    server = Server(cloud)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    url = await server.start()
    try:
        if write_plan is not None:
            _write(write_plan, plan_text(cloud, url))
        on_ready(url)
        if cloud.config.token is None:
            on_note(f"export {TOKEN_VARIABLE}={cloud.config.accepted_token()}")
        await stopped.wait()
    finally:
        await server.stop()


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingError(f"write-plan: cannot write {path}: {error.strerror}") from error
