"""What a session knows of the upgrades of all runs and fleets of its state, each read when it is asked for."""

from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet

import anyio
import msgspec
from anyio import to_thread

from orchestrator.app.process.shared_reading import SharedReading
from orchestrator.executor.session import none_known, nothing_told
from orchestrator.model.learned.told_elsewhere import ToldElsewhere
from orchestrator.tracker.runs.workflow_owner import told_of
from orchestrator.tracker.state_store import State
from orchestrator.tracker.workflow_store import KnownWorkflows


class KnownUpgrades(msgspec.Struct, frozen=True):
    """Two questions to the journals.

    Attributes:
        workflows: every workflow_id, also those that other fleets have learned since it was last asked.
        told: what is told of one of them where it is named first.
    """

    workflows: Callable[[], Awaitable[AbstractSet[str]]]
    told: Callable[[str], Awaitable[ToldElsewhere | None]]


def known_upgrades(state: State, *, simulated: bool) -> KnownUpgrades:
    """What is known in a state.

    A simulated cloud is a new one each time, which gives the same ids again: of it only the run itself knows any.
    """
    if simulated:
        return KnownUpgrades(none_known, nothing_told)
    workflows = state.workflows()
    return KnownUpgrades(SharedReading(workflows.known), _Tellings(state, workflows).told)


class _Tellings:
    """What was told once stays true, and is not read again."""

    def __init__(self, state: State, workflows: KnownWorkflows) -> None:
        self._state = state
        self._workflows = workflows
        self._told: dict[str, ToldElsewhere] = {}
        self._one_at_a_time = anyio.Lock(fast_acquire=True)

    async def told(self, workflow: str) -> ToldElsewhere | None:
        async with self._one_at_a_time:
            told = self._told.get(workflow)
            if told is None:
                told = await to_thread.run_sync(told_of, self._state, self._workflows, workflow)
            if told is not None:
                self._told[workflow] = told
            return told
