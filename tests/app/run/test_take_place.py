"""Who waits for a fleet's lock does so with what it was given to do meanwhile."""

from contextlib import ExitStack

from fakes.memory_state import MemoryFleet, MemoryState
from fakes.recorded import BEGIN

from orchestrator.app.run.take_place import take_place
from orchestrator.tracker.served_groups import IDLE, Idle


def test_what_is_done_while_another_host_works_is_handed_on() -> None:
    fleet, serves = MemoryFleet("prod", MemoryState()), Idle()
    with ExitStack() as stack:
        take_place(fleet, BEGIN, stack, serves)
        assert fleet.stands_by is serves
    with ExitStack() as stack:
        take_place(fleet, BEGIN, stack)
        assert fleet.stands_by is IDLE, "nobody is served unless somebody can"
