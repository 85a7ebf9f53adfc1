"""Watching a fleet on virtual time: until when, and what counts as new."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from fakes.clock import VirtualClock, run_virtual
from fakes.memory_state import MemoryState
from fakes.recorded import BEGIN, RUN_ID, make_plan, make_targets, run_started

from orchestrator.app.status.document import StatusDocument, fleet_document
from orchestrator.app.status.watch import EVERY_S, Changes, watch
from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import Outcome
from orchestrator.tracker.runs.recovery import recover

TARGETS = make_targets(2)
A, B = (target.proxy_id for target in TARGETS)


@dataclass
class Looks:
    """A process that works for so many looks; a reader who goes after so many.

    Attributes:
        shown: seconds of each look.
    """

    works: int
    reads: int = 100
    shown: list[float] = field(default_factory=list)

    def play(self) -> list[float]:
        async def story() -> None:
            self.clock = VirtualClock()
            self._began_s = self.clock.monotonic()
            await watch(lambda: len(self.shown) < self.works, self._show, self.clock)

        run_virtual(story)
        return self.shown

    def _show(self) -> bool:
        self.shown.append(self.clock.monotonic() - self._began_s)
        return len(self.shown) < self.reads


@pytest.mark.parametrize(("works", "looks"), [(0, 1), (1, 2), (3, 4)])
def test_it_ends_with_the_process_and_shows_what_that_left(works: int, looks: int) -> None:
    assert Looks(works).play() == [number * EVERY_S for number in range(looks)]


def test_it_ends_when_nobody_reads_any_more() -> None:
    assert len(Looks(works=50, reads=2).play()) == 2


def document(*records: r.Record, later_s: float = 0.0) -> StatusDocument:
    fleet = MemoryState().fleet("prod", writes=True)
    run = fleet.begin(make_plan(TARGETS), TARGETS, run_started(2, run_id=RUN_ID))
    if records:
        run.resume(2).append(records)
    return fleet_document(recover(run), make_plan(TARGETS), BEGIN + timedelta(seconds=later_s), "/p/prod.yaml")


def test_a_change_is_told_once_with_its_time() -> None:
    changes = Changes()
    first = changes.line(document())
    assert first is not None
    assert first.startswith("22:00:00Z prod unfinished: 2 waiting; waits for: ")
    assert changes.line(document(later_s=2.0)) is None
    second = changes.line(document(r.Settled(at=BEGIN, target=A, attempt=1, wave="rest", outcome=Outcome.SUCCEEDED)))
    assert second is not None
    assert "1 succeeded" in second
