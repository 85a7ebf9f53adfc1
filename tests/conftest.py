"""Makes `tests/` importable, so that every test finds the helpers in `fakes`, and gives its processes usual signals."""

import gc
import os
import signal
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from fakes.postgres_server import Server

#: A deadline, or a draw that is called too slow, says something of the machine and nothing of the program.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])


def pytest_configure() -> None:
    """Heed the signals that a background job or `nohup` ignores: processes of tests would ignore them as well."""
    settings.load_profile("any machine")
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each worker begins with slow tests, as many as the others: at the end nobody waits for a slow one.

    Workers are given the tests in equal shares, in their order; who has none left takes from the end of another's.
    """
    if (workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))) == 1:
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    quick = deque(item for item in items if not item.get_closest_marker("slow"))
    ordered: list[pytest.Item] = []
    for worker in range(workers):
        share = (len(items) - len(ordered)) // (workers - worker)
        first = slow[worker::workers]
        ordered += [*first, *(quick.popleft() for _ in range(share - len(first)))]
    items[:] = ordered


def pytest_collection_finish() -> None:
    """What was imported and collected stays: the collector of garbage need not look at it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> "Iterator[Server]":
    """The PostgreSQL server of all tests that want one."""
    from fakes.postgres_server import shared  # noqa: PLC0415  # most workers need none

    base = tmp_path_factory.getbasetemp()
    with shared(base if worker_id == "master" else base.parent) as server:
        yield server
