"""The simulated cloud inside another program: a daemon thread with an event loop of its own."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from threading import Thread
from typing import cast

import msgspec

from orchestrator.simulator.cloud import SimulatedCloud
from orchestrator.simulator.config import SimulatorConfig
from orchestrator.simulator.server import Server, utc_now

_JOIN_S = 5.0


class Address(msgspec.Struct, frozen=True):
    """Where an embedded cloud is, and what it accepts. Read `cloud` when no request is under way."""

    url: str
    token: str
    cloud: SimulatedCloud


@contextmanager
def embedded_cloud(config: SimulatorConfig) -> Iterator[Address]:
    """A cloud that answers over HTTP for as long as the context lasts.

    Raises:
        SettingError: the settings cannot be used.
    """
    cloud = SimulatedCloud(config, utc_now())
    started: Future[tuple[str, Callable[[], None]]] = Future()
    thread = Thread(target=_run, args=(Server(cloud), started), name="simulated-cloud", daemon=True)
    thread.start()
    try:
        url, stop = started.result()
        try:
            yield Address(url=url, token=config.accepted_token(), cloud=cloud)
        finally:
            stop()
    finally:
        thread.join(_JOIN_S)


def new_loop() -> asyncio.AbstractEventLoop:
    """A uvloop event loop where it is installed, else the default one."""
    if find_spec("uvloop") is None:
        return asyncio.new_event_loop()
    return cast("asyncio.AbstractEventLoop", import_module("uvloop").new_event_loop())


def _run(server: Server, started: "Future[tuple[str, Callable[[], None]]]") -> None:
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(_serve(server, started))
    except BaseException as error:
        if started.done():
            raise
        started.set_exception(error)  # it belongs to the thread that waits for the address


async def _serve(server: Server, started: "Future[tuple[str, Callable[[], None]]]") -> None:
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    url = await server.start()

    def stop() -> None:
        loop.call_soon_threadsafe(stopped.set)

    started.set_result((url, stop))
    await stopped.wait()
    await server.stop()
