"""Runs the stories of proxies, each behind its bulkhead, in the task group of a session. Others decide who starts."""

from collections.abc import Callable
from datetime import timedelta

from anyio.abc import TaskGroup

from orchestrator.errors import Broken, StateError
from orchestrator.executor.bulkhead import break_off
from orchestrator.executor.ledger import SetAside
from orchestrator.executor.scope.gate import ScopeGone, Yielded
from orchestrator.executor.scope.poll_schedule import REFUSED_PAUSE
from orchestrator.executor.session import Session
from orchestrator.executor.stories import Worker, Workers
from orchestrator.executor.target.upgrade_one import upgrade_one
from orchestrator.model.plan.target import Target
from orchestrator.model.run.state import TargetState


class Server:
    """The stories of a session's targets.

    Args:
        session: everything the stories need.
        group: they run in it.
        wake: called when a story has ended.
    """

    def __init__(self, session: Session, group: TaskGroup, wake: Callable[[], None]) -> None:
        self._session = session
        self._group = group
        self._wake = wake
        self._workers = Workers(self._story)

    def start(self, target: Target, wave: str) -> None:
        """It is the turn of a target: it leaves the line, and its story begins."""
        queue = self._session.rollout.queue
        queue.take(target)
        queue.begin(target, wave)
        self.take_up(self._session.run.state(target.proxy_id))

    def take_up(self, state: TargetState) -> None:
        """Begin the story of a target, or go on with it."""
        self._workers.take_up(state, self._group)

    def take_up_open(self) -> None:
        """Go on with every target that an earlier session has left open."""
        for state in self._session.run.open_states():
            if state.set_aside:
                self._session.rest(state)
            else:
                self.take_up(state)

    def take_up_moved(self) -> None:
        """What another host has written may open a target whose story has ended here: it is told from there."""
        moved, resting = self._session.moved_by_others, self._session.rollout.resting
        for state in [each for each in moved.values() if not self.tells(each)]:
            del moved[state.key]
            if state.is_open and state.key not in resting:
                self.take_up(state)

    def tells(self, state: TargetState) -> bool:
        """Whether the story of a target is being told."""
        return self._workers.at(state) is not None

    async def stop(self, state: TargetState) -> None:
        """Break off the story of a target, if it is being told, and return when that has ended."""
        worker = self._workers.at(state)
        if worker is not None:
            self._session.moved_by_others.pop(state.key, None)  # nobody takes it up between the stop and the record
            await worker.stop()

    async def _story(self, worker: Worker) -> None:
        state = worker.state
        with self._session.stories.one(state):
            try:
                await upgrade_one(state, self._session)
            except Yielded:
                pass  # it waits again, see `_leave`
            except (ScopeGone, SetAside):
                if state.is_open:
                    self._session.rest(state)
            except (StateError, Broken):
                raise  # nothing can be recorded any more, of nobody
            except Exception as error:  # noqa: BLE001  # a bulkhead: whatever it is, it touches this target alone
                await break_off(state, self._session, error)
            finally:
                if worker.ended is not None:
                    worker.ended.set()
                self._leave(worker)

    def _leave(self, worker: Worker) -> None:
        """A story ends. What it had reserved and not used goes back into the queue."""
        if not self._workers.leave(worker):
            return
        state, queue = worker.state, self._session.rollout.queue
        if state.key in queue.starting and state.is_open:
            queue.sent(state.target)  # set aside: what held a reservation holds a slot
        elif state.key in queue.starting and state.key in self._session.rollout.broken:
            queue.sit_out(state.target)
        elif state.key in queue.starting:
            pause = REFUSED_PAUSE if self._session.calls(state).available else timedelta()
            queue.back(state.target, self._session.clock.now() + pause)
        self._wake()
