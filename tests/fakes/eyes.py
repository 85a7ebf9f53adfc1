"""Sessions that read metrics: each opens an eye of its own, with the same settings."""

from typing import Any

from fakes.clock import VirtualClock
from fakes.clouds import FakeCloud
from fakes.eye import FakeEye

from orchestrator.executor.ports import MetricsApi


class Eyes:
    """One eye for each session."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings
        self.opened: list[FakeEye] = []

    def __call__(self, cloud: FakeCloud, clock: VirtualClock) -> MetricsApi | None:
        self.opened.append(FakeEye(cloud, clock, **self.settings))
        return self.opened[-1]

    @property
    def calls(self) -> list[int]:
        """How many series each call asked for."""
        return [asked for eye in self.opened for asked in eye.calls]
