"""Fixtures: a desk without a cloud, and a maker of clouds each with a desk before it."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from fakes.e2e import Desk, NewCloud, cloud_desk, sim_targets


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk whose plan has three proxies in a cloud that is not there."""
    made = Desk(tmp_path, targets=sim_targets(3))
    made.write()
    return made


@pytest.fixture
def desk_kind() -> type[Desk]:
    """How a desk has its commands run; a file of tests may say otherwise."""
    return Desk


@pytest.fixture
def new_cloud(tmp_path: Path, desk_kind: type[Desk]) -> Iterator[NewCloud]:
    """Starts a simulated cloud, and writes a plan of all of its proxies."""
    with ExitStack() as stack:

        def make(count: int = 3, **options: Any) -> Desk:
            return stack.enter_context(cloud_desk(tmp_path, count, kind=desk_kind, **options))

        yield make
