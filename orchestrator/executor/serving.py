"""Runs the stories of proxies, each behind its bulkhead, in the task group of a session. Others decide who starts."""

from collections.abc import Callable
from datetime import timedelta

from anyio.abc import TaskGroup

from orchestrator.errors import Broken, StateError
from orchestrator.executor.bulkhead import break_off
from orchestrator.executor.decide.one_target.intent_gate import may_begin
from orchestrator.executor.decide.opening.gates import gates_at
from orchestrator.executor.ledger import SetAside
from orchestrator.executor.scope.gate import ScopeGone, Yielded
from orchestrator.executor.scope.poll_schedule import REFUSED_PAUSE
from orchestrator.executor.session import Session
from orchestrator.executor.stories import Worker, Workers
from orchestrator.executor.target.upgrade_one import upgrade_one
from orchestrator.model.plan.target import Target
from orchestrator.model.record.record import TurnGiven, TurnReturned
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
        """It is the turn of a target: it leaves the line, and its story begins, here or on the host that serves it."""
        session, queue = self._session, self._session.rollout.queue
        queue.take(target)
        queue.begin(target, wave)
        if session.serves(target.scope):
            self.take_up(session.run.state(target.proxy_id))
        else:
            session.ledger.note(turn_given(session, target, wave))

    def take_up(self, state: TargetState) -> None:
        """Begin the story of a target, or go on with it."""
        self._workers.take_up(state, self._group)

    def take_up_open(self) -> None:
        """Go on with every target that an earlier session has left open."""
        for state in self._session.run.open_states():
            if state.set_aside:
                self._session.rest(state)
            elif self._session.serves(state.target.scope):
                self.take_up(state)

    def take_up_given(self) -> None:
        """Begin the stories of those that another host has given their turn, unless they may not start now."""
        session = self._session
        given, session.rollout.given = session.rollout.given, []
        for state in map(session.run.state, given):
            if not session.serves(state.target.scope) or state.key not in session.rollout.queue.starting:
                continue
            if may_begin(session.rollout, state, session.clock.now()) is None:
                self.take_up(state)
            else:
                self._give_back(state)

    def take_up_moved(self) -> None:
        """What another host has written may open a target whose story has ended here: it is told from there.

        And it may end a story: a person has decided.
        """
        moved, resting = self._session.moved_by_others, self._session.rollout.resting
        for state in [*moved.values()]:
            worker = self._workers.at(state)
            if worker is None:
                del moved[state.key]
                if state.is_open and state.key not in resting:
                    self.take_up(state)
            elif not state.is_open and state.key not in self._session.rollout.queue.starting:
                worker.break_off()

    def tells(self, state: TargetState) -> bool:
        """Whether the story of a target is being told."""
        return self._workers.at(state) is not None

    async def stop(self, state: TargetState) -> None:
        """Break off the story of a target, if it is being told, and return when that has ended."""
        worker = self._workers.at(state)
        if worker is not None:
            self._session.moved_by_others.pop(state.key, None)  # nobody takes it up between the stop and the record
            await worker.break_off().wait()

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
        elif state.key in queue.starting:
            self._give_back(state)
        self._wake()

    def _give_back(self, state: TargetState) -> None:
        session = self._session
        pause = REFUSED_PAUSE if session.calls(state).available else timedelta()
        until = session.clock.now() + pause
        if session.leads:
            session.rollout.queue.back(state.target, until)
        else:
            session.ledger.note(TurnReturned(at=session.clock.now(), target=state.key, until=until))


def turn_given(session: Session, target: Target, wave: str) -> TurnGiven:
    """The turn of a target that another host serves, with when each gate let it through."""
    rollout = session.rollout
    answers = {gate.name: rollout.watches[gate.name].answered_at for gate in gates_at(rollout, "start")}
    answered = {name: at for name, at in answers.items() if at is not None}
    return TurnGiven(at=session.clock.now(), target=target.proxy_id, wave=wave, answered=answered)
